// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/shell/main_window.h"

#include "gui/inspector/inspector_panel.h"
#include "gui/mechanisms/mechanism_panel.h"
#include "gui/running/running_panel.h"
#include "gui/runs/runs_panel.h"
#include "gui/scripting/commands_panel.h"
#include "gui/scripting/console_panel.h"
#include "gui/scripting/script_tab.h"
#include "gui/shell/hint_strip.h"
#include "gui/shell/notice_bar.h"
#include "gui/shell/settings_guard.h"
#include "gui/shell/worker_pool.h"
#include "gui/start/start_page.h"
#include "gui/studies/study_panel.h"
#include "gui/watching/curves_panel.h"
#include "gui/watching/tensor_panel.h"
#include "gui/watching/trial_panel.h"

#include <QCloseEvent>
#include <QDockWidget>
#include <QLabel>
#include <QMessageBox>
#include <QMimeData>
#include <QScreen>
#include <QSettings>
#include <QStatusBar>
#include <QTabBar>
#include <QTabWidget>
#include <QTimer>
#include <QToolButton>
#include <QUrl>
#include <QVBoxLayout>

namespace raphe {
namespace {

constexpr int layoutVersion = 1;
constexpr int trialsHeight = 400, bottomHeight = 290, bottomAtStart = 190;

} // namespace

MainWindow::MainWindow(const PluginHost& plugins, std::filesystem::path runs)
    : plugins_(plugins), queue_(plugins), hints_(new HintStrip), tabs_(new QTabWidget),
      start_(new StartPage{plugins.registry()}), mechanisms_(new MechanismPanel{plugins}),
      inspector_(new InspectorPanel), running_(new RunningPanel{queue_}), curves_(new CurvesPanel{queue_}),
      trials_(new TrialPanel{plugins.registry()}), tensors_(new TensorPanel{*trials_}), runs_(new RunsPanel{runs}),
      studies_(new StudyPanel{plugins, runs.parent_path() / "studies"}), console_(new ConsolePanel{plugins}),
      commands_(new CommandsPanel), notices_(new NoticeBar), state_(new QToolButton), difference_(new QLabel) {
    auto settings = queue_.settings();
    settings.runs = std::move(runs);
    queue_.setSettings(settings);
    setWindowTitle(QStringLiteral("Raphe"));
    setAcceptDrops(true);
    setDockOptions(AnimatedDocks | AllowNestedDocks | AllowTabbedDocks);
    setDockNestingEnabled(true);
    tabs_->setDocumentMode(true);
    tabs_->setTabsClosable(true);
    tabs_->setMovable(false);
    tabs_->addTab(start_, tr("Start"));
    tabs_->tabBar()->setTabButton(0, QTabBar::RightSide, nullptr);
    auto* middle = new QWidget;
    auto* layout = new QVBoxLayout{middle};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(hints_);
    layout->addWidget(notices_);
    layout->addWidget(tabs_, 1);
    setCentralWidget(middle);
    connect(tabs_, &QTabWidget::tabCloseRequested, this, &MainWindow::closeTab);
    connect(tabs_, &QTabWidget::currentChanged, this, [this] {
        CanvasView* view = currentView();
        inspector_->setDocument(view ? &view->document() : nullptr);
        if (view) inspector_->showNodes(view->canvas().selectedNodes());
        bindScripting();
        updateActions();
        showState();
    });
    connect(start_, &StartPage::openWanted, this, &MainWindow::open);
    connect(start_, &StartPage::newWanted, this, &MainWindow::create);

    buildPanels();
    buildActions();
    connectRunning();
    connectScripting();
    state_->setAutoRaise(true);
    state_->setToolTip(tr("Shows everything that is wrong with the document"));
    connect(state_, &QToolButton::clicked, this, [this] {
        if (CanvasView* view = currentView()) view->canvas().clearSelection();
        inspector_->showDocument();
        raisePanel(inspector_);
    });
    statusBar()->addWidget(state_, 1);
    statusBar()->addPermanentWidget(difference_);
    connect(difference_, &QLabel::linkActivated, this, &MainWindow::showDifferences);
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, this, &MainWindow::showState);
    restoreSettings();
    updateActions();
    showState();
    QTimer::singleShot(0, &watchdog_, &StallWatchdog::start); // once there is an event loop
}

MainWindow::~MainWindow() {
    // Scripts end, and what they tell the window, before it is taken apart.
    tabs_->blockSignals(true);
    while (tabs_->count() > 1) delete tabs_->widget(tabs_->count() - 1);
    delete console_;
    for (int row = 0; row < queue_.jobCount(); ++row) queue_.job(row).stop();
    WorkerPool::ofProcess().waitForDone(); // what is computed there may use the plugins
}

QDockWidget* MainWindow::dock(const QString& name, const QString& title, QWidget* widget, Qt::DockWidgetArea area) {
    auto* result = new QDockWidget{title};
    result->setObjectName(name);
    result->setWidget(widget);
    addDockWidget(area, result);
    docks_.push_back(result);
    return result;
}

void MainWindow::buildPanels() {
    setCorner(Qt::BottomLeftCorner, Qt::BottomDockWidgetArea);
    setCorner(Qt::BottomRightCorner, Qt::BottomDockWidgetArea);
    auto* left = dock("mechanisms", tr("Mechanisms"), mechanisms_, Qt::LeftDockWidgetArea);
    auto* right = dock("inspector", tr("Inspector"), inspector_, Qt::RightDockWidgetArea);
    auto* running = dock("running", tr("Running"), running_, Qt::BottomDockWidgetArea);
    auto* curves = dock("curves", tr("Learning curves"), curves_, Qt::BottomDockWidgetArea);
    auto* trials = dock("trials", tr("Trials"), trials_, Qt::BottomDockWidgetArea);
    auto* tensors = dock("tensors", tr("Tensors"), tensors_, Qt::BottomDockWidgetArea);
    auto* stored = dock("runs", tr("Runs"), runs_, Qt::BottomDockWidgetArea);
    auto* studies = dock("studies", tr("Studies"), studies_, Qt::BottomDockWidgetArea);
    auto* console = dock("console", tr("Console"), console_, Qt::BottomDockWidgetArea);
    auto* commands = dock("commands", tr("Commands"), commands_, Qt::BottomDockWidgetArea);
    for (auto* next : {curves, trials, tensors, stored, studies, console, commands}) tabifyDockWidget(running, next);
    running->raise();
    resizeDocks({left, right}, {230, 310}, Qt::Horizontal);
    resizeDocks({running}, {bottomHeight}, Qt::Vertical);
    setTabPosition(Qt::AllDockWidgetAreas, QTabWidget::North);
    defaultLayout_ = saveState(layoutVersion);
    connect(inspector_, &InspectorPanel::searchWanted, this, &MainWindow::searchMechanisms);
    connect(mechanisms_, &MechanismPanel::wanted, this, [this](const QString& key) {
        CanvasView* view = currentView() ? currentView() : create();
        view->addMechanism(key);
    });
}

void MainWindow::searchMechanisms(const QString& words) {
    raisePanel(mechanisms_);
    mechanisms_->search(words);
}

void MainWindow::raisePanel(QWidget* panel) {
    for (auto* item : docks_)
        if (item->widget() == panel) {
            item->show();
            item->raise();
            // Several plots, one above the other, want more room than a list.
            if (item->widget() == trials_ && !item->isFloating() && item->height() < trialsHeight) {
                resizeDocks({item}, {trialsHeight}, Qt::Vertical);
                if (CanvasView* view = currentView()) // the graph keeps its moment in sight
                    QTimer::singleShot(0, view, [view] { view->zoomToFit(); });
            }
        }
}

void MainWindow::resetLayout() {
    restoreState(defaultLayout_, layoutVersion);
    for (auto* item : docks_) item->show();
    resizeDocks({docks_[0], docks_[1]}, {230, 310}, Qt::Horizontal);
    resizeDocks({docks_[2]}, {bottomHeight}, Qt::Vertical);
}

void MainWindow::restoreSettings() {
    bool broken = false;
    resize(1280, 800);
    const QByteArray geometry = readChecked("window/geometry", broken), layout = readChecked("window/layout", broken);
    placed_ = !geometry.isEmpty() && restoreGeometry(geometry);
    if (!layout.isEmpty()) restoreState(layout, layoutVersion); // that of another version is left alone
    if (broken) notify(forgetBroken({"window/geometry", "window/layout"}, tr("The layout of the window")));
    start_->setRecent(recent());
}

void MainWindow::fitScreen() {
    if (placed_) return;
    // The start page comes first; the panels below have nothing to show before there is a document.
    resizeDocks({docks_[2]}, {bottomAtStart}, Qt::Vertical);
    connect(
        tabs_, &QTabWidget::currentChanged, this, [this] { resizeDocks({docks_[2]}, {bottomHeight}, Qt::Vertical); },
        Qt::SingleShotConnection);
    const QSize room = screen()->availableSize();
    if (room.width() < 1400 || room.height() < 900) { // every pixel is wanted, and none beyond the screen
        resize(room);
        setWindowState(windowState() | Qt::WindowMaximized);
        return;
    }
    resize((room * 0.88).boundedTo({1720, 1080}));
    move(screen()->availableGeometry().center() - rect().center());
    resizeDocks({docks_[0], docks_[1]}, {250, 350}, Qt::Horizontal);
}

void MainWindow::saveSettings() {
    storeChecked("window/geometry", saveGeometry());
    storeChecked("window/layout", saveState(layoutVersion));
}

bool MainWindow::mayQuit() {
    QStringList unsaved, running;
    for (int tab = 1; tab < tabs_->count(); ++tab) {
        if (auto* view = qobject_cast<CanvasView*>(tabs_->widget(tab)); view && view->document().document().modified())
            unsaved << view->document().title();
        auto* script = qobject_cast<ScriptTab*>(tabs_->widget(tab));
        if (script && script->unsaved()) unsaved << script->title();
        if (script && script->running()) running << tr("%1 is running and is stopped.").arg(script->title());
    }
    if (console_->running()) running << tr("What runs in the console is stopped.");
    if (queue_.anyActive() || studies_->study().running())
        running << tr("Runs are under way: they are stopped after a checkpoint, and can be resumed.");
    if (unsaved.isEmpty() && running.isEmpty()) return true;

    QMessageBox box{QMessageBox::Question, tr("Quit"), {}, QMessageBox::Cancel, this};
    const QString names =
        QStringList{unsaved.mid(0, 8)}.join(", ") + (unsaved.size() > 8 ? QStringLiteral(", …") : QString{});
    box.setText(unsaved.isEmpty() ? tr("Quit while something is running?")
                : unsaved.size() == 1
                    ? tr("Save the changes of %1 before quitting?").arg(names)
                    : tr("Save the changes of these %1 before quitting?\n%2").arg(unsaved.size()).arg(names));
    box.setInformativeText(running.join('\n'));
    if (unsaved.isEmpty()) {
        box.addButton(tr("&Quit"), QMessageBox::AcceptRole);
    } else {
        box.addButton(unsaved.size() == 1 ? QMessageBox::Save : QMessageBox::SaveAll);
        box.addButton(QMessageBox::Discard);
        box.setDefaultButton(unsaved.size() == 1 ? QMessageBox::Save : QMessageBox::SaveAll);
    }
    box.exec();
    const auto role = box.clickedButton() ? box.buttonRole(box.clickedButton()) : QMessageBox::RejectRole;
    if (role == QMessageBox::RejectRole) return false;
    if (role == QMessageBox::DestructiveRole || unsaved.isEmpty()) return true;
    for (int tab = 1; tab < tabs_->count(); ++tab) { // nothing is closed before all is saved
        if (auto* view = qobject_cast<CanvasView*>(tabs_->widget(tab));
            view && view->document().document().modified()) {
            tabs_->setCurrentIndex(tab);
            if (!save(*view, false)) return false;
        } else if (auto* script = qobject_cast<ScriptTab*>(tabs_->widget(tab)); script && script->unsaved()) {
            tabs_->setCurrentIndex(tab);
            if (!saveScript(*script, false)) return false;
        }
    }
    return true;
}

void MainWindow::closeEvent(QCloseEvent* event) {
    if (!mayQuit()) {
        event->ignore();
        return;
    }
    while (tabs_->count() > 1) {
        QWidget* tab = tabs_->widget(tabs_->count() - 1);
        tabs_->removeTab(tabs_->count() - 1);
        delete tab;
    }
    console_->stop();
    for (int row = 0; row < queue_.jobCount(); ++row) queue_.job(row).stop();
    saveSettings();
    event->accept();
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
    for (const QUrl& url : event->mimeData()->urls())
        if (url.isLocalFile()) open(url.toLocalFile());
}

} // namespace raphe
