// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/shell/gui_thread.h"

#include <QCoreApplication>
#include <QPointer>

#include <deque>
#include <mutex>

namespace raphe {
namespace {

/// What waits for its turn. The toolkit only wakes the event loop: what is handed over goes through a queue of our own,
/// so that the thread sanitizer, which does not see into the toolkit, sees it.
class GuiQueue final : public QObject {
    Q_OBJECT

public:
    GuiQueue() { moveToThread(qApp->thread()); }

    void add(QObject* receiver, std::function<void()> act) {
        {
            const std::lock_guard lock(mutex_);
            waiting_.push_back({receiver, std::move(act)});
        }
        QMetaObject::invokeMethod(this, "doNext", Qt::QueuedConnection);
    }

private:
    struct Item {
        QPointer<QObject> receiver;
        std::function<void()> act;
    };

    /// One at a time, so that other events have their turn in between.
    Q_INVOKABLE void doNext() {
        Item item;
        {
            const std::lock_guard lock(mutex_);
            if (waiting_.empty()) return;
            item = std::move(waiting_.front());
            waiting_.pop_front();
        }
        if (item.receiver) item.act();
    }

    std::mutex mutex_;
    std::deque<Item> waiting_;
};

} // namespace

void onGuiThread(QObject* receiver, std::function<void()> act) {
    static GuiQueue queue;
    queue.add(receiver, std::move(act));
}

} // namespace raphe

#include "gui_thread.moc"
