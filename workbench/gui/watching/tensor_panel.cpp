// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/tensor_panel.h"

#include "figure_widget.h"
#include "gui/shell/theme.h"
#include "gui/watching/matrix_view.h"
#include "gui/watching/save_figure.h"
#include "gui/watching/trial_panel.h"
#include "gui/watching/trial_transport.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QSplitter>
#include <QToolButton>

#include <algorithm>

namespace raphe {
namespace {

constexpr int stateRole = Qt::UserRole + 1;

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

} // namespace

TensorPanel::TensorPanel(TrialPanel& trials, QWidget* parent)
    : QWidget(parent), trials_(trials),
      latest_(
          this, [this](const Question& question, Contents contents) { take(question, std::move(contents)); },
          [this](const QString& why) {
              empty_->setText(why);
              empty_->show();
              content_->hide();
          }),
      tensor_(new QComboBox), source_(new QLabel), summary_(new QLabel), hover_(new QLabel), empty_(new QLabel),
      follow_(new QToolButton), refresh_(new QToolButton), save_(new QToolButton), matrix_(new MatrixView),
      histogram_(new FigureWidget), content_(new QWidget) {
    tensor_->setToolTip(tr("A tensor of the weights, or a state of the trial that is shown"));
    tensor_->setAccessibleName(tr("Tensor"));
    tensor_->setMinimumContentsLength(26);
    follow_->setText(tr("Follow"));
    follow_->setCheckable(true);
    follow_->setToolTip(tr("Shows the weights again and again while the network trains"));
    refresh_->setText(tr("Read again"));
    refresh_->setToolTip(tr("The weights as they are now"));
    save_->setText(tr("Save figure…"));
    save_->setPopupMode(QToolButton::InstantPopup);
    auto* menu = new QMenu{save_};
    menu->addAction(tr("Matrix…"), this, &TensorPanel::save);
    menu->addAction(tr("Histogram…"), this,
                    [this] { saveFigure(histogram_->figure(), this, tensor_->currentText() + "-histogram"); });
    save_->setMenu(menu);
    empty_->setText(tr("Choose a run, or open an experiment, and play its trials: its weights and the states of the "
                       "trial are shown here."));
    empty_->setAlignment(Qt::AlignCenter);
    empty_->setWordWrap(true);
    empty_->setEnabled(false);
    histogram_->setMinimumSize(140, 90);

    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(6, 4, 6, 2);
    bar->setSpacing(8);
    for (auto* widget : std::initializer_list<QWidget*>{tensor_, source_}) bar->addWidget(widget);
    bar->addStretch();
    for (auto* widget : std::initializer_list<QWidget*>{follow_, refresh_, save_}) bar->addWidget(widget);
    auto* split = new QSplitter;
    split->addWidget(matrix_);
    split->addWidget(histogram_);
    split->setStretchFactor(0, 3);
    split->setStretchFactor(1, 2);
    split->setSizes({600, 400});
    auto* foot = new QHBoxLayout;
    foot->setContentsMargins(8, 0, 8, 4);
    foot->addWidget(summary_);
    foot->addStretch();
    foot->addWidget(hover_);
    auto* inside = new QVBoxLayout{content_};
    inside->setContentsMargins(0, 0, 0, 0);
    inside->setSpacing(0);
    inside->addLayout(bar);
    inside->addWidget(split, 1);
    inside->addLayout(foot);
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(empty_, 1);
    layout->addWidget(content_, 1);
    content_->hide();

    following_.setInterval(500);
    histogramSoon_.setSingleShot(true);
    histogramSoon_.setInterval(100);
    connect(&following_, &QTimer::timeout, this, [this] {
        if (std::exchange(moved_, false) && isVisible() && chosenState().empty() && !latest_.busy()) ask();
    });
    connect(&histogramSoon_, &QTimer::timeout, this,
            [this] { histogram_->setFigure(histogramFigure(matrix_->matrix().values, matrix_->reach())); });
    connect(follow_, &QToolButton::toggled, this, [this](bool on) {
        moved_ = on;
        on ? following_.start() : following_.stop();
    });
    connect(refresh_, &QToolButton::clicked, this, &TensorPanel::ask);
    connect(tensor_, &QComboBox::currentIndexChanged, this, [this] {
        wanted_ = tensor_->currentText();
        if (chosenState().empty())
            showTensor();
        else
            ask();
    });
    connect(matrix_, &MatrixView::hovered, hover_, &QLabel::setText);
    connect(&trials_, &TrialPanel::stepShown, this, [this](int step) {
        step_ = step;
        if (isVisible() && !chosenState().empty()) showTensor();
    });
    connect(&trials_, &TrialPanel::shown, this, [this] {
        stale_ = true;
        if (isVisible()) ask();
    });
    const auto colours = [this] {
        histogram_->setDark(theme().dark);
        matrix_->update();
    };
    colours();
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, this, colours);
}

TensorPanel::~TensorPanel() = default;

void TensorPanel::follow(bool on) { follow_->setChecked(on); }

void TensorPanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (stale_) ask();
}

std::string TensorPanel::chosenState() const {
    return tensor_->currentData(stateRole).toBool() ? tensor_->currentText().toStdString() : std::string{};
}

bool TensorPanel::choose(const QString& name) {
    wanted_ = name;
    const int index = tensor_->findText(name);
    if (index >= 0) tensor_->setCurrentIndex(index);
    return index >= 0;
}

void TensorPanel::ask() {
    if (!trials_.bench()) return;
    stale_ = false;
    Question question{trials_.bench(), bench_ != trials_.bench(), {}, trials_.request(), trials_.transport().trial()};
    if (!question.list) question.state = chosenState();
    latest_.ask(question, [](const Question& wanted) {
        Contents contents;
        if (wanted.list) contents.states = wanted.bench->states();
        if (wanted.state.empty())
            contents.weights = wanted.bench->weights();
        else
            contents.trace = wanted.bench->stateTrace(wanted.state, wanted.request, wanted.trial);
        return contents;
    });
}

void TensorPanel::take(const Question& question, Contents contents) {
    if (question.bench != trials_.bench()) {
        ask();
        return;
    }
    bench_ = question.bench;
    if (!contents.weights.empty()) contents_.weights = std::move(contents.weights);
    if (!contents.trace.frames.empty()) contents_.trace = std::move(contents.trace);
    if (question.list) {
        contents_.states = std::move(contents.states);
        fill();
    }
    const bool any = tensor_->count() > 0;
    if (!any) empty_->setText(tr("This network has neither weights nor states."));
    empty_->setVisible(!any);
    content_->setVisible(any);
    source_->setText(trials_.sourceName());
    showTensor();
}

void TensorPanel::fill() {
    const QString before = wanted_;
    {
        const QSignalBlocker quiet{tensor_};
        tensor_->clear();
        for (const auto& weight : contents_.weights) tensor_->addItem(text(weight.name));
        if (!contents_.weights.empty()) tensor_->insertSeparator(tensor_->count());
        for (const auto& state : contents_.states) {
            tensor_->addItem(text(state));
            tensor_->setItemData(tensor_->count() - 1, true, stateRole);
            tensor_->setItemData(tensor_->count() - 1, tr("a state, which changes during the trial"), Qt::ToolTipRole);
        }
        int largest = 0;
        for (std::size_t w = 0; w < contents_.weights.size(); ++w)
            if (contents_.weights[w].tensor.size() > contents_.weights[static_cast<std::size_t>(largest)].tensor.size())
                largest = static_cast<int>(w);
        const int found = before.isEmpty() ? -1 : tensor_->findText(before);
        tensor_->setCurrentIndex(found >= 0 ? found : largest);
    }
    if (!chosenState().empty()) ask();
}

void TensorPanel::showTensor() {
    const std::string state = chosenState();
    ShownMatrix matrix;
    float reach = 0;
    refresh_->setEnabled(state.empty());
    follow_->setEnabled(state.empty());
    QString where;
    if (state.empty()) {
        const auto name = tensor_->currentText().toStdString();
        for (const auto& weight : contents_.weights)
            if (weight.name == name) matrix = shownMatrix(weight.tensor);
        reach = reachOf(matrix.values);
        where = tr("%1 × %2").arg(matrix.rows).arg(matrix.columns);
    } else {
        const StateTrace& trace = contents_.trace;
        if (trace.name != state || trace.frames.empty()) { // it is on its way
            matrix_->setMatrix({}, 0);
            summary_->clear();
            return;
        }
        const int step = step_ * std::max(1, trials_.pair() ? trials_.pair()->intact.everySteps : 1);
        const auto frame = std::min(static_cast<std::size_t>(step / trace.everySteps), trace.frames.size() - 1);
        matrix = {trace.rows, trace.columns, trace.frames[frame]};
        if (matrix.columns == 1) std::swap(matrix.rows, matrix.columns);
        reach = trace.reach; // one scale for the whole trial
        where = tr("%1 × %2, after step %3").arg(matrix.rows).arg(matrix.columns).arg(frame * trace.everySteps);
    }
    const auto summary = summaryOf(matrix.values);
    summary_->setText(tr("%1   mean %2   deviation %3   least %4   most %5")
                          .arg(where)
                          .arg(summary.mean, 0, 'g', 3)
                          .arg(summary.deviation, 0, 'g', 3)
                          .arg(summary.least, 0, 'g', 3)
                          .arg(summary.most, 0, 'g', 3));
    matrix_->setMatrix(std::move(matrix), reach);
    if (!histogramSoon_.isActive()) histogramSoon_.start();
}

void TensorPanel::save() {
    saveFigure(matrixFigure(tensor_->currentText().toStdString(), matrix_->matrix(), matrix_->reach()), this,
               tensor_->currentText());
}

} // namespace raphe
