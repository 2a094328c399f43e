// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/canvas/canvas_scene.h"
#include "gui/watching/trial_recording.h"

#include <QTimer>
#include <QWidget>

#include <functional>
#include <memory>

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QListWidget;
class QPushButton;
class QSlider;
class QSpinBox;
class QSplitter;
class QToolButton;

namespace raphe {

class TrialPlot;

/// Where trials come from: calls `read` with a session, on a thread that is not the GUI's. @throws Error
using SessionSource = std::function<void(const std::function<void(Session&)>& read)>;

/// Runs trials for looking at, and plays them: one cursor through all signals, and the same moment on the canvas. The
/// same trials can be run with one signal changed, to compare.
class TrialPanel final : public QWidget {
    Q_OBJECT

public:
    explicit TrialPanel(QWidget* parent = nullptr);

    /// @param id  of the network; what is shown of another one goes
    void setSource(const QString& id, const QString& name, SessionSource source);
    void evaluate();
    void play(bool on);

Q_SIGNALS:
    void momentShown(const raphe::CanvasScene::Moment& moment);

private:
    void take(TrialRecording recording, std::vector<Intervention> interventions);
    void redraw();
    void setStep(int step);
    void showMoment();
    void fillTargets();
    std::vector<Intervention> chosenInterventions() const;

    QString id_;
    SessionSource source_;
    std::shared_ptr<TrialRecording> recording_;
    NamedNumbers intact_; ///< metrics of the same trials without the intervention
    bool busy_ = false;
    QTimer clock_;

    QLabel *title_, *metrics_, *position_, *empty_;
    QSpinBox *trials_, *draw_, *trial_, *speed_;
    QPushButton* run_;
    QToolButton *back_, *play_, *forward_;
    QSlider* slider_;
    QListWidget* ports_;
    TrialPlot* plot_;
    QSplitter* split_;
    QComboBox *target_, *operation_;
    QDoubleSpinBox* value_;
};

} // namespace raphe
