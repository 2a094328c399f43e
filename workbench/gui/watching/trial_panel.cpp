// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/trial_panel.h"

#include "figure_widget.h"
#include "gui/shell/background.h"
#include "gui/shell/icons.h"
#include "gui/shell/theme.h"
#include "gui/watching/save_figure.h"
#include "gui/watching/trial_plot.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QListWidget>
#include <QPushButton>
#include <QScrollArea>
#include <QSlider>
#include <QSpinBox>
#include <QSplitter>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

QSpinBox* numberBox(int low, int high, int value, const QString& tip) {
    auto* box = new QSpinBox;
    box->setRange(low, high);
    box->setValue(value);
    box->setToolTip(tip);
    box->setAccessibleName(tip);
    return box;
}

double metricOf(const NamedNumbers& metrics, const std::string& wanted) {
    for (const auto& [name, value] : metrics)
        if (name == wanted) return value;
    return std::nan("");
}

} // namespace

TrialPanel::TrialPanel(QWidget* parent)
    : QWidget(parent), title_(new QLabel), metrics_(new QLabel), position_(new QLabel), empty_(new QLabel),
      trials_(numberBox(1, 512, 8, tr("Trials to run"))),
      draw_(numberBox(0, 99999, 0, tr("Another number draws other trials"))),
      trial_(numberBox(1, 8, 1, tr("The trial that is shown"))), speed_(numberBox(1, 200, 20, tr("Steps per second"))),
      run_(new QPushButton{tr("Run trials")}), back_(new QToolButton), play_(new QToolButton),
      forward_(new QToolButton), slider_(new QSlider{Qt::Horizontal}), ports_(new QListWidget), plot_(new TrialPlot),
      split_(new QSplitter), target_(new QComboBox), operation_(new QComboBox), value_(new QDoubleSpinBox) {
    empty_->setAlignment(Qt::AlignCenter);
    empty_->setWordWrap(true);
    empty_->setEnabled(false);
    empty_->setText(
        tr("Choose a run, or open an experiment, and press Run trials: its trials are run without learning, "
           "beside a training that goes on."));
    target_->addItem(tr("nothing"));
    target_->setMinimumContentsLength(16);
    target_->setToolTip(tr("A signal that is changed in these trials, in every step"));
    for (const auto operation : {Operation::clamp, Operation::scale, Operation::perturb, Operation::lesion})
        operation_->addItem(nameOf(operation));
    operation_->setToolTip(tr("clamp: to the value; scale: by it; perturb: adds it; lesion: to 0"));
    value_->setRange(-1e6, 1e6);
    value_->setDecimals(3);
    value_->setSingleStep(0.1);
    const auto showValue = [this] {
        operation_->setEnabled(target_->currentIndex() > 0);
        value_->setEnabled(target_->currentIndex() > 0 && operation_->currentText() != nameOf(Operation::lesion));
    };
    showValue();
    connect(target_, &QComboBox::currentIndexChanged, this, showValue);
    connect(operation_, &QComboBox::currentIndexChanged, this, showValue);

    back_->setIcon(icon(Symbol::back));
    back_->setToolTip(tr("To the first step"));
    play_->setIcon(icon(Symbol::run));
    play_->setCheckable(true);
    play_->setToolTip(tr("Play"));
    forward_->setIcon(icon(Symbol::step));
    forward_->setToolTip(tr("One step"));
    slider_->setAccessibleName(tr("Step of the trial"));
    position_->setMinimumWidth(90);
    auto* save = new QToolButton;
    save->setText(tr("Save figure…"));

    auto* top = new QHBoxLayout;
    top->setContentsMargins(6, 4, 6, 2);
    top->addWidget(title_);
    top->addStretch();
    for (auto* widget :
         std::initializer_list<QWidget*>{new QLabel{tr("Trials")}, trials_, new QLabel{tr("Draw")}, draw_,
                                         new QLabel{tr("Change")}, target_, operation_, value_, run_})
        top->addWidget(widget);
    auto* bottom = new QHBoxLayout;
    bottom->setContentsMargins(6, 2, 6, 4);
    for (auto* widget : std::initializer_list<QWidget*>{back_, play_, forward_}) bottom->addWidget(widget);
    bottom->addWidget(slider_, 1);
    for (auto* widget : std::initializer_list<QWidget*>{position_, new QLabel{tr("Trial")}, trial_,
                                                        new QLabel{tr("Steps/s")}, speed_, save})
        bottom->addWidget(widget);

    auto* scroll = new QScrollArea;
    scroll->setWidget(plot_);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    ports_->setAccessibleName(tr("Signals that are shown"));
    split_->addWidget(scroll);
    split_->addWidget(ports_);
    split_->setStretchFactor(0, 1);
    split_->setSizes({800, 190});
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(top);
    metrics_->setContentsMargins(8, 0, 8, 2);
    metrics_->setWordWrap(true);
    metrics_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    layout->addWidget(metrics_);
    layout->addWidget(empty_, 1);
    layout->addWidget(split_, 1);
    layout->addLayout(bottom);
    split_->hide();
    metrics_->hide();

    connect(run_, &QPushButton::clicked, this, &TrialPanel::evaluate);
    connect(play_, &QToolButton::toggled, this, &TrialPanel::play);
    connect(back_, &QToolButton::clicked, this, [this] { setStep(0); });
    connect(forward_, &QToolButton::clicked, this, [this] { setStep(slider_->value() + 1); });
    connect(slider_, &QSlider::valueChanged, this, [this] { showMoment(); });
    connect(trial_, &QSpinBox::valueChanged, this, &TrialPanel::redraw);
    connect(ports_, &QListWidget::itemChanged, this, &TrialPanel::redraw);
    connect(plot_, &TrialPlot::stepWanted, this, &TrialPanel::setStep);
    connect(save, &QToolButton::clicked, this, [this] {
        if (recording_) saveFigure(plot_->figure(), this, tr("trial"));
    });
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, this, [this] {
        back_->setIcon(icon(Symbol::back));
        forward_->setIcon(icon(Symbol::step));
        play_->setIcon(icon(play_->isChecked() ? Symbol::pause : Symbol::run));
    });
    connect(&clock_, &QTimer::timeout, this, [this] {
        const int ahead = std::max(1, speed_->value() / 30);
        setStep(slider_->value() >= slider_->maximum() ? 0 : slider_->value() + ahead);
    });
    for (auto* widget : std::initializer_list<QWidget*>{run_, back_, play_, forward_, slider_})
        widget->setEnabled(false);
}

void TrialPanel::setSource(const QString& id, const QString& name, SessionSource source) {
    if (id != id_) {
        play_->setChecked(false);
        recording_.reset();
        intact_.clear();
        target_->setCurrentIndex(0);
        split_->hide();
        empty_->show();
        metrics_->hide();
        for (auto* widget : std::initializer_list<QWidget*>{back_, play_, forward_, slider_}) widget->setEnabled(false);
        Q_EMIT momentShown({});
    }
    id_ = id;
    source_ = std::move(source);
    title_->setText(QStringLiteral("<b>%1</b>").arg(name.toHtmlEscaped()));
    run_->setEnabled(static_cast<bool>(source_) && !busy_);
}

std::vector<Intervention> TrialPanel::chosenInterventions() const {
    if (target_->currentIndex() <= 0) return {};
    Intervention intervention;
    intervention.target = parseAddress(target_->currentText().toStdString(), "intervention");
    intervention.operation = static_cast<Operation>(operation_->currentIndex());
    intervention.value = value_->value();
    return {intervention};
}

void TrialPanel::evaluate() {
    if (!source_ || busy_) return;
    busy_ = true;
    run_->setEnabled(false);
    run_->setText(tr("Running…"));
    const TrialRequest request{trials_->value(), static_cast<std::uint32_t>(draw_->value()), chosenInterventions()};
    const auto finished = [this] {
        busy_ = false;
        run_->setEnabled(static_cast<bool>(source_));
        run_->setText(tr("Run trials"));
    };
    struct Both {
        TrialRecording shown;
        NamedNumbers intact;
    };
    inBackground<Both>(
        this,
        [source = source_, request] {
            Both both;
            source([&](Session& session) {
                both.shown = recordTrials(session, request);
                if (request.interventions.empty()) return;
                both.intact =
                    session
                        .evaluate(
                            {.trials = request.trials, .record = {}, .interventions = {}, .stream = request.stream})
                        .metrics;
            });
            return both;
        },
        [this, finished, request, id = id_](Both both) {
            finished();
            if (id != id_) return; // another source was chosen meanwhile
            intact_ = std::move(both.intact);
            take(std::move(both.shown), request.interventions);
        },
        [this, finished](const QString& why) {
            finished();
            metrics_->setText(why);
            metrics_->show();
        });
}

void TrialPanel::take(TrialRecording recording, std::vector<Intervention> interventions) {
    const bool first = !recording_;
    recording_ = std::make_shared<TrialRecording>(std::move(recording));
    {
        const QSignalBlocker quietPorts{ports_}, quietTrial{trial_}, quietSlider{slider_};
        if (first) {
            ports_->clear();
            const auto add = [&](const std::string& port, bool shown) {
                const auto units = recording_->signal(port)->shape[2];
                auto* item = new QListWidgetItem{QStringLiteral("%1 [%2]").arg(text(port)).arg(units)};
                item->setData(Qt::UserRole, text(port));
                item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable);
                item->setCheckState(shown ? Qt::Checked : Qt::Unchecked);
                ports_->addItem(item);
            };
            const auto telling = tellingPorts(*recording_); // these first
            for (const auto& port : telling) add(port, true);
            for (const auto& [port, tensor] : recording_->signals)
                if (std::find(telling.begin(), telling.end(), port) == telling.end()) add(port, false);
            slider_->setValue(0);
        }
        trial_->setMaximum(std::max(1, recording_->trials));
        slider_->setMaximum(std::max(0, recording_->steps - 1));
    }
    fillTargets();
    QStringList words;
    for (const auto& [name, value] : recording_->metrics) {
        QString word = QStringLiteral("%1 <b>%2</b>").arg(text(name)).arg(value, 0, 'g', 4);
        if (const double before = metricOf(intact_, name); std::isfinite(before))
            word += QStringLiteral(" <span>(intact %1)</span>").arg(before, 0, 'g', 4);
        words << word;
    }
    metrics_->setText(words.join(QStringLiteral(" &nbsp; ")));
    metrics_->setVisible(!words.isEmpty());
    empty_->hide();
    split_->show();
    for (auto* widget : std::initializer_list<QWidget*>{back_, play_, forward_, slider_}) widget->setEnabled(true);
    redraw();
}

void TrialPanel::fillTargets() {
    const QString chosen = target_->currentText();
    const QSignalBlocker quiet{target_};
    while (target_->count() > 1) target_->removeItem(1);
    for (const auto& port : recording_->changeable) target_->addItem(text(port));
    target_->setCurrentIndex(std::max(0, target_->findText(chosen)));
}

void TrialPanel::redraw() {
    if (!recording_) return;
    std::vector<std::string> shown;
    for (int row = 0; row < ports_->count(); ++row)
        if (ports_->item(row)->checkState() == Qt::Checked)
            shown.push_back(ports_->item(row)->data(Qt::UserRole).toString().toStdString());
    plot_->setFigure(trialFigure(*recording_, trial_->value() - 1, shown), recording_->steps);
    showMoment();
}

void TrialPanel::setStep(int step) { slider_->setValue(std::clamp(step, 0, slider_->maximum())); }

void TrialPanel::play(bool on) {
    if (play_->isChecked() != on) {
        play_->setChecked(on);
        return;
    }
    play_->setIcon(icon(on ? Symbol::pause : Symbol::run));
    if (on && recording_)
        clock_.start(1000 / std::min(30, speed_->value()));
    else
        clock_.stop();
}

void TrialPanel::showMoment() {
    if (!recording_) return;
    const int step = slider_->value(), trial = trial_->value() - 1;
    plot_->setStep(step);
    position_->setText(tr("step %1 of %2").arg(step + 1).arg(recording_->steps));
    CanvasScene::Moment moment;
    for (const auto& [port, tensor] : recording_->signals) {
        const int units = static_cast<int>(tensor.shape[2]);
        double largest = 1e-12, sum = 0;
        for (int s = 0; s < recording_->steps; ++s)
            for (int u = 0; u < units; ++u)
                largest = std::max(largest, std::abs(TrialRecording::value(tensor, s, trial, u)));
        auto& scaled = moment.units[port];
        for (int u = 0; u < units; ++u) {
            const double value = TrialRecording::value(tensor, step, trial, u);
            sum += value;
            scaled.push_back(static_cast<float>(value / largest));
        }
        moment.values[port] = (units > 1 ? tr("mean ") : QString{}) + QString::number(sum / std::max(1, units), 'f', 2);
    }
    Q_EMIT momentShown(moment);
}

} // namespace raphe
