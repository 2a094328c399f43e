// SPDX-License-Identifier: GPL-3.0-or-later
// A monkey at the window: random events over all of it, with an experiment open. RAPHE_MONKEY_EVENTS and
// RAPHE_MONKEY_SEED choose how many and which.
#include "dialog_answers.h"
#include "gui/scripting/console_panel.h"
#include "gui/scripting/script_tab.h"
#include "gui/shell/command_palette.h"
#include "gui/shell/main_window.h"
#include "window_support.h"

#include <QAbstractItemView>
#include <QAction>
#include <QClipboard>
#include <QDir>
#include <QDockWidget>
#include <QMenuBar>
#include <QMimeData>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QWheelEvent>

#include <random>
#include <set>

namespace raphe {
namespace {

using test::DialogAnswers;
using test::eventually;
using test::plugins;

std::vector<std::string> complaints;
QtMessageHandler previousHandler = nullptr;

/// What Qt has to say of lifetimes, painters and layouts is a mistake of ours.
void listen(QtMsgType type, const QMessageLogContext& context, const QString& text) {
    static const QStringList harmless{"This plugin does not support", "propagateSizeHints", "QFont", "fontconfig",
                                      "not accepted by receiving widget"}; // a drag over what takes none
    if (type != QtDebugMsg && type != QtInfoMsg &&
        std::none_of(harmless.begin(), harmless.end(), [&](const QString& part) { return text.contains(part); }))
        complaints.push_back(text.toStdString());
    previousHandler(type, context, text);
}

class Monkey {
public:
    Monkey(MainWindow& window, std::uint32_t seed) : window_(window), random_(seed) {}

    /// For whoever keeps time: whether an event is under way, perhaps in an event loop of its own.
    bool acting() const { return acting_; }
    void menu(QMenu& menu) {
        std::vector<QAction*> items;
        for (auto* item : menu.actions())
            if (item->isEnabled() && item->isVisible() && !item->menu() && !item->isSeparator() && !dangerous(*item))
                items.push_back(item);
        if (items.empty() || below(2) == 0) {
            menu.close();
            return;
        }
        menu.setActiveAction(any(items));
        QTest::keyClick(&menu, Qt::Key_Return);
        if (menu.isVisible()) menu.close();
    }
    void act() {
        acting_ = true;
        actOnce();
        acting_ = false;
    }
    const std::string& last() const { return last_; }

private:
    void actOnce() {
        switch (below(20)) {
        case 0:
        case 1:
        case 2:
        case 3:
        case 4:
            return click();
        case 5:
        case 6:
        case 7:
            return drag();
        case 8:
        case 9:
            return wheel();
        case 10:
        case 11:
        case 12:
        case 13:
            return key();
        case 14:
        case 15:
        case 16:
            return trigger();
        case 17:
            return type();
        case 18:
            return below(3) == 0 ? resize() : frontDocument();
        default:
            QCoreApplication::processEvents();
        }
    }
    /// It stays at the window.
    static bool dangerous(const QAction& action) { return QString{action.text()}.remove('&') == "Quit"; }

    std::size_t below(std::size_t n) { return n == 0 ? 0 : random_() % n; }
    template <class T>
    T any(const std::vector<T>& list) {
        return list[below(list.size())];
    }

    /// A visible widget that takes events, and a place on it; a popup hides all others.
    QWidget* target(QPoint& at) {
        QWidget* top = QApplication::activePopupWidget();
        if (!top) top = QApplication::activeModalWidget();
        if (!top) top = &window_;
        std::vector<QWidget*> widgets{top};
        for (auto* widget : top->findChildren<QWidget*>())
            if (widget->isVisible() && widget->isEnabled() && !widget->visibleRegion().isEmpty())
                widgets.push_back(widget);
        QWidget* widget = any(widgets);
        const QRect area = widget->rect();
        at = {static_cast<int>(below(static_cast<std::size_t>(std::max(1, area.width())))),
              static_cast<int>(below(static_cast<std::size_t>(std::max(1, area.height()))))};
        if (auto* child = widget->childAt(at)) { // as a mouse finds it
            at = child->mapFrom(widget, at);
            widget = child;
        }
        last_ = std::string(widget->metaObject()->className()) + " " + widget->objectName().toStdString();
        return widget;
    }
    Qt::KeyboardModifiers modifiers() {
        return below(4) != 0 ? Qt::NoModifier
                             : any<Qt::KeyboardModifier>({Qt::ShiftModifier, Qt::ControlModifier, Qt::AltModifier});
    }
    Qt::MouseButton button() {
        return any<Qt::MouseButton>(
            {Qt::LeftButton, Qt::LeftButton, Qt::LeftButton, Qt::RightButton, Qt::MiddleButton});
    }

    void click() {
        QPoint at;
        const QPointer<QWidget> widget = target(at);
        last_ = "click on " + last_;
        const auto which = button();
        if (below(6) == 0)
            QTest::mouseDClick(widget, which, modifiers(), at);
        else
            QTest::mouseClick(widget, which, modifiers(), at);
        if (widget && which == Qt::RightButton) {
            QContextMenuEvent event{QContextMenuEvent::Mouse, at, widget->mapToGlobal(at)};
            QApplication::sendEvent(widget, &event);
        }
    }
    void drag() {
        QPoint at;
        const QPointer<QWidget> widget = target(at);
        last_ = "drag on " + last_;
        // Drags between widgets run an event loop of their own that waits for the platform's mouse.
        if (qobject_cast<QAbstractItemView*>(widget->parentWidget())) return;
        const auto which = button();
        QTest::mousePress(widget, which, modifiers(), at);
        for (std::size_t step = 1 + below(5); step > 0 && widget; --step) {
            at += QPoint{static_cast<int>(below(161)) - 80, static_cast<int>(below(121)) - 60};
            QMouseEvent move{QEvent::MouseMove, QPointF{at}, QPointF{widget->mapToGlobal(at)},
                             Qt::NoButton,      which,       Qt::NoModifier};
            QApplication::sendEvent(widget, &move);
            if (below(4) == 0) QCoreApplication::processEvents();
        }
        if (widget) QTest::mouseRelease(widget, which, Qt::NoModifier, at);
    }
    void wheel() {
        QPoint at;
        QWidget* widget = target(at);
        last_ = "wheel on " + last_;
        const QPoint turn{0, below(2) == 0 ? 120 : -120};
        QWheelEvent event{
            QPointF{at}, QPointF{widget->mapToGlobal(at)}, {}, turn, Qt::NoButton, modifiers(), Qt::NoScrollPhase,
            false};
        QApplication::sendEvent(widget, &event);
    }
    QWidget* focused() {
        if (auto* popup = QApplication::activePopupWidget()) return popup;
        if (auto* modal = QApplication::activeModalWidget()) return modal->focusWidget() ? modal->focusWidget() : modal;
        return window_.focusWidget() ? window_.focusWidget() : &window_;
    }
    void key() {
        static const std::vector<Qt::Key> keys{Qt::Key_Tab,      Qt::Key_Backtab,   Qt::Key_Return, Qt::Key_Escape,
                                               Qt::Key_Up,       Qt::Key_Down,      Qt::Key_Left,   Qt::Key_Right,
                                               Qt::Key_Delete,   Qt::Key_Backspace, Qt::Key_Home,   Qt::Key_End,
                                               Qt::Key_PageDown, Qt::Key_Space,     Qt::Key_A,      Qt::Key_1,
                                               Qt::Key_Minus,    Qt::Key_Period,    Qt::Key_F2,     Qt::Key_Plus};
        auto* widget = focused();
        last_ = "key on " + std::string(widget->metaObject()->className());
        QTest::keyClick(widget, any(keys), modifiers());
    }
    void type() {
        static const std::vector<QString> texts{
            "12", "-3.5e2",          "agent", "e:undo()", "tanh",   "[1, 2]",  "e:add_node(\"x\", \"model.dense\")",
            "ü",  "for i = 1, 3 do", "zzz",   "0",        "raphe.", "\"agent."};
        auto* widget = focused();
        last_ = "text on " + std::string(widget->metaObject()->className());
        for (const QChar letter : any(texts)) // not keyClicks(), which knows ASCII only
            QTest::sendKeyEvent(QTest::Click, widget, Qt::Key_unknown, QString{letter}, Qt::NoModifier);
    }
    void trigger() {
        std::vector<QAction*> actions;
        for (auto* action : window_.findChildren<QAction*>())
            if (action->isEnabled() && action->isVisible() && !action->menu() && !action->isSeparator())
                actions.push_back(action);
        QAction* action = any(actions);
        last_ = "action " + action->text().toStdString();
        if (!dangerous(*action)) action->trigger();
    }
    void resize() {
        last_ = "resize";
        window_.resize(400 + static_cast<int>(below(1200)), 300 + static_cast<int>(below(700)));
    }
    /// Most of what it does shall meet a document.
    void frontDocument() {
        last_ = "document to front";
        auto* tabs = window_.centralWidget()->findChild<QTabWidget*>();
        if (tabs->count() > 1)
            tabs->setCurrentIndex(1 + static_cast<int>(below(static_cast<std::size_t>(tabs->count() - 1))));
    }

    MainWindow& window_;
    std::mt19937 random_;
    std::string last_;
    bool acting_ = false;
};

std::set<QString> temporaryEntries() {
    const auto list = QDir{QDir::tempPath()}.entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot);
    return {list.begin(), list.end()};
}

TEST(MonkeyTest, LeavesASoundWindowAndADocumentThatCanBeUndone) {
    const int events = qEnvironmentVariableIntValue("RAPHE_MONKEY_EVENTS") > 0
                           ? qEnvironmentVariableIntValue("RAPHE_MONKEY_EVENTS")
                           : 1500;
    const auto seed = qEnvironmentVariableIsSet("RAPHE_MONKEY_SEED")
                          ? static_cast<std::uint32_t>(qEnvironmentVariableIntValue("RAPHE_MONKEY_SEED"))
                          : 1u; // the same in every run, so that a failure is one of the change
    std::printf("seed %u, %d events (RAPHE_MONKEY_SEED, RAPHE_MONKEY_EVENTS)\n", seed, events);
    std::fflush(stdout);
    QTemporaryDir folder, temporary; // others may leave something in the usual place meanwhile
    qputenv("TMPDIR", temporary.path().toLocal8Bit());
    const auto before = temporaryEntries();
    complaints.clear();
    previousHandler = qInstallMessageHandler(listen);
    std::string lastAction;
    {
        MainWindow window{plugins(), folder.path().toStdString()};
        window.resize(1280, 800);
        window.show();
        CanvasView* first = window.open("cue_small_A_simple");
        ASSERT_TRUE(first);
        Monkey monkey{window, seed};
        DialogAnswers answers{{"Discard", "Cancel", "OK", "Close"}};
        answers.onMenu = [&](QMenu& menu) { monkey.menu(menu); };
        // A drag of text waits in a loop of its own for a mouse that there is not.
        answers.otherwise = [&] {
            if (monkey.acting() && QApplication::activePopupWidget() == nullptr)
                QTest::keyClick(&window, Qt::Key_Escape);
        };
        for (int i = 0; i < events; ++i) {
            auto* tabs = window.centralWidget()->findChild<QTabWidget*>();
            if (tabs->count() == 1) window.open("cue_small_A_simple");
            while (tabs->count() > 6) Q_EMIT tabs->tabCloseRequested(tabs->count() - 1);
            monkey.act();
            if (i % 50 == 0 && i > 0) QCoreApplication::processEvents();
            lastAction = monkey.last();
            if (!window.isVisible()) window.show();
            if (testing::Test::HasFailure()) break;
            for (const auto& complaint : complaints)
                ADD_FAILURE() << "event " << i << ", " << lastAction << ": " << complaint;
        }
        while (auto* popup = QApplication::activePopupWidget()) popup->close();
        window.console().stop();
        for (int row = 0; row < window.queue().jobCount(); ++row) window.queue().job(row).stop();
        for (auto* script : window.findChildren<ScriptTab*>()) script->stop();
        EXPECT_TRUE(eventually([&] { return !window.queue().anyActive() && !window.console().running(); }, 60000));
        for (auto* view : window.findChildren<CanvasView*>()) {
            const auto& document = view->document().document();
            for (const auto& problem : document.problems()) EXPECT_FALSE(problem.sentence.empty());
            while (view->document().document().canUndo()) view->document().undo();
            EXPECT_EQ(document.text(), document.startText());
        }
        window.close();
    }
    qInstallMessageHandler(previousHandler);
    QCoreApplication::processEvents();
    for (const auto& complaint : complaints) ADD_FAILURE() << "at the end, after " << lastAction << ": " << complaint;
    for (const QString& entry : temporaryEntries())
        EXPECT_TRUE(before.count(entry) != 0 || !entry.startsWith("raphe")) << entry.toStdString();
}

} // namespace
} // namespace raphe
