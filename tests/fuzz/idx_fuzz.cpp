// SPDX-License-Identifier: Apache-2.0
#include "target.h"

#include "raphe/error.h"
#include "tasks/images/idx.h"

#include <sys/mman.h>
#include <unistd.h>

using namespace raphe;

/// Any IDX file, compressed or not, up to a mebibyte of values.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const int file = memfd_create("fuzz.idx", MFD_CLOEXEC);
    static const auto path = "/proc/self/fd/" + std::to_string(file);
    fuzz::check(file >= 0 && ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == static_cast<ssize_t>(size),
                "cannot write the input to memory");
    try {
        const auto array = readIdx(path, 1 << 20);
        std::size_t count = 1;
        for (const auto extent : array.shape) count *= extent;
        fuzz::check(count == array.values.size() && count <= 1 << 20, "the shape and the values disagree");
    } catch (const Error&) {
    }
    return 0;
}
