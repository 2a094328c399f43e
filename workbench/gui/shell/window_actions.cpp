// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/document/experiment.h"
#include "gui/mechanisms/mechanism_panel.h"
#include "gui/running/running_panel.h"
#include "gui/runs/runs_panel.h"
#include "gui/scripting/script_tab.h"
#include "gui/shell/command_palette.h"
#include "gui/shell/hint_strip.h"
#include "gui/shell/icons.h"
#include "gui/shell/main_window.h"
#include "gui/start/start_page.h"

#include <QActionGroup>
#include <QApplication>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenuBar>
#include <QMessageBox>
#include <QSettings>
#include <QToolBar>

namespace raphe {
namespace {

QString plain(QString text) { return text.remove('&').remove(QStringLiteral("…")); }

} // namespace

QAction* MainWindow::action(const QString& text, const QKeySequence& shortcut, const std::function<void()>& act) {
    auto* result = new QAction{text, this};
    if (!shortcut.isEmpty()) result->setShortcut(shortcut);
    connect(result, &QAction::triggered, this, act);
    return result;
}

QAction* MainWindow::viewAction(const QString& text, const QKeySequence& shortcut, void (CanvasView::*act)()) {
    auto* result = action(text, shortcut, [this, act] {
        if (CanvasView* view = currentView()) (view->*act)();
    });
    needDocument_.push_back(result);
    return result;
}

void MainWindow::buildActions() {
    QMenu* file = menuBar()->addMenu(tr("&File"));
    auto* fresh = action(tr("&New experiment"), QKeySequence::New, [this] { create(); });
    auto* browse = action(tr("&Open…"), QKeySequence::Open, [this] {
        const QString name = QFileDialog::getOpenFileName(this, tr("Open experiment or script"), {},
                                                          tr("Experiments and scripts (*.json *.lua);;All files (*)"));
        if (!name.isEmpty()) open(name);
    });
    connect(start_, &StartPage::browseWanted, browse, &QAction::trigger);
    auto* freshScript =
        action(tr("New s&cript"), QKeySequence{Qt::CTRL | Qt::SHIFT | Qt::Key_N}, [this] { createScript(); });
    file->addActions({fresh, freshScript, browse});
    QMenu* examples = file->addMenu(tr("E&xample scripts"));
    connect(examples, &QMenu::aboutToShow, this, [this, examples] { fillExamples(*examples); });
    fillExamples(*examples);
    recentMenu_ = file->addMenu(tr("Open &recent"));
    connect(recentMenu_, &QMenu::aboutToShow, this, [this] {
        recentMenu_->clear();
        for (const QString& name : recent()) recentMenu_->addAction(name, this, [this, name] { open(name); });
        if (recent().isEmpty()) recentMenu_->addAction(tr("nothing yet"))->setEnabled(false);
    });
    file->addSeparator();
    save_ = action(tr("&Save"), QKeySequence::Save, [this] {
        if (CanvasView* view = currentView()) save(*view, false);
        if (ScriptTab* script = currentScript()) saveScript(*script, false);
    });
    saveAs_ = action(tr("Save &as…"), QKeySequence{Qt::CTRL | Qt::SHIFT | Qt::Key_S}, [this] {
        if (CanvasView* view = currentView()) save(*view, true);
        if (ScriptTab* script = currentScript()) saveScript(*script, true);
    });
    close_ = action(tr("&Close"), QKeySequence{Qt::CTRL | Qt::Key_W}, [this] { closeTab(tabs_->currentIndex()); });
    needDocument_.insert(needDocument_.end(), {saveAs_, close_});
    file->addActions({save_, saveAs_, viewAction(tr("&Export picture of the graph…"), {}, &CanvasView::exportPicture)});
    file->addSeparator();
    file->addActions({close_, action(tr("&Quit"), QKeySequence{Qt::CTRL | Qt::Key_Q}, [this] { close(); })});

    QMenu* edit = menuBar()->addMenu(tr("&Edit"));
    QMenu* view = menuBar()->addMenu(tr("&View"));
    undo_ = action(tr("&Undo"), QKeySequence::Undo, [this] {
        if (CanvasView* view = currentView()) view->document().undo();
        editScript(QsciScintillaBase::SCI_UNDO);
    });
    redo_ = action(tr("&Redo"), QKeySequence{Qt::CTRL | Qt::SHIFT | Qt::Key_Z}, [this] {
        if (CanvasView* view = currentView()) view->document().redo();
        editScript(QsciScintillaBase::SCI_REDO);
    });
    redo_->setShortcuts({QKeySequence{Qt::CTRL | Qt::SHIFT | Qt::Key_Z}, QKeySequence{Qt::CTRL | Qt::Key_Y}});
    edit->addActions({undo_, redo_});
    edit->addSeparator();
    cut_ = viewAction(tr("Cu&t"), QKeySequence::Cut, &CanvasView::cutSelection);
    copy_ = viewAction(tr("&Copy"), QKeySequence::Copy, &CanvasView::copySelection);
    paste_ = viewAction(tr("&Paste"), QKeySequence::Paste, &CanvasView::paste);
    selectAll_ = viewAction(tr("Select &all"), QKeySequence::SelectAll, &CanvasView::selectAll);
    for (const auto& [item, message] :
         {std::pair{cut_, QsciScintillaBase::SCI_CUT}, std::pair{copy_, QsciScintillaBase::SCI_COPY},
          std::pair{paste_, QsciScintillaBase::SCI_PASTE}, std::pair{selectAll_, QsciScintillaBase::SCI_SELECTALL}})
        connect(item, &QAction::triggered, this, [this, message = message] { editScript(message); });
    edit->addActions({cut_, copy_, paste_,
                      viewAction(tr("&Duplicate"), QKeySequence{Qt::CTRL | Qt::Key_D}, &CanvasView::duplicateSelection),
                      viewAction(tr("De&lete"), QKeySequence::Delete, &CanvasView::removeSelection), selectAll_});
    buildCanvasActions(*edit, *view);
    edit->addSeparator();
    edit->addActions({action(tr("Add &mechanism"), QKeySequence{Qt::CTRL | Qt::Key_M},
                             [this] {
                                 raisePanel(mechanisms_);
                                 mechanisms_->focusSearch();
                             }),
                      action(tr("Command &palette…"), QKeySequence{Qt::CTRL | Qt::Key_K}, [this] { showPalette(); })});

    auto* larger = action(tr("Zoom &in"), QKeySequence::ZoomIn, [this] {
        if (CanvasView* canvas = currentView()) canvas->zoomBy(1.2);
    });
    auto* smaller = action(tr("Zoom &out"), QKeySequence::ZoomOut, [this] {
        if (CanvasView* canvas = currentView()) canvas->zoomBy(1 / 1.2);
    });
    needDocument_.insert(needDocument_.end(), {larger, smaller});
    auto* fit = viewAction(tr("Zoom to &fit"), QKeySequence{Qt::CTRL | Qt::Key_0}, &CanvasView::zoomToFit);
    auto* arrange =
        viewAction(tr("&Arrange the graph"), QKeySequence{Qt::CTRL | Qt::SHIFT | Qt::Key_A}, &CanvasView::arrange);
    view->addActions({larger, smaller, fit, arrange});
    view->addSeparator();
    QMenu* panels = view->addMenu(tr("&Panels"));
    for (auto* item : docks_) panels->addAction(item->toggleViewAction());
    view->addAction(action(tr("&Reset layout"), {}, [this] { resetLayout(); }));
    QMenu* looks = view->addMenu(tr("&Colours"));
    auto* group = new QActionGroup{this};
    const int chosen = QSettings{}.value("window/appearance", 0).toInt();
    for (const auto& [name, appearance] :
         {std::pair{tr("As the &system"), Appearance::system}, std::pair{tr("&Light"), Appearance::light},
          std::pair{tr("&Dark"), Appearance::dark}}) {
        auto* look = action(name, {}, [this, appearance = appearance] { setAppearance(appearance); });
        look->setCheckable(true);
        look->setChecked(chosen == static_cast<int>(appearance));
        group->addAction(look);
        looks->addAction(look);
    }

    QMenu* runMenu = menuBar()->addMenu(tr("&Run"));
    run_ = action(tr("&Run"), QKeySequence{Qt::Key_F5}, [this] {
        if (ScriptTab* script = currentScript())
            script->run();
        else
            run();
    });
    runSeed_ = action(tr("Run with &another seed"), QKeySequence{Qt::CTRL | Qt::Key_F5}, [this] { run(false, true); });
    pause_ = action(tr("&Pause"), QKeySequence{Qt::Key_F6}, [this] {
        const int row = running_->currentRow();
        if (row < 0) return;
        RunJob& job = queue_.job(row);
        if (job.status().state == JobState::paused)
            job.resume();
        else
            job.pause();
    });
    step_ = action(tr("&One iteration"), QKeySequence{Qt::Key_F10}, [this] {
        const int row = running_->currentRow();
        if (row >= 0 && queue_.job(row).status().state == JobState::paused)
            queue_.job(row).step();
        else
            run(true);
    });
    stop_ = action(tr("&Stop"), QKeySequence{Qt::SHIFT | Qt::Key_F5}, [this] {
        if (ScriptTab* script = currentScript(); script && script->running())
            script->stop();
        else if (const int row = running_->currentRow(); row >= 0)
            queue_.job(row).stop();
    });
    play_ = action(tr("Play &trials"), QKeySequence{Qt::Key_F8}, [this] {
        if (const int row = running_->currentRow(); row >= 0)
            trialsOfJob(row);
        else
            trialsOfDocument();
    });
    runMenu->addActions({run_, runSeed_, step_, pause_, stop_});
    runMenu->addSeparator();
    runMenu->addActions({play_, action(tr("Trials of the &untrained document"), {}, [this] { trialsOfDocument(); })});
    needDocument_.insert(needDocument_.end(), {run_, runSeed_, runMenu->actions().back()});

    QMenu* help = menuBar()->addMenu(tr("&Help"));
    help->addAction(action(tr("&First steps"), {}, [this] { hints_->begin(); }));
    help->addAction(action(tr("&Diagnostics"), {}, [this] { showDiagnostics(); }));
    help->addAction(action(tr("&About Raphe"), {}, [this] {
        QMessageBox::about(this, tr("About Raphe"),
                           tr("<b>Raphe %1</b><p>A workbench for neuromodulated neural networks.</p>"
                              "<p>The window is free software under the GPL, version 3 or later.</p>")
                               .arg(QApplication::applicationVersion()));
    }));

    auto* bar = addToolBar(tr("Tools"));
    bar->setObjectName("tools");
    bar->setMovable(false);
    bar->setIconSize({22, 22});
    icons_ = {{fresh, static_cast<int>(Symbol::add)},       {browse, static_cast<int>(Symbol::open)},
              {save_, static_cast<int>(Symbol::save)},      {undo_, static_cast<int>(Symbol::undo)},
              {redo_, static_cast<int>(Symbol::redo)},      {fit, static_cast<int>(Symbol::fit)},
              {arrange, static_cast<int>(Symbol::arrange)}, {run_, static_cast<int>(Symbol::run)},
              {step_, static_cast<int>(Symbol::step)},      {pause_, static_cast<int>(Symbol::pause)},
              {stop_, static_cast<int>(Symbol::stop)}};
    bar->addActions({fresh, browse, save_});
    bar->addSeparator();
    bar->addActions({undo_, redo_, fit, arrange});
    bar->addSeparator();
    bar->addActions({run_, step_, pause_, stop_, play_});
    updateIcons();
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, this, &MainWindow::updateIcons);
}

void MainWindow::updateIcons() {
    for (const auto& [item, symbol] : icons_) item->setIcon(icon(static_cast<Symbol>(symbol)));
}

void MainWindow::setAppearance(Appearance appearance) {
    QSettings{}.setValue("window/appearance", static_cast<int>(appearance));
    applyAppearance(*qApp, appearance);
}

void MainWindow::updateActions() {
    CanvasView* view = currentView();
    for (QAction* item : needDocument_) item->setEnabled(view != nullptr);
    close_->setEnabled(tabs_->currentIndex() > 0);
    const Document* document = view ? &view->document().document() : nullptr;
    undo_->setEnabled(document && document->canUndo());
    redo_->setEnabled(document && document->canRedo());
    undo_->setText(document && document->canUndo() ? tr("&Undo: %1").arg(QString::fromStdString(document->undoTitle()))
                                                   : tr("&Undo"));
    redo_->setText(document && document->canRedo() ? tr("&Redo: %1").arg(QString::fromStdString(document->redoTitle()))
                                                   : tr("&Redo"));
    save_->setEnabled(document && (document->modified() || document->path().empty()));
    const int row = running_->currentRow();
    const JobState state = row >= 0 ? queue_.job(row).status().state : JobState::done;
    const bool paused = state == JobState::paused;
    pause_->setEnabled(paused || state == JobState::running);
    pause_->setText(paused ? tr("&Go on") : tr("&Pause"));
    stop_->setEnabled(row >= 0 && state < JobState::stopping);
    step_->setEnabled(paused || view != nullptr);
    play_->setEnabled(row >= 0 || view != nullptr);
    ScriptTab* script = currentScript();
    if (!script) return;
    for (QAction* item : {close_, saveAs_, undo_, redo_, cut_, copy_, paste_, selectAll_}) item->setEnabled(true);
    save_->setEnabled(script->unsaved() || script->file().empty());
    run_->setEnabled(!script->running());
    if (script->running()) stop_->setEnabled(true);
}

void MainWindow::showPalette() {
    std::vector<PaletteEntry> entries;
    const std::function<void(const QMenu*, const QString&)> collect = [&](const QMenu* menu, const QString& path) {
        for (QAction* item : menu->actions()) {
            if (item->menu()) {
                if (item->menu() != recentMenu_) collect(item->menu(), path + plain(item->text()) + ": ");
            } else if (!item->isSeparator() && item->isEnabled()) {
                entries.push_back({path + plain(item->text()), item->shortcut().toString(QKeySequence::NativeText),
                                   [item] { item->trigger(); }});
            }
        }
    };
    for (QAction* menu : menuBar()->actions()) collect(menu->menu(), {});
    for (const auto& key : plugins_.registry().keys()) {
        const QString name = QString::fromStdString(key);
        entries.push_back({tr("Add %1").arg(name),
                           QString::fromStdString(plugins_.registry().find(key, key).declaration.summary),
                           [this, name] { Q_EMIT mechanisms_->wanted(name); }});
    }
    for (const QString& name : recent())
        entries.push_back({tr("Open %1").arg(QFileInfo{name}.completeBaseName()), name, [this, name] { open(name); }});
    for (const auto& name : experimentNames()) {
        const QString shipped = QString::fromStdString(name);
        entries.push_back({tr("Open %1").arg(shipped), tr("comes with Raphe"), [this, shipped] { open(shipped); }});
    }
    (new CommandPalette{std::move(entries), this})->show();
}

} // namespace raphe
