// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace raphe {

/// A file that appears under its name only when it is complete. The constructor reserves a temporary name in the same
/// directory; whoever writes fills temporary(); commit() syncs it, renames it and syncs the directory. Without commit()
/// the temporary file is removed and the target stays as it was. A target that is a symbolic link is written through.
class AtomicFile {
public:
    /// @throws Error when the directory is missing or not writable, or the target is a directory
    explicit AtomicFile(const std::filesystem::path& target);
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile();

    const std::filesystem::path& temporary() const { return temporary_; }
    void commit();

private:
    std::filesystem::path target_, temporary_;
    bool committed_ = false;
};

/// Replaces the file by `bytes`, or leaves it untouched.
void writeAtomically(const std::filesystem::path& path, std::string_view bytes);

/// The whole content of a regular file.
/// @throws Error when it is missing, unreadable, not a regular file, or larger than maxBytes
std::string readBytes(const std::filesystem::path& path, std::size_t maxBytes);

} // namespace raphe
