// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/shell/main_window.h"

#include "gui/inspector/inspector_panel.h"
#include "gui/mechanisms/mechanism_panel.h"
#include "gui/running/running_panel.h"
#include "gui/runs/runs_panel.h"
#include "gui/shell/hint_strip.h"
#include "gui/start/start_page.h"
#include "gui/studies/study_panel.h"
#include "gui/watching/curves_panel.h"
#include "gui/watching/tensor_panel.h"
#include "gui/watching/trial_panel.h"

#include <QCloseEvent>
#include <QDockWidget>
#include <QFontDatabase>
#include <QLabel>
#include <QMessageBox>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QSettings>
#include <QStatusBar>
#include <QTabBar>
#include <QTabWidget>
#include <QThreadPool>
#include <QTimer>
#include <QToolButton>
#include <QUrl>
#include <QVBoxLayout>

namespace raphe {
namespace {

constexpr int layoutVersion = 1;
constexpr int trialsHeight = 400;

} // namespace

MainWindow::MainWindow(const PluginHost& plugins, std::filesystem::path runs)
    : plugins_(plugins), queue_(plugins), hints_(new HintStrip), tabs_(new QTabWidget),
      start_(new StartPage{plugins.registry()}), mechanisms_(new MechanismPanel{plugins}),
      inspector_(new InspectorPanel), running_(new RunningPanel{queue_}), curves_(new CurvesPanel{queue_}),
      trials_(new TrialPanel{plugins.registry()}), tensors_(new TensorPanel{*trials_}), runs_(new RunsPanel{runs}),
      studies_(new StudyPanel{plugins, runs.parent_path() / "studies"}), echo_(new QPlainTextEdit),
      state_(new QToolButton), difference_(new QLabel) {
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
    auto* center = new QWidget;
    auto* layout = new QVBoxLayout{center};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(hints_);
    layout->addWidget(tabs_, 1);
    setCentralWidget(center);
    connect(tabs_, &QTabWidget::tabCloseRequested, this, &MainWindow::closeTab);
    connect(tabs_, &QTabWidget::currentChanged, this, [this] {
        CanvasView* view = currentView();
        inspector_->setDocument(view ? &view->document() : nullptr);
        if (view) inspector_->showNodes(view->canvas().selectedNodes());
        updateActions();
        showState();
    });
    connect(start_, &StartPage::openWanted, this, &MainWindow::open);
    connect(start_, &StartPage::newWanted, this, &MainWindow::create);

    buildPanels();
    buildActions();
    connectRunning();
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
    for (int row = 0; row < queue_.jobCount(); ++row) queue_.job(row).stop();
    QThreadPool::globalInstance()->waitForDone(); // what is computed there may use the plugins
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
    echo_->setReadOnly(true);
    echo_->setMaximumBlockCount(2000);
    echo_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    echo_->setPlaceholderText(tr("What is done to a document appears here as Lua."));
    auto* echo = dock("commands", tr("Commands"), echo_, Qt::BottomDockWidgetArea);
    for (auto* next : {curves, trials, tensors, stored, studies, echo}) tabifyDockWidget(running, next);
    running->raise();
    resizeDocks({left, right}, {230, 310}, Qt::Horizontal);
    resizeDocks({running}, {290}, Qt::Vertical);
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
    resizeDocks({docks_[2]}, {290}, Qt::Vertical);
}

void MainWindow::restoreSettings() {
    const QSettings settings;
    resize(1280, 800);
    restoreGeometry(settings.value("window/geometry").toByteArray());
    restoreState(settings.value("window/layout").toByteArray(), layoutVersion); // one that does not fit is left alone
    start_->setRecent(recent());
}

void MainWindow::saveSettings() {
    QSettings settings;
    settings.setValue("window/geometry", saveGeometry());
    settings.setValue("window/layout", saveState(layoutVersion));
}

void MainWindow::closeEvent(QCloseEvent* event) {
    if (queue_.anyActive() || studies_->study().running()) {
        const auto answer = QMessageBox::question(
            this, tr("Quit"), tr("Runs are under way. Quit, and stop them after a checkpoint? They can be resumed."),
            QMessageBox::Yes | QMessageBox::Cancel);
        if (answer != QMessageBox::Yes) {
            event->ignore();
            return;
        }
    }
    while (tabs_->count() > 1)
        if (!closeTab(tabs_->count() - 1)) {
            event->ignore();
            return;
        }
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
