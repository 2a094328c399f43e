// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/curves_panel.h"

#include "engine/runs/run_reader.h"
#include "figure_widget.h"
#include "gui/shell/background.h"
#include "gui/shell/theme.h"
#include "gui/watching/save_figure.h"

#include <QCheckBox>
#include <QElapsedTimer>
#include <QHBoxLayout>
#include <QLabel>
#include <QListWidget>
#include <QMenu>
#include <QMessageBox>
#include <QPainter>
#include <QSpinBox>
#include <QSplitter>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace raphe {
namespace {

constexpr int fastestReplot = 250; ///< ms

/// A piece of a curve, for the list.
QIcon pieceOfCurve(const CurveMark& mark, const QSize& size, double pixelRatio) {
    QPixmap pixmap{size * pixelRatio};
    pixmap.setDevicePixelRatio(pixelRatio);
    pixmap.fill(Qt::transparent);
    QPainter painter{&pixmap};
    QPen pen{QColor{mark.color[0], mark.color[1], mark.color[2]}, 3, Qt::SolidLine, Qt::FlatCap};
    if (mark.stroke == FigureStroke::dash) pen.setDashPattern({2, 1});
    if (mark.stroke == FigureStroke::dot) pen.setDashPattern({0.8, 0.8});
    painter.setPen(pen);
    const double middle = size.height() / 2.0;
    painter.drawLine(QPointF{1, middle}, QPointF{size.width() - 1.0, middle});
    return pixmap;
}

} // namespace

/// A run that is under way or was here, or one that was read from its folder.
struct CurvesPanel::Source {
    std::string name;
    std::filesystem::path folder;
    std::shared_ptr<RunJob> job;
    MetricHistory stored;
    const MetricHistory& history() const { return job ? job->history() : stored; }
};

CurvesPanel::CurvesPanel(RunQueue& queue, QWidget* parent)
    : QWidget(parent), queue_(queue), figure_(new FigureWidget), empty_(new QLabel), list_(new QListWidget),
      metric_(new QToolButton), metrics_(new QMenu{this}), smoothing_(new QSpinBox),
      logarithmic_(new QCheckBox{tr("Log axis")}), hold_(new QToolButton) {
    metric_->setText(tr("Metrics"));
    metric_->setToolTip(tr("What is drawn, each in a plot of its own"));
    metric_->setPopupMode(QToolButton::InstantPopup);
    metric_->setMenu(metrics_);
    smoothing_->setRange(0, 100000);
    smoothing_->setSpecialValueText(tr("1 % of the run"));
    smoothing_->setToolTip(tr("Moving average over so many iterations"));
    hold_->setText(tr("Hold"));
    hold_->setCheckable(true);
    hold_->setToolTip(tr("Stops redrawing; the training goes on"));
    auto* save = new QToolButton;
    save->setText(tr("Save figure…"));
    connect(save, &QToolButton::clicked, this, &CurvesPanel::save);

    empty_->setText(tr("Curves of runs appear here, live. Stored runs are added from the panel Runs."));
    empty_->setAlignment(Qt::AlignCenter);
    empty_->setEnabled(false);
    figure_->setMinimumSize(160, 100);
    list_->setAccessibleName(tr("Runs whose curves are shown"));
    list_->setIconSize({22, 12});

    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(6, 4, 6, 4);
    bar->setSpacing(8);
    bar->addWidget(metric_);
    bar->addWidget(new QLabel{tr("Mean over")});
    bar->addWidget(smoothing_);
    bar->addWidget(logarithmic_);
    bar->addStretch();
    bar->addWidget(hold_);
    bar->addWidget(save);
    auto* split = new QSplitter;
    split->addWidget(figure_);
    split->addWidget(empty_);
    split->addWidget(list_);
    split->setStretchFactor(0, 1);
    split->setStretchFactor(1, 1);
    split->setSizes({700, 700, 220});
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(bar);
    layout->addWidget(split, 1);
    figure_->hide();
    list_->hide();

    replotTimer_.setSingleShot(true);
    replotTimer_.setInterval(fastestReplot);
    connect(&replotTimer_, &QTimer::timeout, this, &CurvesPanel::replot);
    connect(&queue, &RunQueue::measured, this, &CurvesPanel::requestReplot);
    connect(&queue, &QAbstractItemModel::rowsInserted, this, [this](const QModelIndex&, int first, int last) {
        for (int row = first; row <= last; ++row) {
            const auto job = queue_.shared(row);
            add(std::make_shared<Source>(Source{
                job->experiment().name + ", seed " + std::to_string(job->experiment().seed), job->folder(), job, {}}));
        }
    });
    connect(list_, &QListWidget::itemChanged, this, &CurvesPanel::requestReplot);
    connect(metrics_, &QMenu::triggered, this, &CurvesPanel::requestReplot);
    connect(smoothing_, &QSpinBox::valueChanged, this, &CurvesPanel::requestReplot);
    connect(logarithmic_, &QCheckBox::toggled, this, &CurvesPanel::requestReplot);
    connect(hold_, &QToolButton::toggled, this, &CurvesPanel::requestReplot);
    const auto colours = [this] {
        figure_->setDark(theme().dark);
        for (int row = 0; row < list_->count(); ++row) showMark(row);
        requestReplot();
    };
    colours();
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, this, colours);
}

CurvesPanel::~CurvesPanel() = default;

void CurvesPanel::add(std::shared_ptr<Source> source) {
    for (std::size_t row = 0; row < sources_.size(); ++row) {
        if (sources_[row]->folder != source->folder) continue;
        sources_[row] = std::move(source); // a resumed run takes the place of what was shown of it
        requestReplot();
        return;
    }
    // The same run once more: two curves of one name would be one.
    const auto name = source->name;
    for (int number = 2;
         std::any_of(sources_.begin(), sources_.end(), [&](const auto& other) { return other->name == source->name; });
         ++number)
        source->name = name + " (" + std::to_string(number) + ")";
    auto* item = new QListWidgetItem{QString::fromStdString(source->name)};
    item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable);
    item->setCheckState(Qt::Checked);
    item->setToolTip(QString::fromStdString(source->folder.string()));
    sources_.push_back(std::move(source));
    list_->addItem(item);
    showMark(list_->count() - 1);
    requestReplot();
}

void CurvesPanel::showMark(int row) {
    list_->item(row)->setIcon(pieceOfCurve(curveMark(static_cast<std::size_t>(row), theme().dark), list_->iconSize(),
                                           list_->devicePixelRatioF()));
}

void CurvesPanel::addStored(const std::filesystem::path& folder, const QString& name) {
    for (const auto& source : sources_)
        if (source->folder == folder) return;
    inBackground<MetricHistory>(
        this,
        [folder] {
            MetricHistory history;
            RunReader::open(folder).forEachMetrics(
                [&](const Metrics& item) { history.append(item.iteration, item.values); });
            return history;
        },
        [this, folder, name](MetricHistory history) {
            add(std::make_shared<Source>(Source{name.toStdString(), folder, nullptr, std::move(history)}));
        },
        [this](const QString& why) { QMessageBox::warning(this, tr("Learning curves"), why); });
}

std::vector<Curve> CurvesPanel::shown() const {
    std::vector<Curve> curves;
    for (std::size_t row = 0; row < sources_.size(); ++row)
        if (list_->item(static_cast<int>(row))->checkState() == Qt::Checked)
            curves.push_back({sources_[row]->name, &sources_[row]->history(), row});
    return curves;
}

void CurvesPanel::requestReplot() {
    if (!replotTimer_.isActive()) replotTimer_.start();
}

void CurvesPanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    requestReplot();
}

void CurvesPanel::replot() {
    if (hold_->isChecked() || !isVisible()) return;
    QElapsedTimer clock;
    clock.start();
    const auto curves = shown();
    offer(metricsOf(curves));
    const bool any = !metrics_->isEmpty();
    figure_->setVisible(any);
    empty_->setVisible(!any);
    list_->setVisible(!sources_.empty());
    if (!any) return;
    figure_->setFigure(drawing(figure_->width() > 700 ? 2 : 1, theme().dark));
    // Many long curves take their time: then they are drawn less often, so that the window stays at hand.
    replotTimer_.setInterval(std::max(fastestReplot, static_cast<int>(20 * clock.elapsed())));
}

void CurvesPanel::offer(const std::vector<std::string>& metrics) {
    std::vector<std::string> present;
    for (const auto* action : metrics_->actions()) present.push_back(action->data().toString().toStdString());
    if (present == metrics) return;
    auto chosen = chosenMetrics();
    metrics_->clear();
    for (const auto& metric : metrics) {
        auto* action = metrics_->addAction(QString::fromStdString(metricTitle(metric)));
        action->setData(QString::fromStdString(metric));
        action->setCheckable(true);
        action->setChecked(std::find(chosen.begin(), chosen.end(), metric) != chosen.end());
    }
    if (chosenMetrics().empty() && !metrics_->isEmpty()) metrics_->actions().front()->setChecked(true);
}

std::vector<std::string> CurvesPanel::chosenMetrics() const {
    std::vector<std::string> chosen;
    for (const auto* action : metrics_->actions())
        if (action->isChecked()) chosen.push_back(action->data().toString().toStdString());
    return chosen;
}

FigureDescription CurvesPanel::drawing(std::size_t columns, bool dark) const {
    auto figure =
        curvesFigure(shown(), {chosenMetrics(), smoothing_->value(), logarithmic_->isChecked(), dark}, columns);
    if (figure.panels.empty()) figure.panels.emplace_back(); // nothing is chosen
    return figure;
}

void CurvesPanel::save() {
    if (!figure_->isVisible()) return;
    const auto metrics = chosenMetrics();
    saveFigure([this](std::size_t columns) { return drawing(columns, false); }, figure_->figure().columns, this,
               metrics.empty() ? tr("curves") : QString::fromStdString(metrics.front()));
}

} // namespace raphe
