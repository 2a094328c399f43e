// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/shell/latest.h"
#include "gui/watching/portrait.h"
#include "gui/watching/trial_bench.h"

#include <QPointF>
#include <QWidget>

#include <memory>
#include <optional>

class QComboBox;
class QLabel;
class QToolButton;

namespace raphe {

class FigureWidget;

/// The phase portrait of a signal: its first two principal components over all trials that are there, and the present
/// moment as a dot. On demand with what the network does there at that moment: arrows, and states that do not move.
class PortraitView final : public QWidget {
    Q_OBJECT

public:
    explicit PortraitView(QWidget* parent = nullptr);

    /// @param bench  knows the network that they are of; null: it is not there any more
    void setTrials(std::shared_ptr<const TrialPair> pair, std::shared_ptr<TrialBench> bench);
    void showFlow(bool on);
    void setTrial(int trial);
    void setStep(int step);
    FigureWidget& figure() { return *figure_; }
    /// Nothing before it has been computed.
    const Portrait* portrait() const { return seen_ ? &seen_->intact : nullptr; }
    /// Nothing unless it is shown and has been computed.
    const PortraitFlow* flow() const { return flow_ ? &*flow_ : nullptr; }
    /// What is said of it below the portrait.
    QString note() const;

protected:
    void showEvent(QShowEvent* event) override;

private:
    class Dot;
    struct Seen {
        PrincipalComponents plane;
        Portrait intact, perturbed;
    };
    /// A moment whose flow is wanted.
    struct Moment {
        std::shared_ptr<const TrialPair> pair;
        std::shared_ptr<Seen> seen;
        PortraitFlowRequest request;
    };
    void compute();
    void computeFlow();
    void forgetFlow();
    void draw();

    std::shared_ptr<const TrialPair> pair_;
    std::shared_ptr<TrialBench> bench_;
    std::string port_;
    std::shared_ptr<Seen> seen_;
    Latest<std::string, std::shared_ptr<Seen>> computing_;
    std::optional<PortraitFlow> flow_;
    Latest<Moment, PortraitFlow> flowing_;
    int trial_ = 0, step_ = 0;
    bool stale_ = false;
    QPointF origin_, unit_; ///< where (0, 0) and (1, 1) stood in the last drawing
    QComboBox* signal_;
    QToolButton* flowButton_;
    QLabel *empty_, *note_;
    FigureWidget* figure_;
    Dot* dot_;
};

} // namespace raphe
