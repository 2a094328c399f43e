// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// A fuzz target: takes any bytes, and may only refuse them with raphe::Error. Whatever else happens (another
/// exception, a failed check, a sanitizer's complaint, running out of time or memory) is a bug. libFuzzer calls it with
/// bytes of its own making; replay.cpp with those of the corpus, in every build.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace raphe::fuzz {

inline std::string_view textOf(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}
inline void check(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

} // namespace raphe::fuzz
