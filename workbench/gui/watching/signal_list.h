// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/watching/trial_figure.h"

#include <QTreeWidget>

#include <vector>

namespace raphe {

/// Which signals of a trial are shown, and how.
class SignalList final : public QTreeWidget {
    Q_OBJECT

public:
    explicit SignalList(QWidget* parent = nullptr);

    /// Signals of another recording; what was chosen stays chosen where it is there.
    void setRecording(const TrialRecording& recording);
    std::vector<ShownSignal> shown() const;
    void forget() { clear(); }

Q_SIGNALS:
    void changed();

private:
    bool filling_ = false;
};

} // namespace raphe
