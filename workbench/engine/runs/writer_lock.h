// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace raphe::stored {

/// The writer's claim on a run directory. The kernel drops it when the process ends, however it ends.
class WriterLock {
public:
    /// @throws Error when another process holds it, or nobody can
    explicit WriterLock(const std::filesystem::path& directory);
    WriterLock(const WriterLock&) = delete;
    WriterLock& operator=(const WriterLock&) = delete;
    ~WriterLock();
    /// Whether somebody writes the run at present.
    static bool held(const std::filesystem::path& directory);

private:
    std::string ownerText() const;
    int descriptor_ = -1;
};

} // namespace raphe::stored
