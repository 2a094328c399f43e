// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/canvas/canvas_scene.h"
#include "gui/shell/latest.h"
#include "gui/watching/trial_bench.h"
#include "gui/watching/trial_figure.h"

#include <QTimer>
#include <QWidget>

#include <filesystem>
#include <functional>
#include <memory>

class QComboBox;
class QLabel;
class QPushButton;
class QSpinBox;
class QSplitter;
class QTabWidget;
class QToolButton;

namespace raphe {

class PerturbationList;
class PortraitView;
class SignalList;
class TrialPlot;
class TrialTransport;

/// What the panel can show trials of.
struct TrialSource {
    QString id;   ///< of the network; what is shown of another one goes
    QString name; ///< for people
    SessionSource session;
    std::filesystem::path folder;            ///< of the run whose stored recordings can be played; empty: there is none
    std::vector<Intervention> interventions; ///< of its document
};

/// Plays trials: those that are run now, beside a training or with stored weights, and those that a run has recorded.
/// One cursor goes through events, signals and phase portrait, and the same moment is on the canvas. With interventions
/// the same trials are run twice and compared.
class TrialPanel final : public QWidget {
    Q_OBJECT

public:
    explicit TrialPanel(const Registry& registry, QWidget* parent = nullptr);
    ~TrialPanel() override;

    void setSource(TrialSource source);
    /// Runs trials with the present weights.
    void evaluate();
    void play(bool on);
    /// Runs the trials again and again while the network trains.
    void follow(bool on);
    /// Interventions of the document whose network is shown.
    void setDocumentInterventions(const std::vector<Intervention>& interventions);
    /// Something new was learned: shown, if one follows the training.
    void trainingWentOn();
    void stopShowing();

    PerturbationList& perturbations() { return *perturbations_; }
    TrialTransport& transport() { return *transport_; }
    /// What is shown; null: nothing yet.
    std::shared_ptr<const TrialPair> pair() const { return pair_; }
    std::shared_ptr<TrialBench> bench() const { return bench_; }
    /// The trials that are shown, as they would be run again.
    TrialRequest request() const;
    const QString& sourceName() const { return source_.name; }

Q_SIGNALS:
    void momentShown(const raphe::CanvasScene::Moment& moment);
    void stepShown(int step);
    void shown(); ///< other trials
    void keepWanted(const raphe::Intervention& intervention);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void showEvent(QShowEvent* event) override;

private:
    struct Question {
        TrialRequest request;
        bool fresh = false;         ///< with the present weights
        std::int64_t recorded = -1; ///< of a stored iteration, instead of running
        QString source;
    };
    void build();
    void ask(bool fresh);
    void take(const Question& question, TrialPair pair);
    void readRecorded();
    void redraw();
    void showMoment();
    void showMetrics();
    FigureDescription figure(std::size_t columns) const;
    std::size_t columns() const;

    const Registry& registry_;
    TrialSource source_;
    std::shared_ptr<TrialBench> bench_;
    std::shared_ptr<const TrialPair> pair_;
    std::vector<double> largest_; ///< by signal, of the trial that is shown
    Latest<Question, TrialPair> latest_;
    QTimer soon_, following_;
    bool fresh_ = false; ///< the next question wants the present weights
    bool moved_ = false; ///< the training has gone on since the last question
    bool stale_ = false; ///< what is drawn is not what is there

    QLabel *title_, *metrics_, *empty_;
    QComboBox *from_, *compare_;
    QSpinBox *trials_, *draw_;
    QPushButton* run_;
    QToolButton* follow_;
    TrialPlot* plot_;
    PortraitView* portrait_;
    SignalList* signals_;
    PerturbationList* perturbations_;
    TrialTransport* transport_;
    QSplitter* split_;
    QTabWidget* side_;
};

} // namespace raphe
