// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/running/running_panel.h"
#include "gui/runs/runs_panel.h"
#include "gui/scripting/console_panel.h"
#include "gui/shell/main_window.h"
#include "gui/watching/curves_panel.h"
#include "gui/watching/trial_panel.h"

#include <QDockWidget>
#include <QMessageBox>
#include <QSettings>

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
    connect(runs_, &RunsPanel::curvesWanted, this, [this](const std::filesystem::path& folder, const QString& name) {
        curves_->addStored(folder, name);
        raisePanel(curves_);
    });
    connect(runs_, &RunsPanel::playWanted, this, &MainWindow::trialsOfStored);
    connect(runs_, &RunsPanel::documentWanted, this, &MainWindow::openRunDocument);
    connect(runs_, &RunsPanel::resumeWanted, this, [this](const std::filesystem::path& folder) {
        try {
            running_->choose(queue_.addResumed(folder));
            raisePanel(curves_);
        } catch (const std::exception& error) {
            QMessageBox::warning(this, tr("Resume"), QString::fromUtf8(error.what()));
        }
    });
    connect(runs_, &RunsPanel::rootChanged, this, [this](const std::filesystem::path& root) {
        auto settings = queue_.settings();
        settings.runs = root;
        queue_.setSettings(settings);
        console_->setRuns(root);
    });
    for (auto* item : docks_) {
        if (item->widget() != runs_) continue;
        connect(item, &QDockWidget::visibilityChanged, this, [this](bool visible) {
            if (visible) runs_->refresh();
        });
    }
    connect(trials_, &TrialPanel::momentShown, this, [this](const CanvasScene::Moment& moment) {
        if (trialCanvas_) trialCanvas_->canvas().show(moment);
    });
}

void MainWindow::choseJob(int row) {
    if (row < 0 || row >= queue_.jobCount()) return;
    const auto job = queue_.shared(row);
    const auto begun = begunFrom_.find(job.get());
    if (trialCanvas_) trialCanvas_->canvas().show({});
    trialCanvas_ = begun == begunFrom_.end() ? nullptr : begun->second.data();
    const auto name = job->experiment().name + ", seed " + std::to_string(job->experiment().seed);
    trials_->setSource(QString::fromStdString(job->folder().string()), QString::fromStdString(name),
                       [job, &plugins = plugins_](const auto& read) {
                           if (job->withSession(read)) return; // beside the training
                           read(*sessionOfRun(job->folder(), plugins.registry()));
                       });
    updateActions();
}

void MainWindow::trialsOfJob(int row) {
    choseJob(row);
    raisePanel(trials_);
    trials_->evaluate();
}

void MainWindow::trialsOfStored(const std::filesystem::path& folder, const QString& name) {
    if (trialCanvas_) trialCanvas_->canvas().show({});
    trialCanvas_ = nullptr;
    const std::string experiment = name.section(',', 0, 0).toStdString();
    for (int tab = 1; tab < tabs_->count(); ++tab) // where its graph is open already
        if (auto* view = qobject_cast<CanvasView*>(tabs_->widget(tab));
            view && view->document().experiment().name == experiment)
            trialCanvas_ = view;
    trials_->setSource(QString::fromStdString(folder.string()), name, [folder, &plugins = plugins_](const auto& read) {
        read(*sessionOfRun(folder, plugins.registry()));
    });
    raisePanel(trials_);
    trials_->evaluate();
}

void MainWindow::trialsOfDocument() {
    CanvasView* view = currentView();
    if (!view) return;
    try {
        const Experiment experiment = view->document().document().validExperiment();
        if (trialCanvas_) trialCanvas_->canvas().show({});
        trialCanvas_ = view;
        trials_->setSource("document " + view->document().title(), tr("%1, untrained").arg(view->document().title()),
                           [experiment, &plugins = plugins_](const auto& read) {
                               read(*Session::create(experiment, plugins.registry()));
                           });
        raisePanel(trials_);
        trials_->evaluate();
    } catch (const std::exception& error) {
        QMessageBox::warning(this, tr("Trials"), QString::fromUtf8(error.what()));
    }
}

void MainWindow::openRunDocument(const std::filesystem::path& folder) {
    try {
        const auto experiment = experimentOfRun(folder, plugins_.registry());
        addTab(Document::fromJson(experiment.toJson(), plugins_.registry()));
    } catch (const std::exception& error) {
        QMessageBox::warning(this, tr("Open"), QString::fromUtf8(error.what()));
    }
}

} // namespace raphe
