// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>

#include <condition_variable>
#include <functional>
#include <mutex>

namespace raphe {

/// Lets the thread of a script use what belongs to the GUI's thread: the script waits, the event loop does not.
class DocumentGate final : public QObject {
public:
    /// From the script's thread: calls `work` on the GUI's thread and waits for it.
    /// @throws Error if the gate is closed before that has begun
    void call(const std::function<void()>& work);
    /// From the GUI's thread. Whoever waits at a gate that is closed is sent back.
    void setOpen(bool open);

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = true;
};

} // namespace raphe
