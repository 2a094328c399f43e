// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/scripting/commands_panel.h"
#include "gui/scripting/console_panel.h"
#include "gui/scripting/example_scripts.h"
#include "gui/scripting/script_tab.h"
#include "gui/shell/main_window.h"
#include "gui/shell/notice_bar.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QMenu>
#include <QMessageBox>
#include <QTabWidget>

namespace raphe {

ScriptTab* MainWindow::currentScript() const { return qobject_cast<ScriptTab*>(tabs_->currentWidget()); }

CanvasView* MainWindow::documentInFront() const { return currentView() ? currentView() : lastView_.data(); }

CompletionSource MainWindow::completionSource() {
    if (vocabulary_.globals.empty()) vocabulary_ = LuaHost{plugins_}.vocabulary();
    CanvasView* view = documentInFront();
    return {vocabulary_, &plugins_.registry(), view ? &view->document().experiment() : nullptr};
}

void MainWindow::connectScripting() {
    console_->setCompletion([this] { return completionSource(); });
    console_->setRuns(queue_.settings().runs);
    connect(commands_, &CommandsPanel::scriptWanted, this, &MainWindow::createScript);
}

/// The console and the commands are about the document in front; a script in front leaves them with the one before.
void MainWindow::bindScripting() {
    if (currentView()) lastView_ = currentView();
    CanvasView* view = documentInFront();
    console_->setDocument(view ? view->document().shared() : std::weak_ptr<Document>{},
                          view ? view->document().title() : QString{});
    commands_->setDocument(view ? &view->document() : nullptr);
}

ScriptTab* MainWindow::addScriptTab() {
    ScriptTab::Surroundings surroundings;
    surroundings.document = [this] {
        CanvasView* view = documentInFront();
        return view ? view->document().shared() : std::weak_ptr<Document>{};
    };
    surroundings.runs = [this] { return queue_.settings().runs; };
    surroundings.completion = [this] { return completionSource(); };
    surroundings.drafts = draftFolder();
    auto* script = new ScriptTab{plugins_, std::move(surroundings)};
    connect(script, &ScriptTab::changed, this, [this, script] { scriptChanged(*script); });
    tabs_->setCurrentIndex(tabs_->addTab(script, script->title()));
    scriptChanged(*script);
    script->setFocus();
    return script;
}

ScriptTab* MainWindow::createScript(const QString& text) {
    ScriptTab* script = addScriptTab();
    if (!text.isEmpty()) script->setUnsaved(text);
    return script;
}

ScriptTab* MainWindow::openScript(const QString& file) {
    std::error_code ignored;
    for (int tab = 1; tab < tabs_->count(); ++tab) {
        auto* script = qobject_cast<ScriptTab*>(tabs_->widget(tab));
        if (!script || !std::filesystem::equivalent(script->file(), file.toStdString(), ignored)) continue;
        tabs_->setCurrentIndex(tab);
        return script;
    }
    ScriptTab* script = addScriptTab();
    try {
        script->load(file.toStdString());
        remember(QFileInfo{file}.absoluteFilePath());
        return script;
    } catch (const std::exception& error) {
        tabs_->removeTab(tabs_->indexOf(script));
        delete script;
        QMessageBox::warning(this, tr("Open"), QString::fromUtf8(error.what()));
        return nullptr;
    }
}

bool MainWindow::saveScript(ScriptTab& script, bool as) {
    std::filesystem::path path = script.file();
    if (as || path.empty() || isExampleScript(path)) { // what comes with Raphe stays as it is
        QString file = QFileDialog::getSaveFileName(this, tr("Save script"), script.title(),
                                                    tr("Lua scripts (*.lua);;All files (*)"));
        if (file.isEmpty()) return false;
        if (QFileInfo{file}.suffix().isEmpty()) file += ".lua";
        path = file.toStdString();
    }
    try {
        script.save(path);
    } catch (const std::exception& error) {
        QMessageBox::warning(this, tr("Save"), QString::fromUtf8(error.what()));
        return false;
    }
    remember(QString::fromStdString(script.file().string()));
    return true;
}

bool MainWindow::closeScript(ScriptTab& script) {
    if (script.unsaved() || script.running()) {
        tabs_->setCurrentWidget(&script);
        const QString running =
            script.running() ? tr("%1 is running, and is stopped.\n").arg(script.title()) : QString{};
        const auto answer = script.unsaved()
                                ? QMessageBox::question(
                                      this, tr("Close"), running + tr("Save the changes of %1?").arg(script.title()),
                                      QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel, QMessageBox::Save)
                                : QMessageBox::question(this, tr("Close"), running + tr("Close it?"),
                                                        QMessageBox::Close | QMessageBox::Cancel, QMessageBox::Cancel);
        if (answer == QMessageBox::Cancel || answer == QMessageBox::Escape) return false;
        if (answer == QMessageBox::Save && !saveScript(script, false)) return false;
    }
    tabs_->removeTab(tabs_->indexOf(&script));
    delete &script;
    return true;
}

void MainWindow::scriptChanged(ScriptTab& script) {
    const int tab = tabs_->indexOf(&script);
    if (tab < 0) return;
    tabs_->setTabText(tab, (script.running() ? QStringLiteral("▶ ") : QString{}) +
                               (script.unsaved() ? QStringLiteral("● ") : QString{}) + script.title());
    tabs_->setTabToolTip(tab,
                         script.file().empty() ? tr("not saved yet") : QString::fromStdString(script.file().string()));
    updateActions();
}

void MainWindow::fillExamples(QMenu& menu) {
    menu.clear();
    for (const auto& example : exampleScripts()) {
        auto* item = menu.addAction(QString::fromStdString(example.folder + ": " + example.name), this,
                                    [this, file = example.file] { openScript(QString::fromStdString(file.string())); });
        item->setToolTip(QString::fromStdString(example.summary));
    }
    menu.setToolTipsVisible(true);
    if (menu.isEmpty()) menu.addAction(tr("none are installed"))->setEnabled(false);
}

void MainWindow::editScript(unsigned int message) {
    if (ScriptTab* script = currentScript()) script->editor().SendScintilla(message);
}

} // namespace raphe
