// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>

#include <array>

class QLabel;

namespace raphe {

/// The first three steps, at the top of the window until they are done or the strip is closed.
class HintStrip final : public QFrame {
    Q_OBJECT

public:
    enum Step { openExperiment, run, playTrial, steps };

    explicit HintStrip(QWidget* parent = nullptr);

    /// A step has been made; once all are, the strip is not shown at the next start.
    void done(Step step);
    /// From the beginning, as at the first start.
    void begin();

protected:
    void showEvent(QShowEvent* event) override;

private:
    void dismiss();
    void write();

    std::array<bool, steps> done_{};
    QLabel* words_;
};

} // namespace raphe
