// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/studies/study_panel.h"

#include "gui/shell/theme.h"

#include <QComboBox>
#include <QDesktopServices>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QSplitter>
#include <QTableView>
#include <QTextBrowser>
#include <QToolButton>
#include <QUrl>
#include <QVBoxLayout>

#include <algorithm>

namespace raphe {

StudyPanel::StudyPanel(const PluginHost& plugins, std::filesystem::path studies, QWidget* parent)
    : QWidget(parent), studies_(std::move(studies)), study_(plugins), choice_(new QComboBox), view_(new QTableView),
      results_(new QTextBrowser), state_(new QLabel), run_(new QPushButton{tr("Run what is missing")}),
      stop_(new QPushButton{tr("Stop")}), report_(new QPushButton{tr("Report")}) {
    choice_->setPlaceholderText(tr("Choose a study"));
    choice_->setAccessibleName(tr("Study"));
    choice_->setMinimumWidth(180);
    for (const auto& name : studyNames()) choice_->addItem(QString::fromStdString(name));
    choice_->setCurrentIndex(-1);
    auto* file = new QToolButton;
    file->setText(tr("Open…"));
    file->setToolTip(tr("A study document (.study.json)"));
    view_->setModel(&grid_);
    view_->setContextMenuPolicy(Qt::CustomContextMenu);
    view_->setSelectionMode(QAbstractItemView::ExtendedSelection);
    view_->verticalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    view_->horizontalHeader()->setDefaultSectionSize(84);
    view_->setAccessibleName(tr("Runs of the study"));
    results_->setOpenLinks(false);
    results_->setFrameShape(QFrame::NoFrame);
    results_->setAccessibleName(tr("Results of the study"));
    run_->setToolTip(
        tr("Trains every run that is not done, in worker processes, one a core. Failed runs are tried again."));
    stop_->setToolTip(tr("All workers write a checkpoint and end. The study goes on from there another time."));
    report_->setToolTip(tr("Writes one page with results, figures and all parameters, and opens it"));

    auto* top = new QHBoxLayout;
    top->setContentsMargins(6, 4, 6, 4);
    for (auto* widget : std::initializer_list<QWidget*>{choice_, file}) top->addWidget(widget);
    top->addWidget(state_, 1);
    for (auto* widget : std::initializer_list<QWidget*>{run_, stop_, report_}) top->addWidget(widget);
    auto* halves = new QSplitter;
    halves->addWidget(view_);
    halves->addWidget(results_);
    halves->setStretchFactor(0, 1);
    halves->setStretchFactor(1, 1);
    halves->setChildrenCollapsible(false);
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(top);
    layout->addWidget(halves, 1);
    state_->setTextFormat(Qt::PlainText);
    state_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);

    connect(choice_, &QComboBox::textActivated, this, &StudyPanel::open);
    connect(file, &QToolButton::clicked, this, &StudyPanel::chooseFile);
    connect(run_, &QPushButton::clicked, &study_, &OpenStudy::run);
    connect(stop_, &QPushButton::clicked, this, [this] {
        study_.stop();
        say(tr("The workers write a checkpoint and end …"));
    });
    connect(report_, &QPushButton::clicked, &study_, &OpenStudy::writeReport);
    connect(&study_, &OpenStudy::changed, this, &StudyPanel::show);
    connect(&study_, &OpenStudy::progressed, this, [this](const QString& text) { say(text); });
    connect(&study_, &OpenStudy::runningChanged, this, &StudyPanel::show);
    connect(&study_, &OpenStudy::failed, this, [this](const QString& why) { say(why, true); });
    connect(&study_, &OpenStudy::reportWritten, this, [this](const QString& written) {
        say(tr("Report: %1").arg(written));
        QDesktopServices::openUrl(QUrl::fromLocalFile(written));
    });
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, this, &StudyPanel::show);
    connect(view_, &QTableView::customContextMenuRequested, this, &StudyPanel::showMenu);
    connect(view_, &QTableView::doubleClicked, this, [this](const QModelIndex& index) {
        const auto* row = grid_.at(index);
        if (row && row->status.iterations > 0)
            Q_EMIT curvesWanted(StudyFolder(study_.snapshot()->folder).run(row->run->id),
                                QString::fromStdString(groupName(*row->run)) + tr(", seed %1").arg(row->run->seed));
    });
    show();
}

void StudyPanel::open(const QString& name) {
    say(tr("Reading %1 …").arg(name));
    study_.open(name, studies_);
}

void StudyPanel::chooseFile() {
    const auto file = QFileDialog::getOpenFileName(this, tr("Open a study"), {},
                                                   tr("Studies (*.study.json study.json);;All files (*)"));
    if (file.isEmpty()) return;
    // The document within a study folder stands for the folder.
    open(file.endsWith(QLatin1String("/study.json")) ? file.chopped(11) : file);
    choice_->setCurrentIndex(-1);
}

void StudyPanel::say(const QString& text, bool bad) {
    state_->setText(QString{text}.replace(QLatin1Char('\n'), QLatin1String("; ")));
    state_->setToolTip(text);
    auto colours = palette();
    if (bad) colours.setColor(QPalette::WindowText, theme().bad);
    state_->setPalette(colours);
}

void StudyPanel::show() {
    const auto* snapshot = study_.snapshot();
    const auto chosen = view_->currentIndex();
    grid_.setSnapshot(snapshot);
    view_->setVisible(snapshot != nullptr);
    if (chosen.isValid()) view_->setCurrentIndex(grid_.index(chosen.row(), chosen.column()));
    run_->setEnabled(snapshot && !study_.running());
    stop_->setEnabled(study_.running());
    report_->setEnabled(snapshot != nullptr);
    if (!snapshot) {
        results_->setHtml(tr("<p style='color:%1'>A study is a set of runs as one object: variants and seeds, with "
                             "measures, bars and figures. "
                             "Choose one above; it goes on wherever it was stopped.</p>")
                              .arg(theme().faint.name()));
        return;
    }
    results_->setHtml(resultsText());
    if (study_.running()) return;
    const auto done = std::count_if(snapshot->rows.begin(), snapshot->rows.end(),
                                    [](const StudyRow& row) { return row.status.state == StudyRunState::done; });
    say(tr("%1: %2 of %3 runs done, kept in %4")
            .arg(QString::fromStdString(snapshot->study.name))
            .arg(done)
            .arg(snapshot->rows.size())
            .arg(QString::fromStdString(snapshot->folder.string())));
}

QString StudyPanel::resultsText() const {
    const auto& snapshot = *study_.snapshot();
    const auto number = [](double x) { return QString::number(x, 'g', 4); };
    QString text = QStringLiteral("<p>%1</p>").arg(QString::fromStdString(snapshot.study.doc).toHtmlEscaped());
    if (!snapshot.bars.empty()) {
        text += QStringLiteral("<table cellpadding='3'>");
        for (const auto& bar : snapshot.bars) {
            const auto& colour = bar.met ? theme().good : bar.complete ? theme().bad : theme().faint;
            text += QStringLiteral("<tr><td style='color:%1'><b>%2</b></td><td>%3</td></tr>")
                        .arg(colour.name(),
                             bar.met        ? tr("met")
                             : bar.complete ? tr("not met")
                                            : tr("open"),
                             QString::fromStdString(bar.sentence).toHtmlEscaped());
        }
        text += QStringLiteral("</table>");
    }
    if (!snapshot.groups.empty()) {
        text += QStringLiteral("<table cellpadding='3' width='100%'><tr>");
        for (const auto& head :
             {tr("Variant"), tr("Measure"), tr("Seeds"), tr("Median"), tr("Quartiles"), tr("Mean, 95 %")})
            text += QStringLiteral("<td style='color:%1'>%2</td>").arg(theme().faint.name(), head);
        text += QStringLiteral("</tr>");
        for (const auto& group : snapshot.groups) {
            const auto mean =
                group.interval ? tr("%1 (%2 to %3)")
                                     .arg(number(group.mean), number(group.interval->low), number(group.interval->high))
                               : number(group.mean);
            text += QStringLiteral("<tr><td>%1</td><td>%2</td><td>%3</td><td>%4</td><td>%5</td><td>%6</td></tr>")
                        .arg(QString::fromStdString(group.group).toHtmlEscaped(), QString::fromStdString(group.measure),
                             tr("%1 of %2").arg(group.values.size()).arg(group.expected), number(group.median),
                             tr("%1 to %2").arg(number(group.lower), number(group.upper)), mean);
        }
        text += QStringLiteral("</table>");
    }
    for (const auto& pair : snapshot.pairs)
        text += QStringLiteral("<p>%1</p>")
                    .arg(tr("%1: %2 − %3 = %4 (95 %: %5 to %6), p = %7, delta %8; %9")
                             .arg(QString::fromStdString(pair.measure), QString::fromStdString(pair.first),
                                  QString::fromStdString(pair.second), number(pair.comparison.difference),
                                  number(pair.comparison.interval.low), number(pair.comparison.interval.high),
                                  number(pair.p), number(pair.comparison.delta),
                                  QString::fromStdString(pair.comparison.sentence).toHtmlEscaped()));
    return text;
}

void StudyPanel::showMenu(const QPoint& at) {
    const auto* row = grid_.at(view_->indexAt(at));
    if (!row) return;
    const auto folder = StudyFolder(study_.snapshot()->folder).run(row->run->id);
    const auto name = QString::fromStdString(groupName(*row->run)) + tr(", seed %1").arg(row->run->seed);
    QMenu menu;
    auto* curves = menu.addAction(tr("Show curves"), this, [this, folder, name] { Q_EMIT curvesWanted(folder, name); });
    auto* play = menu.addAction(tr("Play trials"), this, [this, folder, name] { Q_EMIT playWanted(folder, name); });
    auto* document = menu.addAction(tr("Open the experiment"), this, [this, folder] { Q_EMIT documentWanted(folder); });
    auto* log = menu.addAction(tr("Show the worker's log"), this, [folder] {
        QDesktopServices::openUrl(QUrl::fromLocalFile(QString::fromStdString((folder / "log.txt").string())));
    });
    for (auto* action : {curves, play, document}) action->setEnabled(row->status.iterations > 0);
    std::error_code none;
    log->setEnabled(std::filesystem::exists(folder / "log.txt", none));
    menu.exec(view_->viewport()->mapToGlobal(at));
}

} // namespace raphe
