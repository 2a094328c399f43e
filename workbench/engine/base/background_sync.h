// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace raphe {

class BackgroundSync;

/// An open file that is written to the disk from time to time after it was touched. Owns the file.
class SyncedFile {
public:
    SyncedFile(BackgroundSync& sync, int file) : sync_(sync), file_(file) {}
    SyncedFile(const SyncedFile&) = delete;
    SyncedFile& operator=(const SyncedFile&) = delete;
    ~SyncedFile();

    /// Something was written to it. Cheap; never waits for the disk.
    void touch();

private:
    friend class BackgroundSync;
    BackgroundSync& sync_;
    int file_;
    std::atomic<bool> dirty_{false};
};

/// Writes files that were touched to the disk on a thread of its own: at once, then at most once per interval. So a
/// power failure loses what was written during the last interval at most, and nobody waits for the disk.
class BackgroundSync {
public:
    /// @param sync  writes a file to the disk: fdatasync()
    BackgroundSync(std::function<void(int)> sync, std::chrono::milliseconds interval);
    ~BackgroundSync();
    /// That of the program, once a second.
    static BackgroundSync& ofProcess();

    /// Takes an open file in.
    std::shared_ptr<SyncedFile> watch(int file);

private:
    friend class SyncedFile;
    void work();
    void wake();

    const std::function<void(int)> sync_;
    const std::chrono::milliseconds interval_;
    std::mutex mutex_; ///< of what follows
    std::condition_variable changed_;
    std::vector<std::weak_ptr<SyncedFile>> files_;
    bool wanted_ = false, ending_ = false;
    std::thread thread_; ///< begins with the first touch
};

} // namespace raphe
