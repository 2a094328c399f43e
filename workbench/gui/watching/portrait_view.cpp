// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/portrait_view.h"

#include "figure_widget.h"
#include "gui/shell/theme.h"
#include "gui/watching/save_figure.h"
#include "gui/watching/trial_figure.h"

#include <QComboBox>
#include <QLabel>
#include <QPainter>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace raphe {

/// Lies over the figure, so that moving the dot costs no drawing of it.
class PortraitView::Dot final : public QWidget {
public:
    explicit Dot(PortraitView& view) : QWidget(view.figure_), view_(view) {
        setAttribute(Qt::WA_TransparentForMouseEvents);
    }

protected:
    void paintEvent(QPaintEvent*) override {
        if (!view_.seen_ || view_.unit_ == view_.origin_) return;
        QPainter painter{this};
        painter.setRenderHint(QPainter::Antialiasing);
        const auto mark = [&](const Portrait& portrait, const QColor& color) {
            if (view_.step_ >= portrait.steps || view_.trial_ >= portrait.trials) return;
            const auto at = portrait.at(view_.step_, view_.trial_);
            painter.setPen(QPen{Qt::white, 1.5});
            painter.setBrush(color);
            const QPointF unit = view_.unit_ - view_.origin_;
            painter.drawEllipse(view_.origin_ + QPointF{portrait.x[at] * unit.x(), portrait.y[at] * unit.y()}, 5, 5);
        };
        if (!view_.seen_->perturbed.x.empty()) mark(view_.seen_->perturbed, theme().modulation);
        mark(view_.seen_->intact, theme().bad);
    }

private:
    PortraitView& view_;
};

PortraitView::PortraitView(QWidget* parent)
    : QWidget(parent), computing_(
                           this,
                           [this](const std::string& port, std::shared_ptr<Seen> seen) {
                               if (port != port_) return;
                               seen_ = std::move(seen);
                               draw();
                               computeFlow();
                           },
                           [this](const QString& why) {
                               empty_->setText(why);
                               figure_->hide();
                               empty_->show();
                           }),
      flowing_(
          this,
          [this](const Moment& moment, PortraitFlow flow) {
              if (!flowButton_->isChecked() || moment.seen != seen_) return;
              note_->setText(flow.elsewhere > 0
                                 ? tr("%n fixed point(s) lie outside of what is shown", nullptr, flow.elsewhere)
                                 : QString{});
              note_->setVisible(flow.elsewhere > 0);
              flow_ = std::move(flow);
              draw();
          },
          [this](const QString& why) {
              flow_.reset();
              note_->setText(why);
              note_->setVisible(flowButton_->isChecked());
              draw();
          }),
      signal_(new QComboBox), flowButton_(new QToolButton), empty_(new QLabel), note_(new QLabel),
      figure_(new FigureWidget), dot_(new Dot{*this}) {
    signal_->setToolTip(tr("Signal whose first two principal components are shown"));
    signal_->setAccessibleName(tr("Signal of the phase portrait"));
    empty_->setAlignment(Qt::AlignCenter);
    empty_->setWordWrap(true);
    empty_->setEnabled(false);
    figure_->setMinimumSize(150, 120);
    flowButton_->setText(tr("Flow"));
    flowButton_->setCheckable(true);
    flowButton_->setToolTip(
        tr("Arrows: where a step leads from each state, while all that reaches the node stays as it is at "
           "the present moment. Marks: states that do not move (fixed points), by their stability"));
    note_->setWordWrap(true);
    note_->setEnabled(false);
    note_->hide();
    auto* save = new QToolButton;
    save->setText(tr("Save…"));
    save->setToolTip(tr("Save the phase portrait as a figure"));
    connect(save, &QToolButton::clicked, this, [this] {
        if (seen_) saveFigure(figure_->figure(), this, tr("portrait"));
    });
    auto* bar = new QHBoxLayout;
    bar->addWidget(signal_, 1);
    bar->addWidget(flowButton_);
    bar->addWidget(save);
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(2, 2, 2, 2);
    layout->setSpacing(2);
    layout->addLayout(bar);
    layout->addWidget(figure_, 1);
    layout->addWidget(empty_, 1);
    layout->addWidget(note_);
    figure_->hide();
    connect(signal_, &QComboBox::currentIndexChanged, this, [this] { compute(); });
    connect(flowButton_, &QToolButton::toggled, this, [this](bool on) {
        if (on) return computeFlow();
        forgetFlow();
        draw();
    });
    connect(figure_, &FigureWidget::drawn, dot_, [this] {
        if (figure_->panelCount() > 0) {
            origin_ = figure_->pixel(0, 0, 0);
            unit_ = figure_->pixel(0, 1, 1);
        }
        dot_->setGeometry(figure_->rect());
        dot_->raise();
        dot_->update();
    });
    const auto colours = [this] { figure_->setDark(theme().dark); };
    colours();
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, this, colours);
}

void PortraitView::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (stale_) compute();
}

void PortraitView::setTrials(std::shared_ptr<const TrialPair> pair, std::shared_ptr<TrialBench> bench) {
    pair_ = std::move(pair);
    bench_ = std::move(bench);
    flowButton_->setEnabled(pair_ && bench_);
    const QString chosen = signal_->currentText();
    QStringList names;
    std::pair<bool, std::size_t> most{false, 0}; // a model's signal before a task's, and many units before few
    int largest = 0;
    if (pair_)
        for (const auto& [port, tensor] : pair_->intact.signals) {
            const auto units = static_cast<std::size_t>(tensor.shape[2]);
            if (units < 2) continue;
            const bool model = std::any_of(pair_->intact.targets.begin(), pair_->intact.targets.end(),
                                           [port = port](const TrialTarget& target) { return target.name == port; });
            if (const std::pair here{model, units}; here > most) {
                most = here;
                largest = static_cast<int>(names.size());
            }
            names << QString::fromStdString(port);
        }
    {
        const QSignalBlocker quiet{signal_};
        signal_->clear();
        signal_->addItems(names);
        const int before = signal_->findText(chosen);
        signal_->setCurrentIndex(before >= 0 ? before : largest);
    }
    empty_->setText(pair_ ? tr("No signal here has two units.") : QString{});
    compute();
}

void PortraitView::compute() {
    stale_ = !isVisible();
    if (stale_) return;
    forgetFlow();
    const Tensor* signal = pair_ ? pair_->intact.signal(signal_->currentText().toStdString()) : nullptr;
    port_ = signal ? signal_->currentText().toStdString() : std::string{};
    figure_->setVisible(signal != nullptr);
    empty_->setVisible(signal == nullptr);
    if (!signal) {
        seen_.reset();
        computing_.drop();
        return;
    }
    computing_.ask(port_, [pair = pair_](const std::string& port) {
        auto seen = std::make_shared<Seen>();
        const Tensor& intact = *pair->intact.signal(port);
        seen->plane = principalComponents(intact, 2);
        seen->intact = portraitIn(seen->plane, intact);
        if (const Tensor* other = pair->perturbed ? pair->perturbed->signal(port) : nullptr)
            seen->perturbed = portraitIn(seen->plane, *other);
        return seen;
    });
}

void PortraitView::draw() {
    if (!seen_ || trial_ >= seen_->intact.trials) return;
    figure_->setFigure(portraitFigure(port_, seen_->plane, seen_->intact,
                                      seen_->perturbed.x.empty() ? nullptr : &seen_->perturbed, trial_, flow()));
}

void PortraitView::computeFlow() {
    if (!flowButton_->isChecked() || !seen_ || !bench_ || !isVisible() || step_ >= seen_->intact.steps ||
        trial_ >= seen_->intact.trials)
        return;
    flowing_.ask({pair_, seen_, {port_, step_, trial_}}, [bench = bench_](const Moment& moment) {
        return bench->flow(moment.pair->intact, moment.seen->plane, moment.request);
    });
}

void PortraitView::forgetFlow() {
    flowing_.drop();
    flow_.reset();
    note_->hide();
}

QString PortraitView::note() const { return note_->isHidden() ? QString{} : note_->text(); }

void PortraitView::showFlow(bool on) { flowButton_->setChecked(on); }

void PortraitView::setTrial(int trial) {
    if (trial == trial_) return;
    trial_ = trial;
    draw();
    computeFlow();
}

void PortraitView::setStep(int step) {
    if (std::exchange(step_, step) != step) computeFlow();
    dot_->update();
}

} // namespace raphe
