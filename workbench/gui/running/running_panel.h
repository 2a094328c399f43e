// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/running/run_queue.h"

#include <QWidget>

#include <filesystem>

class QLabel;
class QSpinBox;
class QToolButton;
class QTreeView;

namespace raphe {

/// The queue of runs, with what can be done to each.
class RunningPanel final : public QWidget {
    Q_OBJECT

public:
    explicit RunningPanel(RunQueue& queue, QWidget* parent = nullptr);

    /// The chosen run, or else the one that was begun last; -1: there is none.
    int currentRow() const;
    void choose(int row);

Q_SIGNALS:
    void chosen(int row);
    void playWanted(int row); ///< its trials are to be shown
    void resumeWanted(const std::filesystem::path& folder);

private:
    void showMenu(const QPoint& at);
    void updateButtons();

    RunQueue& queue_;
    QTreeView* view_;
    QLabel* empty_;
    QToolButton *pause_, *step_, *stop_, *play_;
};

} // namespace raphe
