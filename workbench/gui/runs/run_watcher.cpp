// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/runs/run_watcher.h"

#include "engine/runs/run_index.h"
#include "gui/shell/gui_thread.h"

#include <QElapsedTimer>

#include <algorithm>
#include <optional>

namespace raphe {

struct RunWatcher::Shared {
    std::filesystem::path root;
    std::optional<RunIndex> index; ///< of the pool's one thread
    std::atomic<bool> stop{false};
};

RunWatcher::RunWatcher(std::filesystem::path root, QObject* parent) : QObject(parent), root_(std::move(root)) {
    timer_.setSingleShot(true);
    connect(&timer_, &QTimer::timeout, this, &RunWatcher::look);
}

RunWatcher::~RunWatcher() {
    if (shared_) shared_->stop = true;
    pool_.waitForDone();
}

void RunWatcher::setRoot(const std::filesystem::path& root) {
    if (root == root_) return;
    root_ = root;
    if (shared_) shared_->stop = true;
    shared_ = nullptr;
    Q_EMIT listed({}, false);
    look();
}

void RunWatcher::readAnew() {
    if (shared_) shared_->stop = true;
    shared_ = nullptr;
    pool_.start([root = root_] {
        std::error_code ignored;
        if (const auto file = RunIndex::cacheFile(root); !file.empty()) std::filesystem::remove(file, ignored);
    });
    look();
}

void RunWatcher::setAwake(bool awake) {
    awake_ = awake;
    if (awake)
        look();
    else
        timer_.stop();
}

void RunWatcher::look() {
    timer_.stop();
    if (busy_)
        again_ = true;
    else
        begin();
}

void RunWatcher::begin() {
    busy_ = true;
    again_ = false;
    if (!shared_) {
        shared_ = std::make_shared<Shared>();
        shared_->root = root_;
    }
    pool_.start([this, shared = shared_] { // the destructor waits for this
        QElapsedTimer clock;
        clock.start();
        const auto tell = [this](std::function<void()> act) { onGuiThread(this, std::move(act)); };
        if (!shared->index) {
            shared->index.emplace(shared->root);
            if (auto known = shared->index->known(); !known.empty())
                tell([this, shared, known = std::move(known)] {
                    if (shared == shared_) Q_EMIT listed(known, false);
                });
        }
        auto runs = shared->index->refresh(
            [&](const RunIndex::Progress& now) {
                tell([this, shared, now] {
                    if (shared == shared_) Q_EMIT progress(static_cast<int>(now.read), static_cast<int>(now.runs));
                });
            },
            &shared->stop);
        tell([this, shared, runs = std::move(runs), seconds = 1e-3 * static_cast<double>(clock.elapsed())] {
            finish(shared, runs, seconds);
        });
    });
}

void RunWatcher::finish(const std::shared_ptr<Shared>& shared, const RunList& runs, double seconds) {
    busy_ = false;
    if (shared == shared_) Q_EMIT listed(runs, true);
    if (again_)
        begin();
    else if (awake_)
        timer_.start(static_cast<int>(1000 * std::max(2.0, 20 * seconds)));
}

} // namespace raphe
