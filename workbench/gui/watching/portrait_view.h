// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/shell/latest.h"
#include "gui/watching/principal_components.h"
#include "gui/watching/trial_bench.h"

#include <QPointF>
#include <QWidget>

#include <memory>

class QComboBox;
class QLabel;

namespace raphe {

class FigureWidget;

/// The phase portrait of a signal: its first two principal components over all trials that are there, and the present
/// moment as a dot.
class PortraitView final : public QWidget {
    Q_OBJECT

public:
    explicit PortraitView(QWidget* parent = nullptr);

    void setTrials(std::shared_ptr<const TrialPair> pair);
    void setTrial(int trial);
    void setStep(int step);
    FigureWidget& figure() { return *figure_; }
    /// Nothing before it has been computed.
    const Portrait* portrait() const { return seen_ ? &seen_->intact : nullptr; }

protected:
    void showEvent(QShowEvent* event) override;

private:
    class Dot;
    struct Seen {
        PrincipalPlane plane;
        Portrait intact, perturbed;
    };
    void compute();
    void draw();

    std::shared_ptr<const TrialPair> pair_;
    std::string port_;
    std::shared_ptr<Seen> seen_;
    Latest<std::string, std::shared_ptr<Seen>> computing_;
    int trial_ = 0, step_ = 0;
    bool stale_ = false;
    QPointF origin_, unit_; ///< where (0, 0) and (1, 1) stood in the last drawing
    QComboBox* signal_;
    QLabel* empty_;
    FigureWidget* figure_;
    Dot* dot_;
};

} // namespace raphe
