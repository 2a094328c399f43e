// SPDX-License-Identifier: Apache-2.0
#include "engine/base/background_sync.h"

#include <unistd.h>

namespace raphe {

SyncedFile::~SyncedFile() { ::close(file_); }

void SyncedFile::touch() {
    if (!dirty_.exchange(true)) sync_.wake();
}

BackgroundSync::BackgroundSync(std::function<void(int)> sync, std::chrono::milliseconds interval)
    : sync_(std::move(sync)), interval_(interval) {}

BackgroundSync::~BackgroundSync() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

BackgroundSync& BackgroundSync::ofProcess() {
    static BackgroundSync sync([](int file) { ::fdatasync(file); }, std::chrono::seconds(1));
    return sync;
}

std::shared_ptr<SyncedFile> BackgroundSync::watch(int file) {
    auto watched = std::make_shared<SyncedFile>(*this, file);
    const std::lock_guard lock(mutex_);
    std::erase_if(files_, [](const auto& other) { return other.expired(); });
    files_.push_back(watched);
    return watched;
}

void BackgroundSync::wake() {
    {
        const std::lock_guard lock(mutex_);
        wanted_ = true;
        if (!thread_.joinable() && !ending_) thread_ = std::thread([this] { work(); });
    }
    changed_.notify_all();
}

void BackgroundSync::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return wanted_ || ending_; });
        const bool last = ending_;
        wanted_ = false;
        const auto files = files_;
        lock.unlock();
        for (const auto& known : files)
            if (const auto file = known.lock(); file && file->dirty_.exchange(false)) sync_(file->file_);
        lock.lock();
        if (last) return;
        changed_.wait_for(lock, interval_, [this] { return ending_; });
    }
}

} // namespace raphe
