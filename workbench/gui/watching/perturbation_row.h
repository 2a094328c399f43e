// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/watching/trial_recording.h"

#include <QWidget>

#include <vector>

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QSlider;
class QSpinBox;
class QToolButton;

namespace raphe {

/// One intervention: on what, which change, how much, when.
class PerturbationRow final : public QWidget {
    Q_OBJECT

public:
    /// @param ofDocument  it can be switched and turned here, but not removed
    PerturbationRow(const Intervention& intervention, bool ofDocument, QWidget* parent = nullptr);

    void setTargets(const std::vector<TrialTarget>& targets, const std::vector<double>& largest, int steps);
    Intervention intervention() const;
    bool ofDocument() const { return ofDocument_; }

Q_SIGNALS:
    void changed();
    void removeWanted();
    void keepWanted();

private:
    void fitTarget();
    void fitOperation();
    /// Ends of the slider.
    std::pair<double, double> range() const;
    void showValue();

    bool ofDocument_;
    std::vector<TrialTarget> targets_;
    std::vector<double> largest_;
    QCheckBox* on_;
    QComboBox *target_, *operation_;
    QSpinBox *component_, *from_, *to_;
    QSlider* slider_;
    QDoubleSpinBox* value_;
    QToolButton *keep_, *remove_;
};

} // namespace raphe
