// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/trial_transport.h"

#include "gui/shell/icons.h"
#include "gui/shell/theme.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QSlider>
#include <QSpinBox>
#include <QToolButton>

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

constexpr int framesPerSecond = 30;

} // namespace

TrialTransport::TrialTransport(QWidget* parent)
    : QWidget(parent), first_(new QToolButton), back_(new QToolButton), play_(new QToolButton),
      forward_(new QToolButton), slider_(new QSlider{Qt::Horizontal}), position_(new QLabel), trial_(new QSpinBox),
      speed_(new QSpinBox) {
    const auto button = [this](QToolButton* item, const QString& tip, const std::function<void()>& act) {
        item->setToolTip(tip);
        item->setAccessibleName(tip);
        item->setAutoRaise(true);
        item->setFocusPolicy(Qt::TabFocus);
        connect(item, &QToolButton::clicked, this, act);
    };
    button(first_, tr("To the first step (Home)"), [this] { setStep(0); });
    button(back_, tr("One step back (←)"), [this] { setStep(step() - 1); });
    button(play_, tr("Play (Space)"), [this] { play(!playing()); });
    button(forward_, tr("One step forward (→)"), [this] { setStep(step() + 1); });
    slider_->setAccessibleName(tr("Step of the trial"));
    slider_->setPageStep(10);
    position_->setMinimumWidth(110);
    trial_->setMinimum(1);
    trial_->setToolTip(tr("The trial that is shown (Page Up, Page Down)"));
    trial_->setAccessibleName(tr("Trial"));
    speed_->setRange(1, 500);
    speed_->setValue(20);
    speed_->setSuffix(tr(" steps/s"));
    speed_->setToolTip(tr("How fast it is played"));
    speed_->setAccessibleName(tr("Speed"));

    auto* row = new QHBoxLayout{this};
    row->setContentsMargins(6, 2, 6, 4);
    row->setSpacing(4);
    for (auto* item : {first_, back_, play_, forward_}) row->addWidget(item);
    row->addWidget(slider_, 1);
    for (auto* item : std::initializer_list<QWidget*>{position_, new QLabel{tr("Trial")}, trial_, speed_})
        row->addWidget(item);

    clock_.setTimerType(Qt::PreciseTimer);
    clock_.setInterval(1000 / framesPerSecond);
    connect(&clock_, &QTimer::timeout, this, &TrialTransport::tick);
    connect(slider_, &QSlider::valueChanged, this, [this](int now) {
        showStep();
        Q_EMIT stepChanged(now);
    });
    connect(trial_, &QSpinBox::valueChanged, this, [this](int now) { Q_EMIT trialChanged(now - 1); });
    const auto symbols = [this] {
        first_->setIcon(icon(Symbol::back));
        back_->setIcon(icon(Symbol::backStep));
        play_->setIcon(icon(playing() ? Symbol::pause : Symbol::run));
        forward_->setIcon(icon(Symbol::step));
    };
    symbols();
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, this, symbols);
    setLength(0, 0);
}

void TrialTransport::setLength(int steps, int trials, int everySteps) {
    everySteps_ = everySteps;
    setEnabled(steps > 0);
    if (steps == 0) play(false);
    const QSignalBlocker quietSlider{slider_}, quietTrial{trial_};
    slider_->setMaximum(std::max(0, steps - 1));
    trial_->setMaximum(std::max(1, trials));
    trial_->setSuffix(trials > 0 ? tr(" of %1").arg(trials) : QString{});
    showStep();
}

int TrialTransport::step() const { return slider_->value(); }
int TrialTransport::trial() const { return trial_->value() - 1; }
void TrialTransport::setStep(int step) { slider_->setValue(std::clamp(step, 0, slider_->maximum())); }

void TrialTransport::showStep() {
    position_->setText(
        isEnabled() ? tr("step %1 of %2").arg(slider_->value() * everySteps_).arg(slider_->maximum() * everySteps_)
                    : QString{});
}

void TrialTransport::play(bool on) {
    if (on && isEnabled() && !playing()) {
        if (step() >= slider_->maximum()) setStep(0);
        ahead_ = 0;
        clock_.start();
    } else if (!on) {
        clock_.stop();
    }
    play_->setIcon(icon(playing() ? Symbol::pause : Symbol::run));
    play_->setToolTip(playing() ? tr("Pause (Space)") : tr("Play (Space)"));
}

void TrialTransport::tick() {
    ahead_ += static_cast<double>(speed_->value()) / framesPerSecond / everySteps_;
    const int whole = static_cast<int>(std::floor(ahead_));
    if (whole == 0) return;
    ahead_ -= whole;
    setStep(step() >= slider_->maximum() ? 0 : step() + whole); // round and round
}

bool TrialTransport::takeKey(const QKeyEvent& event) {
    if (!isEnabled()) return false;
    const int pace = event.modifiers().testFlag(Qt::ShiftModifier) ? 10 : 1;
    switch (event.key()) {
    case Qt::Key_Space:
        play(!playing());
        return true;
    case Qt::Key_Left:
        setStep(step() - pace);
        return true;
    case Qt::Key_Right:
        setStep(step() + pace);
        return true;
    case Qt::Key_Home:
        setStep(0);
        return true;
    case Qt::Key_End:
        setStep(slider_->maximum());
        return true;
    case Qt::Key_PageUp:
        trial_->setValue(trial_->value() - 1);
        return true;
    case Qt::Key_PageDown:
        trial_->setValue(trial_->value() + 1);
        return true;
    default:
        return false;
    }
}

} // namespace raphe
