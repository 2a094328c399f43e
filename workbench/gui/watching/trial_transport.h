// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QTimer>
#include <QWidget>

class QKeyEvent;
class QLabel;
class QSlider;
class QSpinBox;
class QToolButton;

namespace raphe {

/// Where one is in a trial, and in which: play, scrub, step; by mouse and keyboard.
class TrialTransport final : public QWidget {
    Q_OBJECT

public:
    explicit TrialTransport(QWidget* parent = nullptr);

    /// @param everySteps  steps of the trial from one that is there to the next
    void setLength(int steps, int trials, int everySteps = 1);
    int step() const;
    int trial() const; ///< from 0
    bool playing() const { return clock_.isActive(); }
    void setStep(int step);
    void play(bool on);
    /// Space, left and right (with Shift ten steps), Home and End, Page Up and Page Down (trials). @return whether it
    /// was one of them
    bool takeKey(const QKeyEvent& event);

Q_SIGNALS:
    void stepChanged(int step);
    void trialChanged(int trial);

private:
    void tick();
    void showStep();

    int everySteps_ = 1;
    double ahead_ = 0; ///< parts of a step that playing has still to go
    QTimer clock_;
    QToolButton *first_, *back_, *play_, *forward_;
    QSlider* slider_;
    QLabel* position_;
    QSpinBox *trial_, *speed_;
};

} // namespace raphe
