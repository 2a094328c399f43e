// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/shell/latest.h"
#include "gui/watching/tensor_data.h"
#include "gui/watching/trial_bench.h"

#include <QTimer>
#include <QWidget>

#include <memory>

class QComboBox;
class QLabel;
class QToolButton;

namespace raphe {

class FigureWidget;
class MatrixView;
class TrialPanel;

/// Weights of the network whose trials are shown, and what its states are during the trial, as a matrix and as a
/// histogram.
class TensorPanel final : public QWidget {
    Q_OBJECT

public:
    explicit TensorPanel(TrialPanel& trials, QWidget* parent = nullptr);
    ~TensorPanel() override;

    /// Something new was learned: shown, if one follows the training.
    void trainingWentOn() { moved_ = true; }
    void follow(bool on);
    /// "agent.recurrent_weight" or "agent.hebbian_trace". @return whether there is such a tensor
    bool choose(const QString& name);
    const MatrixView& matrix() const { return *matrix_; }

protected:
    void showEvent(QShowEvent* event) override;

private:
    struct Contents {
        std::vector<NamedTensor> weights;
        std::vector<std::string> states; ///< asked for only where the list is filled
        StateTrace trace;
    };
    struct Question {
        std::shared_ptr<TrialBench> bench;
        bool list = false;
        std::string state; ///< whose trace is wanted
        TrialRequest request;
        int trial = 0;
    };
    void ask();
    void take(const Question& question, Contents contents);
    void fill();
    void showTensor();
    void save();
    /// The chosen state; empty: a weight is chosen.
    std::string chosenState() const;

    TrialPanel& trials_;
    std::shared_ptr<TrialBench> bench_; ///< whose tensors are listed
    Contents contents_;
    Latest<Question, Contents> latest_;
    int step_ = 0;
    bool moved_ = false, stale_ = true;
    QTimer following_, histogramSoon_;
    QString wanted_; ///< chosen before the list was there

    QComboBox* tensor_;
    QLabel *source_, *summary_, *hover_, *empty_;
    QToolButton *follow_, *refresh_, *save_;
    MatrixView* matrix_;
    FigureWidget* histogram_;
    QWidget* content_;
};

} // namespace raphe
