// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/model.h"
#include "raphe/rule.h"
#include "raphe/task.h"

/// Version of the layout of everything in these headers; a plugin and its host must agree on it.
#define RAPHE_SDK_VERSION 4

#define RAPHE_TEXT_(x) #x
#define RAPHE_TEXT(x) RAPHE_TEXT_(x)
#if defined(_GLIBCXX_USE_CXX11_ABI) && _GLIBCXX_USE_CXX11_ABI
#define RAPHE_CXX11_ABI 1
#else
#define RAPHE_CXX11_ABI 0
#endif

/// Layout facts of this translation unit.
#define RAPHE_ABI_TAG                                                                                                                                            \
    "sdk=" RAPHE_TEXT(RAPHE_SDK_VERSION) ";cxxabi=" RAPHE_TEXT(__GXX_ABI_VERSION) ";cxx11=" RAPHE_TEXT(RAPHE_CXX11_ABI) ";eigen=" RAPHE_TEXT(                    \
        EIGEN_WORLD_VERSION) "." RAPHE_TEXT(EIGEN_MAJOR_VERSION) "." RAPHE_TEXT(EIGEN_MINOR_VERSION) ";align"                                                    \
                                                                                                     "=" RAPHE_TEXT(EIGEN_MAX_ALIGN_BYTES) ";index=" RAPHE_TEXT( \
                                                                                                         __SIZEOF_PTRDIFF_T__)

namespace raphe {

/// A mechanism as the host sees it: its declaration and how to build it for one scalar type.
struct MechanismEntry {
    template <class T>
    using Maker = std::function<std::unique_ptr<Mechanism<T>>(const ParamValues&, Builder&)>;

    DeclarationData declaration;
    Maker<float> makeFloat;
    Maker<double> makeDouble;

    template <class T>
    const Maker<T>& maker() const {
        if constexpr (std::is_same_v<T, float>)
            return makeFloat;
        else
            return makeDouble;
    }
};

/// The entry of a mechanism class template: C<T>::declare() and C<T>(const Params&, Builder&).
template <template <class> class C>
MechanismEntry entryOf() {
    const auto declaration = C<double>::declare();
    MechanismEntry entry;
    entry.declaration = declaration.data(C<double>::kind);
    entry.makeFloat = [declaration](const ParamValues& values, Builder& builder) -> std::unique_ptr<Mechanism<float>> {
        return std::make_unique<C<float>>(declaration.fill(values), builder);
    };
    entry.makeDouble = [declaration](const ParamValues& values,
                                     Builder& builder) -> std::unique_ptr<Mechanism<double>> {
        return std::make_unique<C<double>>(declaration.fill(values), builder);
    };
    return entry;
}

/// What a plugin exports as data, so that the host can compare the tag before it calls anything.
struct PluginExport {
    const char* abiTag;
    const char* name;
    const char* version;
    const char* licence;
    void (*mechanisms)(std::vector<MechanismEntry>&);
};

namespace detail {
/// Block sizes of Eigen's products follow the cache sizes it detects; pinned, since they decide the order of sums.
inline void pinBlockSizes() { Eigen::setCpuCacheSizes(32 * 1024, 512 * 1024, 4 * 1024 * 1024); }

template <template <class> class... C>
void appendEntries(std::vector<MechanismEntry>& entries) {
    pinBlockSizes(); // each library has its own copy of Eigen's setting
    (entries.push_back(entryOf<C>()), ...);
}
} // namespace detail
} // namespace raphe

#ifndef RAPHE_PLUGIN_NAME
#define RAPHE_PLUGIN_NAME "unnamed"
#define RAPHE_PLUGIN_VERSION "0.0.0"
#define RAPHE_PLUGIN_LICENCE "unknown"
#endif

/// Makes the class templates that are named the mechanisms of this plugin. Once per library; the name, version and
/// licence come from raphe_add_plugin().
#define RAPHE_PLUGIN(...)                                                                                              \
    extern "C" __attribute__((visibility("default")))                                                                  \
    const raphe::PluginExport raphe_plugin = {RAPHE_ABI_TAG, RAPHE_PLUGIN_NAME, RAPHE_PLUGIN_VERSION,                  \
                                              RAPHE_PLUGIN_LICENCE, &raphe::detail::appendEntries<__VA_ARGS__>};
