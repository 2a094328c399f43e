// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/inspector/inspector_panel.h"
#include "gui/scripting/commands_panel.h"
#include "gui/scripting/script_tab.h"
#include "gui/shell/hint_strip.h"
#include "gui/shell/main_window.h"
#include "gui/start/start_page.h"
#include "gui/watching/trial_panel.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QLabel>
#include <QMessageBox>
#include <QSettings>
#include <QTabWidget>
#include <QTimer>
#include <QToolButton>

namespace raphe {
namespace {

constexpr int recentLimit = 12;
constexpr const char* unnamed = "untitled";

} // namespace

CanvasView* MainWindow::currentView() const { return qobject_cast<CanvasView*>(tabs_->currentWidget()); }

CanvasView* MainWindow::open(const QString& nameOrPath) {
    if (QFileInfo{nameOrPath}.suffix() == "lua") {
        openScript(nameOrPath);
        return nullptr;
    }
    try {
        const auto path = findExperiment(nameOrPath.toStdString());
        for (int tab = 1; tab < tabs_->count(); ++tab) {
            auto* view = qobject_cast<CanvasView*>(tabs_->widget(tab));
            std::error_code ignored;
            if (view && std::filesystem::equivalent(view->document().document().path(), path, ignored)) {
                tabs_->setCurrentIndex(tab);
                return view;
            }
        }
        CanvasView* view = nullptr;
        if (recoverOne(path, view)) return view;
        view = addTab(Document::open(nameOrPath.toStdString(), plugins_.registry()));
        if (view && QFileInfo{nameOrPath}.exists()) remember(QFileInfo{nameOrPath}.absoluteFilePath());
        return view;
    } catch (const std::exception& error) {
        QMessageBox::warning(this, tr("Open"), QString::fromUtf8(error.what()));
        return nullptr;
    }
}

CanvasView* MainWindow::create() { return addTab(Document::create(unnamed, plugins_.registry())); }

CanvasView* MainWindow::addTab(std::unique_ptr<Document> opened) {
    if (!keepJournal(*opened)) return nullptr;
    auto* document = new OpenDocument{std::move(opened)};
    auto* view = new CanvasView{*document};
    document->setParent(view);
    connect(document, &OpenDocument::changed, this, [this, view] { documentChanged(*view); });
    commands_->watch(*document);
    connect(view, &CanvasView::nodesSelected, inspector_, &InspectorPanel::showNodes);
    connect(view, &CanvasView::wireSelected, inspector_, &InspectorPanel::showWire);
    connect(view, &CanvasView::nothingSelected, inspector_, &InspectorPanel::showDocument);
    connect(view, &CanvasView::mechanismsWanted, this, &MainWindow::searchMechanisms);
    connect(view, &CanvasView::interventionAdded, this, [this](int number) {
        raisePanel(inspector_);
        inspector_->showIntervention(number);
    });
    view->setOptions(canvasOptions_);
    const int tab = tabs_->addTab(view, document->title());
    tabs_->setCurrentIndex(tab);
    documentChanged(*view);
    hints_->done(HintStrip::openExperiment);
    return view;
}

bool MainWindow::save(CanvasView& view, bool as) {
    OpenDocument& document = view.document();
    if (document.document().readOnly()) return saveReadOnly(view);
    std::filesystem::path path = document.document().path();
    // What comes with Raphe stays as it is; a changed copy of it goes elsewhere.
    const auto shipped = resourceFolder() / "experiments";
    std::error_code ignored;
    const bool ours = !path.empty() && std::filesystem::equivalent(path.parent_path(), shipped, ignored);
    if (as || path.empty() || ours) {
        QString file = QFileDialog::getSaveFileName(this, tr("Save experiment"), document.title() + ".json",
                                                    tr("Experiments (*.json)"));
        if (file.isEmpty()) return false;
        if (QFileInfo{file}.suffix().isEmpty()) file += ".json";
        path = file.toStdString();
    }
    // A name that nobody has chosen becomes that of the file.
    if (document.experiment().name == unnamed && path.stem() != unnamed)
        document.execute({{"command", "set_name"}, {"name", path.stem().string()}});
    try {
        document.save(path);
    } catch (const Error& error) {
        QMessageBox::warning(this, tr("Save"), QString::fromUtf8(error.what()));
        return false;
    }
    remember(QString::fromStdString(std::filesystem::absolute(path).string()));
    return true;
}

/// Under another name, which is then the document that is open.
bool MainWindow::saveReadOnly(CanvasView& view) {
    QString file = QFileDialog::getSaveFileName(this, tr("Save a copy"), view.document().title() + ".json",
                                                tr("Experiments (*.json)"));
    if (file.isEmpty()) return false;
    if (QFileInfo{file}.suffix().isEmpty()) file += ".json";
    try {
        view.document().document().copy()->save(file.toStdString());
    } catch (const std::exception& error) {
        QMessageBox::warning(this, tr("Save"), QString::fromUtf8(error.what()));
        return false;
    }
    return open(file) != nullptr;
}

bool MainWindow::closeTab(int index) {
    if (auto* script = qobject_cast<ScriptTab*>(tabs_->widget(index))) return closeScript(*script);
    auto* view = qobject_cast<CanvasView*>(tabs_->widget(index));
    if (!view) {
        if (index == 0) return false; // the start page stays
        QWidget* other = tabs_->widget(index);
        tabs_->removeTab(index);
        delete other;
        return true;
    }
    if (view->document().document().modified()) {
        tabs_->setCurrentIndex(index);
        const auto answer =
            QMessageBox::question(this, tr("Close"), tr("Save the changes of %1?").arg(view->document().title()),
                                  QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel, QMessageBox::Save);
        if (answer == QMessageBox::Cancel) return false;
        if (answer == QMessageBox::Save && !save(*view, false)) return false;
    }
    tabs_->removeTab(index);
    delete view;
    bindScripting(); // to another one
    return true;
}

void MainWindow::documentChanged(CanvasView& view) {
    const int tab = tabs_->indexOf(&view);
    const bool modified = view.document().document().modified();
    tabs_->setTabText(tab, (modified ? QStringLiteral("● ") : QString{}) + view.document().title() +
                               (view.document().document().readOnly() ? tr(" (read-only)") : QString{}));
    const auto& path = view.document().document().path();
    tabs_->setTabToolTip(tab, path.empty() ? tr("not saved yet") : QString::fromStdString(path.string()));
    if (trialCanvas_ == &view) trials_->setDocumentInterventions(view.document().experiment().interventions);
    if (&view == documentInFront()) bindScripting();
    if (const auto& problem = view.document().document().journalProblem();
        !problem.empty() && problem != journalProblem_) {
        journalProblem_ = problem;
        notify(tr("%1. From now on what is not saved is lost in a crash.").arg(QString::fromStdString(problem)));
    }
    updateActions();
    showState();
}

void MainWindow::showState() {
    CanvasView* view = currentView();
    state_->setVisible(view != nullptr);
    difference_->setVisible(view != nullptr);
    if (!view) return;
    const auto& problems = view->document().document().problems();
    const auto& experiment = view->document().experiment();
    if (experiment.nodes.empty())
        state_->setText(tr("Empty: add mechanisms from the list on the left, or with Ctrl+K"));
    else if (problems.empty())
        state_->setText(
            tr("Sound: %1, %2")
                .arg(experiment.nodes.size() == 1 ? tr("1 node") : tr("%1 nodes").arg(experiment.nodes.size()),
                     experiment.wires.size() == 1 ? tr("1 wire") : tr("%1 wires").arg(experiment.wires.size())));
    else
        state_->setText((problems.size() == 1 ? tr("1 problem") : tr("%1 problems").arg(problems.size())) +
                        QStringLiteral(" — ") + QString::fromStdString(problems.front().text()).left(110));
    QPalette palette = state_->palette();
    palette.setColor(QPalette::ButtonText, problems.empty() ? theme().good : theme().bad);
    state_->setPalette(palette);

    // Editing does not touch a run; one should see when the two are no longer the same.
    difference_->clear();
    differences_.clear();
    for (int row = queue_.jobCount() - 1; row >= 0; --row) {
        const auto begun = begunFrom_.find(&queue_.job(row));
        if (begun == begunFrom_.end() || begun->second != view) continue;
        differences_ = differencesBetween(queue_.job(row).experiment(), experiment);
        if (differences_.empty()) return;
        QStringList few, all;
        for (const auto& item : differences_) {
            const QString words = QString::fromStdString(item.text());
            if (few.size() < 2) few << words.toHtmlEscaped();
            all << words;
        }
        difference_->setText(tr("differs from its last run: %1%2 <a href='all'>%3</a>")
                                 .arg(few.join(", "), all.size() > 2 ? ", …" : "",
                                      all.size() > 2 ? tr("all %1").arg(all.size()) : tr("details")));
        difference_->setToolTip(all.join('\n').toHtmlEscaped().replace('\n', "<br>"));
        return;
    }
}

void MainWindow::remember(const QString& file) {
    QStringList files = recent();
    files.removeAll(file);
    files.prepend(file);
    QSettings{}.setValue("recent/files", QStringList{files.mid(0, recentLimit)});
    start_->setRecent(recent());
}

QStringList MainWindow::recent() const {
    QStringList files;
    for (const QString& file : QSettings{}.value("recent/files").toStringList())
        if (QFileInfo::exists(file)) files << file;
    return files;
}

} // namespace raphe
