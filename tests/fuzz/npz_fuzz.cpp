// SPDX-License-Identifier: Apache-2.0
#include "target.h"

#include "engine/base/npz.h"
#include "raphe/error.h"

#include <sys/mman.h>
#include <unistd.h>

#include <string>

using namespace raphe;

/// Any archive, up to a mebibyte of numbers.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const int file = memfd_create("fuzz.npz", MFD_CLOEXEC);
    static const auto path = "/proc/self/fd/" + std::to_string(file);
    fuzz::check(file >= 0 && ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == static_cast<ssize_t>(size),
                "cannot write the input to memory");
    try {
        NpzLimits limits;
        limits.bytes = 1 << 20;
        for (const auto& tensor : readNpz(path, limits)) {
            std::size_t count = 1;
            for (auto extent : tensor.tensor.shape) count *= static_cast<std::size_t>(extent);
            fuzz::check(count == tensor.tensor.values.size(), "a tensor's shape and its numbers disagree");
        }
    } catch (const Error&) {
    }
    return 0;
}
