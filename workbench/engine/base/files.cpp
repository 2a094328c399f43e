// SPDX-License-Identifier: Apache-2.0
#include "engine/base/files.h"

#include "raphe/error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>

namespace raphe {
namespace {

class Descriptor {
public:
    explicit Descriptor(int value) : value_(value) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (value_ >= 0) ::close(value_);
    }
    int get() const { return value_; }
    explicit operator bool() const { return value_ >= 0; }

private:
    int value_;
};

std::string reason(int number) { return std::generic_category().message(number); }

Error cannotWrite(const std::filesystem::path& path, int number) {
    const char* remedy = "check the disk and try again";
    if (number == ENOENT || number == ENOTDIR) remedy = "create its directory first";
    if (number == EACCES || number == EPERM || number == EROFS) remedy = "choose a place where you may write";
    if (number == ENOSPC || number == EDQUOT) remedy = "free some space and try again";
    if (number == EISDIR || number == ENAMETOOLONG) remedy = "choose another name";
    return {path.string(), fmt::format("cannot be written ({}); {}", reason(number), remedy)};
}

void syncDirectory(const std::filesystem::path& directory) {
    // Some file systems refuse to sync a directory; the rename itself has already succeeded then.
    if (const Descriptor handle{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)}) ::fsync(handle.get());
}

std::filesystem::path directoryOf(const std::filesystem::path& path) {
    return path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
}

std::filesystem::path throughLinks(const std::filesystem::path& path) {
    std::error_code ignored;
    if (!std::filesystem::is_symlink(path, ignored)) return path;
    auto resolved = std::filesystem::weakly_canonical(path, ignored);
    return ignored ? path : resolved;
}

} // namespace

AtomicFile::AtomicFile(const std::filesystem::path& target) : target_(throughLinks(target)) {
    static std::atomic<unsigned> counter{0};
    if (!target_.has_filename())
        throw Error("\"" + target.string() + "\"", "is not the name of a file; add a file name");
    struct stat existing {};
    const bool exists = ::stat(target_.c_str(), &existing) == 0;
    if (exists && !S_ISREG(existing.st_mode))
        throw Error(target_.string(), "is not a regular file, so it cannot be replaced; choose another name");
    for (;;) {
        temporary_ = directoryOf(target_) / fmt::format(".raphe-{}-{}.tmp", ::getpid(), counter++);
        const Descriptor handle{::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)};
        if (handle) {
            if (exists) static_cast<void>(::fchmod(handle.get(), existing.st_mode & 07777));
            return;
        }
        if (errno != EEXIST) throw cannotWrite(target_, errno);
    }
}

AtomicFile::~AtomicFile() {
    if (!committed_) ::unlink(temporary_.c_str());
}

void AtomicFile::commit() {
    const Descriptor handle{::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!handle || ::fsync(handle.get()) != 0) throw cannotWrite(target_, errno);
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) throw cannotWrite(target_, errno);
    committed_ = true;
    syncDirectory(directoryOf(target_));
}

void writeAtomically(const std::filesystem::path& path, std::string_view bytes) {
    AtomicFile file(path);
    {
        const Descriptor handle{::open(file.temporary().c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC)};
        if (!handle) throw cannotWrite(path, errno);
        while (!bytes.empty()) {
            const auto written = ::write(handle.get(), bytes.data(), bytes.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) throw cannotWrite(path, errno);
            bytes.remove_prefix(static_cast<std::size_t>(written));
        }
    }
    file.commit();
}

std::string readBytes(const std::filesystem::path& path, std::size_t maxBytes) {
    const auto place = path.string();
    // Not blocking, so that a named pipe is refused below instead of waited for.
    const Descriptor handle{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!handle && (errno == ENOENT || errno == ENOTDIR)) throw Error(place, "there is no such file; check the path");
    if (!handle) throw Error(place, fmt::format("cannot be opened ({}); check its permissions", reason(errno)));
    struct stat status {};
    if (::fstat(handle.get(), &status) != 0)
        throw Error(place, fmt::format("cannot be read ({}); check the disk", reason(errno)));
    if (S_ISDIR(status.st_mode)) throw Error(place, "is a directory; give the path of a file");
    if (!S_ISREG(status.st_mode)) throw Error(place, "is not a regular file; save it to disk first");
    const auto tooLarge = [&] {
        return Error(place, fmt::format("is larger than the {} bytes allowed here; give a smaller file", maxBytes));
    };
    if (static_cast<std::uintmax_t>(status.st_size) > maxBytes) throw tooLarge();

    // The size is a hint only: the file may grow or shrink while we read.
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t length = 0;
    for (;;) {
        if (length == bytes.size()) {
            if (length > maxBytes) throw tooLarge();
            bytes.resize(length + std::clamp<std::size_t>(maxBytes - length, 1, 64 * 1024));
        }
        const auto got = ::read(handle.get(), bytes.data() + length, bytes.size() - length);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw Error(place, fmt::format("cannot be read ({}); check the disk", reason(errno)));
        if (got == 0) break;
        length += static_cast<std::size_t>(got);
    }
    if (length > maxBytes) throw tooLarge();
    bytes.resize(length);
    return bytes;
}

} // namespace raphe
