// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/writer_lock.h"

#include "engine/runs/run_schema.h"
#include "raphe/error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <system_error>
#include <thread>

namespace raphe::stored {

WriterLock::WriterLock(const std::filesystem::path& directory) {
    const auto path = directory / lockName;
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0)
        throw Error(directory.string(), fmt::format("cannot be written ({}); choose a directory where you may write",
                                                    std::generic_category().message(errno)));
    // Who looks whether the lock is held (see below) has it himself for some microseconds, so one refusal says nothing.
    int tries = 20;
    while (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
        const int error = errno;
        if (error == EINTR || (error == EWOULDBLOCK && --tries > 0)) {
            if (error == EWOULDBLOCK) std::this_thread::sleep_for(std::chrono::milliseconds(5));
            continue;
        }
        const auto owner = ownerText();
        ::close(descriptor_);
        if (error == EWOULDBLOCK)
            throw Error(directory.string(),
                        fmt::format("another process{} is writing this run; wait for it to end, stop it, or "
                                    "choose another --out",
                                    owner));
        throw Error(directory.string(), fmt::format("cannot be locked ({}); choose a directory on a local disk",
                                                    std::generic_category().message(error)));
    }
    // For the sentence above only, so failing to write it does no harm.
    const auto owner = fmt::format("{}\n", ::getpid());
    if (::ftruncate(descriptor_, 0) == 0) static_cast<void>(!::pwrite(descriptor_, owner.data(), owner.size(), 0));
}

WriterLock::~WriterLock() { ::close(descriptor_); }

bool WriterLock::held(const std::filesystem::path& directory) {
    const int descriptor = ::open((directory / lockName).c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    const bool free = ::flock(descriptor, LOCK_SH | LOCK_NB) == 0;
    ::close(descriptor);
    return !free;
}

std::string WriterLock::ownerText() const {
    std::array<char, 16> text{};
    const auto length = ::pread(descriptor_, text.data(), text.size() - 1, 0);
    int owner = 0;
    if (length <= 0 || std::from_chars(text.data(), text.data() + length, owner).ec != std::errc{}) return {};
    return fmt::format(" ({})", owner);
}

} // namespace raphe::stored
