// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/comparing/comparison_view.h"
#include "gui/running/run_difference.h"
#include "gui/running/running_panel.h"
#include "gui/runs/runs_panel.h"
#include "gui/scripting/console_panel.h"
#include "gui/shell/background.h"
#include "gui/shell/hint_strip.h"
#include "gui/shell/main_window.h"
#include "gui/studies/study_panel.h"
#include "gui/watching/curves_panel.h"
#include "gui/watching/tensor_panel.h"
#include "gui/watching/trial_panel.h"

#include <QDockWidget>
#include <QMessageBox>
#include <QSettings>
#include <QThread>

#include <algorithm>

namespace raphe {

int MainWindow::run(bool paused, bool anotherSeed) {
    CanvasView* view = currentView();
    if (!view) return -1;
    try {
        Experiment experiment = view->document().document().validExperiment(); // a copy: editing never disturbs a run
        if (anotherSeed) {
            std::uint64_t largest = experiment.seed;
            for (int row = 0; row < queue_.jobCount(); ++row)
                if (queue_.job(row).experiment().name == experiment.name)
                    largest = std::max(largest, queue_.job(row).experiment().seed);
            experiment.seed = largest + 1;
        }
        if (experiment.name.empty()) experiment.name = view->document().title().toStdString();
        const int row = queue_.add(std::move(experiment), paused);
        begunFrom_[&queue_.job(row)] = view;
        running_->choose(row);
        choseJob(row);
        raisePanel(curves_);
        showState();
        hints_->done(HintStrip::run);
        return row;
    } catch (const std::exception& error) {
        QMessageBox::warning(this, tr("Run"), QString::fromUtf8(error.what()));
        return -1;
    }
}

void MainWindow::connectRunning() {
    connect(running_, &RunningPanel::chosen, this, &MainWindow::choseJob);
    connect(running_, &RunningPanel::playWanted, this, &MainWindow::trialsOfJob);
    connect(&queue_, &RunQueue::stateChanged, this, [this] { updateActions(); });
    connect(&queue_, &RunQueue::ended, runs_, &RunsPanel::refresh);
    connect(&queue_, &QAbstractItemModel::rowsAboutToBeRemoved, this, [this](const QModelIndex&, int first, int last) {
        for (int row = first; row <= last; ++row) begunFrom_.erase(&queue_.job(row));
    });
    const auto showCurves = [this](const std::filesystem::path& folder, const QString& name) {
        curves_->addStored(folder, name);
        raisePanel(curves_);
    };
    connect(runs_, &RunsPanel::curvesWanted, this, showCurves);
    connect(runs_, &RunsPanel::playWanted, this, &MainWindow::trialsOfStored);
    connect(runs_, &RunsPanel::documentWanted, this, &MainWindow::openRunDocument);
    connect(studies_, &StudyPanel::curvesWanted, this, showCurves);
    connect(studies_, &StudyPanel::playWanted, this,
            [this](const std::filesystem::path& folder, const QString& name) { trialsOfStored(folder, name); });
    connect(studies_, &StudyPanel::documentWanted, this, &MainWindow::openRunDocument);
    connect(runs_, &RunsPanel::compareWanted, this, &MainWindow::compare);
    const auto resume = [this](const std::filesystem::path& folder) {
        withRunExperiment(folder, tr("Resume"), [this, folder](Experiment experiment) {
            running_->choose(queue_.addResumed(folder, std::move(experiment)));
            raisePanel(curves_);
        });
    };
    connect(runs_, &RunsPanel::resumeWanted, this, resume);
    connect(running_, &RunningPanel::resumeWanted, this, resume);
    connect(runs_, &RunsPanel::continueWanted, this, [this](const std::filesystem::path& folder, int iterations) {
        withRunExperiment(folder, tr("Go on"), [this, folder, iterations](Experiment experiment) {
            experiment.iterations = iterations;
            running_->choose(queue_.addCopy(folder, std::move(experiment)));
            raisePanel(curves_);
        });
    });
    connect(runs_, &RunsPanel::rootChanged, this, [this](const std::filesystem::path& root) {
        auto settings = queue_.settings();
        settings.runs = root;
        queue_.setSettings(settings);
        console_->setRuns(root);
    });
    connect(&queue_, &RunQueue::measured, this, [this] {
        trials_->trainingWentOn();
        tensors_->trainingWentOn();
    });
    connect(trials_, &TrialPanel::keepWanted, this, [this](const Intervention& intervention) {
        CanvasView* view = trialCanvas_ ? trialCanvas_.data() : currentView();
        if (view) view->document().execute({{"command", "add_intervention"}, {"intervention", toJson(intervention)}});
    });
    for (auto* item : docks_) {
        if (item->widget() != trials_) continue;
        connect(item->toggleViewAction(), &QAction::toggled, this, [this, item](bool shown) {
            if (shown || !item->isHidden()) return; // it is only behind another panel
            trials_->play(false);
            if (trialCanvas_) trialCanvas_->canvas().show({});
        });
    }
    connect(trials_, &TrialPanel::momentShown, this, [this](const CanvasScene::Moment& moment) {
        if (trialCanvas_) trialCanvas_->canvas().show(moment);
        if (!moment.units.empty()) hints_->done(HintStrip::playTrial);
    });
}

void MainWindow::playFrom(TrialSource source, CanvasView* canvas) {
    if (trialCanvas_ && trialCanvas_ != canvas) trialCanvas_->canvas().show({});
    trialCanvas_ = canvas;
    if (canvas) source.interventions = canvas->document().experiment().interventions;
    trials_->setSource(std::move(source));
}

void MainWindow::choseJob(int row) {
    if (row < 0 || row >= queue_.jobCount()) return;
    const auto job = queue_.shared(row);
    const auto begun = begunFrom_.find(job.get());
    const auto name = job->experiment().name + ", seed " + std::to_string(job->experiment().seed);
    const QString id = QStringLiteral("%1 %2")
                           .arg(QString::fromStdString(job->folder().string()))
                           .arg(reinterpret_cast<quintptr>(job.get()));
    playFrom({id, QString::fromStdString(name),
              [job, &plugins = plugins_](const auto& read) {
                  if (job->withSession(read)) return; // beside the training
                  if (job->status().state == JobState::waiting)
                      throw Error(job->experiment().name, "has not begun; its turn comes when another run has ended");
                  read(*sessionOfRun(job->folder(), plugins.registry()));
              },
              job->folder(), job->experiment().interventions},
             begun == begunFrom_.end() ? nullptr : begun->second.data());
    updateActions();
}

void MainWindow::trialsOfJob(int row) {
    choseJob(row);
    raisePanel(trials_);
    trials_->evaluate();
}

void MainWindow::trialsOfStored(const std::filesystem::path& folder, const QString& name,
                                std::optional<std::int64_t> checkpoint) {
    CanvasView* canvas = nullptr;
    const std::string experiment = name.section(',', 0, 0).toStdString();
    for (int tab = 1; tab < tabs_->count(); ++tab) // where its graph is open already
        if (auto* view = qobject_cast<CanvasView*>(tabs_->widget(tab));
            view && view->document().experiment().name == experiment)
            canvas = view;
    const QString key = QString::fromStdString(folder.string()) + (checkpoint ? tr(" %1").arg(*checkpoint) : QString{});
    playFrom({key,
              name,
              [folder, checkpoint, &plugins = plugins_](const auto& read) {
                  read(*sessionOfRun(folder, plugins.registry(), {}, checkpoint));
              },
              folder,
              {}},
             canvas);
    raisePanel(trials_);
    trials_->evaluate();
}

void MainWindow::trialsOfDocument() {
    CanvasView* view = currentView();
    if (!view) return;
    try {
        const Experiment experiment = view->document().document().validExperiment();
        const QString id = QStringLiteral("document %1 %2") // another one once it has been changed
                               .arg(reinterpret_cast<quintptr>(&view->document()))
                               .arg(std::hash<std::string>{}(view->document().document().text()));
        playFrom({id,
                  tr("%1, untrained").arg(view->document().title()),
                  [experiment, &plugins = plugins_](const auto& read) {
                      read(*Session::create(experiment, plugins.registry()));
                  },
                  {},
                  experiment.interventions},
                 view);
        raisePanel(trials_);
        trials_->evaluate();
    } catch (const std::exception& error) {
        QMessageBox::warning(this, tr("Trials"), QString::fromUtf8(error.what()));
    }
}

void MainWindow::showDifferences() {
    QString rows;
    for (const auto& item : differences_)
        rows += QStringLiteral("<tr><td>%1</td><td>&nbsp;%2</td><td>&nbsp;→ %3</td></tr>")
                    .arg(QString::fromStdString(item.place).toHtmlEscaped(),
                         QString::fromStdString(item.run).toHtmlEscaped(),
                         QString::fromStdString(item.document).toHtmlEscaped());
    QMessageBox::information(
        this, tr("Document and run"),
        tr("What is in the run → what is in the document now:<p><table cellspacing='3'>%1</table>").arg(rows));
}

void MainWindow::showDiagnostics() {
    const StallFigures& stalls = watchdog_.figures();
    const double minutes = static_cast<double>(stalls.beats) * StallWatchdog::period / 60000;
    QMessageBox box{QMessageBox::Information, tr("Diagnostics"), {}, QMessageBox::Ok | QMessageBox::Reset, this};
    box.setText(tr("<b>Stalls of the window</b><p>How long a key or a click would have waited, looked at every %1 ms "
                   "for about %2 min.</p><table cellspacing='4'>"
                   "<tr><td>longer than %3 ms</td><td align='right'>%4</td></tr>"
                   "<tr><td>longer than %5 ms</td><td align='right'>%6</td></tr>"
                   "<tr><td>longer than %7 ms</td><td align='right'>%8</td></tr>"
                   "<tr><td>the longest</td><td align='right'>%9 ms</td></tr></table>")
                    .arg(StallWatchdog::period)
                    .arg(minutes, 0, 'f', 1)
                    .arg(StallFigures::noticed)
                    .arg(stalls.stalls)
                    .arg(StallFigures::felt)
                    .arg(stalls.aboveFelt)
                    .arg(StallFigures::long_)
                    .arg(stalls.aboveLong)
                    .arg(stalls.longest, 0, 'f', 0));
    box.setInformativeText(tr("%1 mechanisms, %2 cores, Qt %3")
                               .arg(plugins_.registry().keys().size())
                               .arg(QThread::idealThreadCount())
                               .arg(QString::fromLatin1(qVersion())));
    if (box.exec() == QMessageBox::Reset) watchdog_.reset();
}

void MainWindow::withRunExperiment(const std::filesystem::path& folder, const QString& title,
                                   const std::function<void(Experiment)>& use) {
    const auto complain = [this, title](const QString& why) { QMessageBox::warning(this, title, why); };
    inBackground<Experiment>(
        this, [folder, &plugins = plugins_] { return experimentOfRun(folder, plugins.registry()); },
        [use, complain](Experiment experiment) {
            try {
                use(std::move(experiment));
            } catch (const std::exception& error) {
                complain(QString::fromUtf8(error.what()));
            }
        },
        complain);
}

void MainWindow::openRunDocument(const std::filesystem::path& folder) {
    withRunExperiment(folder, tr("Open"), [this](const Experiment& experiment) {
        addTab(Document::fromJson(experiment.toJson(), plugins_.registry()));
    });
}

void MainWindow::compare(const RunList& runs) {
    auto* view = new ComparisonView{runs};
    connect(view, &ComparisonView::documentWanted, this, &MainWindow::openRunDocument);
    connect(view, &ComparisonView::playWanted, this,
            [this](const std::filesystem::path& folder, const QString& name) { trialsOfStored(folder, name); });
    tabs_->setCurrentIndex(tabs_->addTab(view, view->title()));
}

} // namespace raphe
