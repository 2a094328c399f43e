// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/shell/gui_thread.h"
#include "gui/shell/priority.h"
#include "gui/shell/worker_pool.h"

#include <QCoreApplication>
#include <QPointer>

#include <exception>
#include <memory>
#include <utility>

namespace raphe {

/// Computes something on another thread and gives it to `done`, or the reason why not to `failed`, on the GUI's thread.
/// If `receiver` is gone by then, neither is called.
template <class Result, class Compute, class Done, class Failed>
void inBackground(QObject* receiver, Compute compute, Done done, Failed failed) {
    const QPointer<QObject> alive{receiver};
    WorkerPool::ofProcess().start(
        [alive, compute = std::move(compute), done = std::move(done), failed = std::move(failed)]() mutable {
            stepBackBehindTheWindow();
            auto result = std::make_shared<Result>();
            QString why;
            bool good = true;
            try {
                *result = compute();
            } catch (const std::exception& error) {
                why = QString::fromUtf8(error.what());
                good = false;
            }
            onGuiThread(qApp, [alive, result, why, good, done = std::move(done), failed = std::move(failed)]() mutable {
                if (!alive) return;
                if (good)
                    done(std::move(*result));
                else
                    failed(why);
            });
        });
}

} // namespace raphe
