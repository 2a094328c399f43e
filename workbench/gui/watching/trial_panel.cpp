// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/trial_panel.h"

#include "engine/runs/run.h"
#include "figure_widget.h"
#include "gui/shell/theme.h"
#include "gui/watching/perturbation_list.h"
#include "gui/watching/portrait_view.h"
#include "gui/watching/save_figure.h"
#include "gui/watching/signal_list.h"
#include "gui/watching/trial_plot.h"
#include "gui/watching/trial_transport.h"

#include <QComboBox>
#include <QKeyEvent>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QSpinBox>
#include <QSplitter>
#include <QTabWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

constexpr int soonMilliseconds = 40;       ///< from the last move of a slider to the question
constexpr int followingMilliseconds = 500; ///< between two looks at a training

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

QSpinBox* numberBox(int low, int high, int value, const QString& tip) {
    auto* box = new QSpinBox;
    box->setRange(low, high);
    box->setValue(value);
    box->setToolTip(tip);
    box->setAccessibleName(tip);
    return box;
}

} // namespace

TrialPanel::TrialPanel(const Registry& registry, QWidget* parent)
    : QWidget(parent), registry_(registry),
      latest_(
          this, [this](const Question& question, TrialPair pair) { take(question, std::move(pair)); },
          [this](const QString& why) {
              metrics_->setText(
                  QStringLiteral("<span style='color:%1'>%2</span>").arg(theme().bad.name(), why.toHtmlEscaped()));
              metrics_->show();
              run_->setEnabled(static_cast<bool>(source_.session));
          }),
      title_(new QLabel), metrics_(new QLabel), empty_(new QLabel), from_(new QComboBox), compare_(new QComboBox),
      trials_(numberBox(1, 512, 8, tr("Trials to run"))),
      draw_(numberBox(0, 99999, 0, tr("Another number draws other trials"))), run_(new QPushButton{tr("Run trials")}),
      follow_(new QToolButton), plot_(new TrialPlot), portrait_(new PortraitView), signals_(new SignalList),
      perturbations_(new PerturbationList), transport_(new TrialTransport), split_(new QSplitter),
      side_(new QTabWidget) {
    build();
    soon_.setSingleShot(true);
    soon_.setInterval(soonMilliseconds);
    following_.setInterval(followingMilliseconds);
    connect(&soon_, &QTimer::timeout, this, [this] { ask(false); });
    connect(&following_, &QTimer::timeout, this, [this] {
        if (std::exchange(moved_, false) && isVisible() && from_->currentIndex() <= 0 && !latest_.busy()) ask(true);
    });
    connect(follow_, &QToolButton::toggled, this, [this](bool on) {
        moved_ = on;
        on ? following_.start() : following_.stop();
    });
    connect(run_, &QPushButton::clicked, this, &TrialPanel::evaluate);
    for (auto* box : {trials_, draw_})
        connect(box, &QSpinBox::valueChanged, this, [this] {
            if (pair_) soon_.start();
        });
    connect(perturbations_, &PerturbationList::changed, this, [this] {
        if (pair_ && from_->currentIndex() <= 0) soon_.start();
    });
    connect(perturbations_, &PerturbationList::keepWanted, this, &TrialPanel::keepWanted);
    connect(from_, &QComboBox::activated, this, [this] { ask(true); });
    connect(compare_, &QComboBox::currentIndexChanged, this, &TrialPanel::redraw);
    connect(signals_, &SignalList::changed, this, &TrialPanel::redraw);
    connect(transport_, &TrialTransport::stepChanged, this, &TrialPanel::showMoment);
    connect(transport_, &TrialTransport::trialChanged, this, [this](int trial) {
        portrait_->setTrial(trial);
        redraw();
        Q_EMIT shown();
    });
    connect(plot_, &TrialPlot::stepWanted, transport_, &TrialTransport::setStep);
    const auto colours = [this] { plot_->figure().setDark(theme().dark); };
    colours();
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, this, colours);
    run_->setEnabled(false);
}

TrialPanel::~TrialPanel() = default;

void TrialPanel::build() {
    empty_->setAlignment(Qt::AlignCenter);
    empty_->setWordWrap(true);
    empty_->setEnabled(false);
    empty_->setText(
        tr("Choose a run, or open an experiment, and press Run trials: its trials are run without learning, "
           "beside a training that goes on."));
    from_->setToolTip(tr("Where the trials come from: run now with the present weights, or recorded by the run"));
    from_->setAccessibleName(tr("Where the trials come from"));
    from_->addItem(tr("run now"));
    from_->setMinimumContentsLength(18);
    compare_->addItems({tr("both"), tr("both, difference"), tr("difference")});
    compare_->setCurrentIndex(static_cast<int>(PairLook::bothAndDifference));
    compare_->setToolTip(tr("What is drawn of intact and perturbed trials"));
    compare_->setAccessibleName(tr("Comparison"));
    compare_->hide();
    follow_->setText(tr("Follow"));
    follow_->setCheckable(true);
    follow_->setToolTip(tr("Runs the trials again and again while the network trains"));
    auto* save = new QToolButton;
    save->setText(tr("Save figure…"));
    connect(save, &QToolButton::clicked, this, [this] {
        if (pair_) saveFigure([this](std::size_t count) { return figure(count); }, columns(), this, tr("trial"));
    });

    auto* top = new QHBoxLayout;
    top->setContentsMargins(6, 4, 6, 2);
    top->setSpacing(6);
    title_->setMinimumWidth(80);
    top->addWidget(title_, 1);
    for (auto* widget : std::initializer_list<QWidget*>{compare_, from_, new QLabel{tr("Trials")}, trials_,
                                                        new QLabel{tr("Draw")}, draw_, run_, follow_, save})
        top->addWidget(widget);

    auto* scroll = new QScrollArea;
    scroll->setWidget(plot_);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    plot_->installEventFilter(this);
    side_->addTab(signals_, tr("Signals"));
    side_->addTab(perturbations_, tr("Perturb"));
    side_->setDocumentMode(true);
    split_->addWidget(scroll);
    split_->addWidget(portrait_);
    split_->addWidget(side_);
    split_->setStretchFactor(0, 1);
    split_->setSizes({760, 230, 290});
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
    layout->addWidget(transport_);
    split_->hide();
    metrics_->hide();
}

void TrialPanel::setSource(TrialSource source) {
    if (source.id != source_.id) {
        stopShowing();
        perturbations_->clear();
        signals_->forget();
        bench_ = std::make_shared<TrialBench>(source.session, registry_);
        from_->setCurrentIndex(0);
    }
    source_ = std::move(source);
    if (!source_.interventions.empty()) perturbations_->setDocument(source_.interventions);
    if (!pair_) title_->setText(QStringLiteral("<b>%1</b>").arg(source_.name.toHtmlEscaped()));
    run_->setEnabled(static_cast<bool>(source_.session));
    readRecorded();
}

void TrialPanel::stopShowing() {
    transport_->setLength(0, 0);
    latest_.drop();
    pair_.reset();
    portrait_->setTrials(nullptr, nullptr);
    split_->hide();
    empty_->show();
    metrics_->hide();
    compare_->hide();
    Q_EMIT momentShown({});
    Q_EMIT shown();
}

/// Which iterations the run has recorded, as far as it is.
void TrialPanel::readRecorded() {
    if (source_.folder.empty()) {
        while (from_->count() > 1) from_->removeItem(1);
        return;
    }
    // One reading at a time: trials that are evaluated quickly must not pile them up.
    const std::string reading = from_->property("reading").toString().toStdString();
    if (reading == source_.folder.string()) return;
    from_->setProperty("reading", QString::fromStdString(source_.folder.string()));
    inBackground<std::vector<std::int64_t>>(
        this,
        [folder = source_.folder]() -> std::vector<std::int64_t> {
            if (!std::filesystem::exists(folder / "run.sqlite")) return {};
            return RunReader::open(folder).signalIterations();
        },
        [this, id = source_.id](const std::vector<std::int64_t>& iterations) {
            from_->setProperty("reading", QVariant());
            if (id != source_.id) return;
            const QVariant chosen = from_->currentData();
            while (from_->count() > 1) from_->removeItem(1);
            for (const auto iteration : iterations)
                from_->addItem(tr("recorded, iteration %1").arg(iteration), static_cast<qlonglong>(iteration));
            from_->setCurrentIndex(chosen.isValid() ? std::max(0, from_->findData(chosen)) : 0);
        },
        [this](const QString&) { from_->setProperty("reading", QVariant()); }); // a run that is only just beginning: there is nothing yet
}

TrialRequest TrialPanel::request() const {
    return {trials_->value(), static_cast<std::uint32_t>(draw_->value()), perturbations_->interventions()};
}

void TrialPanel::setDocumentInterventions(const std::vector<Intervention>& interventions) {
    perturbations_->setDocument(interventions);
}

void TrialPanel::evaluate() {
    from_->setCurrentIndex(0);
    ask(true);
    readRecorded();
}

void TrialPanel::trainingWentOn() { moved_ = true; }

void TrialPanel::ask(bool fresh) {
    if (!source_.session) return;
    fresh_ = fresh_ || fresh; // until it has been done: a later question may take the place of the one that wanted it
    Question question{request(), fresh_, -1, source_.id};
    if (from_->currentIndex() > 0) question.recorded = from_->currentData().toLongLong();
    latest_.ask(question, [bench = bench_, folder = source_.folder, &registry = registry_](const Question& wanted) {
        if (wanted.recorded < 0) return bench->run(wanted.request, wanted.fresh);
        TrialPair pair;
        pair.iteration = static_cast<int>(wanted.recorded);
        pair.intact =
            storedTrials(RunReader::open(folder), experimentOfRun(folder, registry), registry, wanted.recorded);
        return pair;
    });
}

void TrialPanel::take(const Question& question, TrialPair pair) {
    if (question.source != source_.id) return;
    if (question.fresh) fresh_ = false;
    pair_ = std::make_shared<const TrialPair>(std::move(pair));
    const TrialRecording& intact = pair_->intact;
    signals_->setRecording(intact);
    transport_->setLength(intact.steps, intact.trials, intact.everySteps);
    if (question.recorded < 0) {
        std::vector<double> largest;
        for (const auto& target : intact.targets) {
            const Tensor* signal = intact.signal(target.name);
            largest.push_back(signal ? TrialRecording::largest(*signal, transport_->trial()) : 1);
        }
        perturbations_->setTargets(intact.targets, std::move(largest), intact.steps);
    }
    perturbations_->setEnabled(question.recorded < 0);
    compare_->setVisible(pair_->perturbed.has_value());
    showMetrics();
    empty_->hide();
    split_->show();
    portrait_->setTrial(transport_->trial());
    portrait_->setTrials(pair_, question.recorded < 0 ? bench_ : nullptr);
    redraw();
    Q_EMIT shown();
}

void TrialPanel::showMetrics() {
    title_->setText(QStringLiteral("<b>%1</b> &nbsp;%2")
                        .arg(source_.name.toHtmlEscaped(), (from_->currentIndex() > 0 ? tr("recorded in iteration %1")
                                                                                      : tr("weights of iteration %1"))
                                                               .arg(pair_->iteration)));
    QStringList words;
    const auto number = [](double value) { return QString::number(value, 'g', 4); };
    for (const auto& [name, value] : pair_->intact.metrics) {
        QString word = QStringLiteral("%1 <b>%2</b>").arg(text(name), number(value));
        if (pair_->perturbed)
            for (const auto& [other, perturbed] : pair_->perturbed->metrics)
                if (other == name)
                    word += QStringLiteral(" → <b>%1</b> (%2%3)")
                                .arg(number(perturbed), perturbed >= value ? QStringLiteral("+") : QStringLiteral("−"),
                                     number(std::abs(perturbed - value)));
        words << word;
    }
    metrics_->setText(words.join(QStringLiteral(" &nbsp;·&nbsp; ")));
    metrics_->setToolTip(pair_->perturbed ? tr("intact → perturbed (difference), over all trials that were run")
                                          : tr("over all trials that were run"));
    metrics_->setVisible(!words.isEmpty());
}

std::size_t TrialPanel::columns() const { return split_->widget(0)->width() > 640 ? 2 : 1; }

FigureDescription TrialPanel::figure(std::size_t columns) const {
    return trialFigure(
        pair_->intact, pair_->perturbed ? &*pair_->perturbed : nullptr,
        {transport_->trial(), signals_->shown(), static_cast<PairLook>(compare_->currentIndex()), columns});
}

void TrialPanel::redraw() {
    stale_ = !isVisible();
    if (!pair_ || stale_) return;
    plot_->setFigure(figure(columns()), pair_->intact.steps);
    largest_.clear();
    for (const auto& [port, tensor] : pair_->intact.signals)
        largest_.push_back(std::max(1e-12, TrialRecording::largest(tensor, transport_->trial())));
    showMoment();
}

void TrialPanel::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    if (pair_ && plot_->figure().figure().columns != columns()) redraw();
}

void TrialPanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (stale_) redraw();
}

void TrialPanel::play(bool on) { transport_->play(on); }
void TrialPanel::follow(bool on) { follow_->setChecked(on); }

void TrialPanel::keyPressEvent(QKeyEvent* event) {
    if (!transport_->takeKey(*event)) QWidget::keyPressEvent(event);
}

bool TrialPanel::eventFilter(QObject* watched, QEvent* event) {
    // Before the scroll area, which would take arrows for itself.
    if (event->type() == QEvent::KeyPress && transport_->takeKey(*static_cast<QKeyEvent*>(event))) return true;
    return QWidget::eventFilter(watched, event);
}

void TrialPanel::showMoment() {
    if (!pair_) return;
    const TrialRecording& shown = pair_->perturbed ? *pair_->perturbed : pair_->intact;
    const int step = transport_->step(), trial = transport_->trial();
    plot_->setStep(step);
    portrait_->setStep(step);
    Q_EMIT stepShown(step);
    if (largest_.size() != pair_->intact.signals.size() || step >= shown.steps || trial >= shown.trials) return;
    CanvasScene::Moment moment;
    for (std::size_t s = 0; s < shown.signals.size(); ++s) {
        const auto& [port, tensor] = shown.signals[s];
        const int units = static_cast<int>(tensor.shape[2]);
        double sum = 0;
        auto& scaled = moment.units[port];
        for (int u = 0; u < units; ++u) {
            const double value = TrialRecording::value(tensor, step, trial, u);
            sum += value;
            scaled.push_back(static_cast<float>(value / largest_[s]));
        }
        moment.values[port] = (units > 1 ? tr("mean ") : QString{}) + QString::number(sum / std::max(1, units), 'f', 2);
    }
    Q_EMIT momentShown(moment);
}

} // namespace raphe
