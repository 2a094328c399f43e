// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace raphe {

/// Thrown when the user's file, script or value is wrong. The text is one sentence: place, what was given, what is
/// allowed, e.g. `nodes.agent.params.hidden: expected integer >= 1, got "many"`.
class Error : public std::runtime_error {
public:
    explicit Error(const std::string& sentence) : std::runtime_error(sentence) {}
    /// The same with the place in front: "place: sentence".
    Error(const std::string& place, const std::string& sentence) : std::runtime_error(place + ": " + sentence) {}
};

} // namespace raphe

/// A sentence about our own code that must hold. Stops at once in debug builds; compiled out in release builds.
#ifdef NDEBUG
#define RAPHE_ASSERT(condition) static_cast<void>(0)
#else
#define RAPHE_ASSERT(condition)                                                                                        \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            std::fprintf(stderr, "%s:%d: assertion failed: %s\n", __FILE__, __LINE__, #condition);                     \
            std::abort();                                                                                              \
        }                                                                                                              \
    } while (false)
#endif
