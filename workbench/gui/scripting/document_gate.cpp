// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/scripting/document_gate.h"

#include "gui/shell/gui_thread.h"
#include "raphe/error.h"

#include <QThread>

namespace raphe {

void DocumentGate::call(const std::function<void()>& work) {
    if (QThread::currentThread() == thread()) return work();
    enum class State { waiting, running, done, withdrawn };
    const auto state = std::make_shared<State>(State::waiting); // guarded by mutex_
    onGuiThread(this, [this, state, &work] {
        {
            const std::lock_guard lock(mutex_);
            if (*state != State::waiting) return;
            *state = State::running; // from now on the caller waits, and `work` lives
        }
        work();
        {
            const std::lock_guard lock(mutex_);
            *state = State::done;
        }
        changed_.notify_all();
    });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return *state == State::done || (!open_ && *state == State::waiting); });
    if (*state == State::done) return;
    *state = State::withdrawn;
    throw Error("the script is being stopped");
}

void DocumentGate::setOpen(bool open) {
    {
        const std::lock_guard lock(mutex_);
        open_ = open;
    }
    changed_.notify_all();
}

} // namespace raphe
