// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/runs/run_list.h"

#include <QFrame>
#include <QStringList>

class QLabel;
class QPushButton;

namespace raphe {

/// Moves runs to the desktop's trash, and says in a line where they are and how they come back.
class TrashStrip final : public QFrame {
    Q_OBJECT

public:
    explicit TrashStrip(QWidget* parent = nullptr);

    /// Asks, and then moves them, on another thread. What is being written stays.
    void remove(const RunList& runs);
    /// The same without asking.
    void move(const RunList& runs);

Q_SIGNALS:
    void changed(); ///< runs have gone or come back

private:
    struct Moved {
        QString from, to;
    };
    void putBack();
    void say(const QString& sentence, bool undo);

    QLabel* words_;
    QPushButton* undo_;
    std::vector<Moved> moved_;
};

} // namespace raphe
