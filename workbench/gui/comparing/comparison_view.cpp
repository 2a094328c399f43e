// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/comparing/comparison_view.h"

#include "engine/base/files.h"
#include "figure_widget.h"
#include "gui/runs/runs_panel.h"
#include "gui/shell/background.h"
#include "gui/watching/save_figure.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QMessageBox>
#include <QPushButton>
#include <QResizeEvent>
#include <QSpinBox>
#include <QSplitter>
#include <QTreeView>
#include <QVBoxLayout>

#include <algorithm>

namespace raphe {

ComparisonView::ComparisonView(const RunList& runs, QWidget* parent)
    : QWidget(parent), model_(groupRuns(runs)), metric_(new QComboBox), show_(new QComboBox), smoothing_(new QSpinBox),
      logarithmic_(new QCheckBox{tr("Log axis")}), finals_(new QCheckBox{tr("Final values")}),
      figure_(new FigureWidget), message_(new QLabel{tr("reading…")}), split_(new QSplitter), table_(new QTreeView) {
    for (const auto& name : model_.metrics()) metric_->addItem(QString::fromStdString(name));
    metric_->setToolTip(tr("What is drawn"));
    metric_->setAccessibleName(tr("Metric"));
    show_->addItems({tr("Median and quartiles"), tr("Every run"), tr("Every run, and medians")});
    show_->setToolTip(tr("Runs with the same settings form a group, whatever their seeds"));
    show_->setAccessibleName(tr("Which curves"));
    const bool groups = std::any_of(model_.groups().begin(), model_.groups().end(),
                                    [](const RunGroup& group) { return group.runs.size() > 1; });
    show_->setEnabled(groups);
    smoothing_->setRange(0, 100'000);
    smoothing_->setSpecialValueText(tr("1 % of the run"));
    smoothing_->setToolTip(tr("Moving average over so many iterations"));
    smoothing_->setAccessibleName(tr("Iterations of the moving average"));
    finals_->setToolTip(tr("Adds a panel with the means over the last 5 % of the iterations"));
    auto* save = new QPushButton{tr("Save figure…")};
    auto* saveNumbers = new QPushButton{tr("Save data…")};

    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(6, 4, 6, 4);
    for (auto* widget : std::initializer_list<QWidget*>{metric_, show_}) bar->addWidget(widget);
    bar->addSpacing(4);
    bar->addWidget(new QLabel{tr("Mean over")});
    for (auto* widget : std::initializer_list<QWidget*>{smoothing_, logarithmic_, finals_}) bar->addWidget(widget);
    bar->addStretch();
    for (auto* widget : std::initializer_list<QWidget*>{save, saveNumbers}) bar->addWidget(widget);

    message_->setAlignment(Qt::AlignCenter);
    message_->setWordWrap(true);
    figure_->setMinimumSize(200, 140);
    figure_->hide();
    table_->setModel(&model_);
    table_->setUniformRowHeights(true);
    table_->setAlternatingRowColors(true);
    table_->setSelectionMode(QAbstractItemView::ExtendedSelection);
    table_->setContextMenuPolicy(Qt::CustomContextMenu);
    table_->setAccessibleName(tr("Groups of runs, with what differs and where they ended"));
    table_->header()->setStretchLastSection(false);
    for (int column = 0; column < model_.columnCount(); ++column) {
        table_->resizeColumnToContents(column);
        table_->setColumnWidth(column, std::min(table_->columnWidth(column) + 10, column == 0 ? 320 : 220));
    }
    split_->setOrientation(Qt::Vertical);
    split_->addWidget(figure_);
    split_->addWidget(message_);
    split_->addWidget(table_);
    for (int part = 0; part < 2; ++part) split_->setStretchFactor(part, 3);
    split_->setStretchFactor(2, 2);
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(bar);
    layout->addWidget(split_, 1);

    connect(metric_, &QComboBox::currentTextChanged, this, &ComparisonView::read);
    connect(show_, &QComboBox::currentIndexChanged, this, &ComparisonView::draw);
    connect(smoothing_, &QSpinBox::valueChanged, this, &ComparisonView::draw);
    connect(logarithmic_, &QCheckBox::toggled, this, &ComparisonView::draw);
    connect(finals_, &QCheckBox::toggled, this, &ComparisonView::draw);
    connect(save, &QPushButton::clicked, this, [this] {
        if (figure_->isVisible()) saveFigure(figure_->figure(), this, metric_->currentText());
    });
    connect(saveNumbers, &QPushButton::clicked, this, &ComparisonView::saveData);
    connect(table_, &QWidget::customContextMenuRequested, this, &ComparisonView::showMenu);
    read();
}

QString ComparisonView::title() const {
    std::size_t runs = 0;
    for (const auto& group : model_.groups()) runs += group.runs.size();
    return runs == 1 ? tr("1 run") : tr("%1 runs compared").arg(runs);
}

void ComparisonView::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    const bool wide = event->size().width() > 2.2 * event->size().height();
    split_->setOrientation(wide ? Qt::Horizontal : Qt::Vertical);
}

CurveStyle ComparisonView::style() const {
    using Show = CurveStyle::Show;
    const Show shows[] = {Show::groups, Show::runs, Show::both};
    return {shows[std::max(0, show_->currentIndex())], smoothing_->value(), logarithmic_->isChecked(),
            finals_->isChecked()};
}

void ComparisonView::read() {
    if (metric_->currentText().isEmpty()) {
        message_->setText(tr("None of these runs has metrics yet."));
        return;
    }
    const int turn = ++reading_;
    inBackground<std::shared_ptr<const GroupCurves>>(
        this,
        [groups = model_.groups(), metric = metric_->currentText().toStdString()] {
            return std::make_shared<const GroupCurves>(readCurves(groups, metric));
        },
        [this, turn](std::shared_ptr<const GroupCurves> curves) {
            if (turn != reading_) return;
            curves_ = std::move(curves);
            draw();
        },
        [this, turn](const QString& why) {
            if (turn != reading_) return;
            figure_->hide();
            message_->setText(why);
            message_->show();
        });
}

void ComparisonView::draw() {
    if (!curves_) return;
    const int turn = ++drawing_;
    inBackground<FigureDescription>(
        this, [curves = curves_, style = style()] { return parseFigure(learningCurves(*curves, style)); },
        [this, turn](FigureDescription figure) {
            if (turn != drawing_) return;
            figure_->setFigure(std::move(figure));
            message_->hide();
            figure_->show();
        },
        [this, turn](const QString& why) {
            if (turn != drawing_) return;
            figure_->hide();
            message_->setText(why);
            message_->show();
        });
}

void ComparisonView::showMenu(const QPoint& at) {
    const auto runs = model_.runsOf(table_->currentIndex());
    if (runs.empty()) return;
    QMenu menu;
    menu.addAction(runs.size() == 1 ? tr("Open the experiment as it was") : tr("Open an experiment of this group"),
                   this, [this, run = runs.front()] { Q_EMIT documentWanted(run->folder); });
    menu.addAction(tr("Play trials"), this,
                   [this, run = runs.front()] { Q_EMIT playWanted(run->folder, runTitle(*run)); })
        ->setEnabled(runs.size() == 1 && !runs.front()->checkpoints.empty());
    menu.addSeparator();
    menu.addAction(tr("Open the experiments of all groups"), this, &ComparisonView::openDocuments)
        ->setEnabled(model_.groups().size() <= 20);
    menu.exec(table_->viewport()->mapToGlobal(at));
}

void ComparisonView::openDocuments() {
    for (const auto& group : model_.groups()) Q_EMIT documentWanted(group.runs.front()->folder);
}

void ComparisonView::saveData() {
    const QString curves = tr("Curves (*.csv)"), archive = tr("Curves for NumPy (*.npz)"),
                  table = tr("Table of settings and final metrics (*.csv)");
    QString kind = curves;
    QString file = QFileDialog::getSaveFileName(this, tr("Save data"), metric_->currentText() + ".csv",
                                                QStringList{curves, archive, table}.join(";;"), &kind);
    if (file.isEmpty()) return;
    if (QFileInfo{file}.suffix().isEmpty()) file += kind == archive ? ".npz" : ".csv";
    if (kind != table && !curves_) return;
    inBackground<bool>(
        this,
        [path = file.toStdString(), asTable = kind == table, curves = curves_, groups = model_.groups()] {
            if (asTable)
                writeAtomically(path, comparisonAsCsv(groups));
            else
                exportTensors(path, {}, {curvesTable(*curves)});
            return true;
        },
        [](bool) {}, [this](const QString& why) { QMessageBox::warning(this, tr("Save data"), why); });
}

} // namespace raphe
