// SPDX-License-Identifier: GPL-3.0-or-later
// What a newcomer does at the window, with mouse and keyboard: an NM-RNN from nothing, recorded and replayed without
// the window; mistakes, and the remedies that are offered for them.
#include "engine/base/files.h"
#include "gui/inspector/inspector_panel.h"
#include "gui/mechanisms/mechanism_panel.h"
#include "gui/scripting/commands_panel.h"
#include "gui/shell/main_window.h"
#include "window_support.h"

#include <QApplication>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QMouseEvent>
#include <QProcess>
#include <QPushButton>
#include <QTemporaryDir>
#include <QTest>

namespace raphe {
namespace {

using test::eventually;
using test::plugins;

/// A window with an empty experiment, and hands to build in it.
class Walk : public testing::Test {
protected:
    Walk() : window(plugins(), folder.path().toStdString()) {
        window.resize(1280, 800);
        window.show();
        QApplication::setActiveWindow(&window);
        view = window.create();
        settle();
    }
    void settle() {
        for (int i = 0; i < 5; ++i) QCoreApplication::processEvents();
    }
    const Document& document() { return view->document().document(); }

    /// Searches a mechanism in the list, adds it with Enter and gives it a name.
    void addNode(const QString& mechanism, const QString& name) {
        auto* search = window.findChild<MechanismPanel*>()->findChild<QLineEdit*>();
        search->setFocus();
        search->selectAll();
        QTest::keyClicks(search, mechanism);
        QTest::keyClick(search, Qt::Key_Return);
        settle();
        type("name of the node", name); // what was added is chosen
        ASSERT_TRUE(view->document().experiment().node(name.toStdString())) << name.toStdString();
    }
    QWidget* field(const QString& place) {
        settle();
        auto* found = window.inspector().findChild<QWidget*>(place);
        EXPECT_TRUE(found) << place.toStdString();
        return found;
    }
    /// Into a field of the inspector.
    void type(const QString& place, const QString& text) {
        QWidget* widget = field(place);
        ASSERT_TRUE(widget);
        if (auto* choices = qobject_cast<QComboBox*>(widget)) {
            choices->setFocus();
            const int wanted = choices->findText(text);
            ASSERT_GE(wanted, 0) << place.toStdString() << " " << text.toStdString();
            choices->setCurrentIndex(wanted);
            Q_EMIT choices->textActivated(text);
        } else {
            auto* edit = qobject_cast<QLineEdit*>(widget);
            if (!edit) edit = widget->findChild<QLineEdit*>();
            ASSERT_TRUE(edit);
            edit->setFocus();
            edit->selectAll();
            QTest::keyClicks(edit, text);
            QTest::keyClick(edit, Qt::Key_Return);
        }
        settle();
    }
    void choose(const std::string& node) {
        view->canvas().select({node});
        settle();
    }
    void chooseNothing() {
        view->canvas().select({});
        settle();
    }
    QPoint portOnScreen(const Address& address) {
        for (const NodeItem* item : view->canvas().nodeItems())
            if (item->node().name == address.node)
                return view->mapFromScene(item->portAt(item->node().port(address.port)));
        ADD_FAILURE() << address.text();
        return {};
    }
    /// Drags a wire from port to port, and says what the window explained on the way.
    QString drawWire(const Address& from, const Address& to) {
        QString said;
        const auto listens =
            QObject::connect(&view->canvas(), &CanvasScene::explain, &window, [&said](const QString& sentence, bool) {
                if (!sentence.isEmpty()) said = sentence;
            });
        const QPoint start = portOnScreen(from), end = portOnScreen(to);
        EXPECT_TRUE(view->viewport()->rect().contains(start)) << from.text();
        EXPECT_TRUE(view->viewport()->rect().contains(end)) << to.text();
        auto* target = view->viewport();
        QTest::mousePress(target, Qt::LeftButton, {}, start);
        for (int i = 1; i <= 4; ++i) {
            const QPointF at = QPointF{start} + QPointF{end - start} * i / 4;
            QMouseEvent move{QEvent::MouseMove, at, target->mapToGlobal(at), Qt::NoButton, Qt::LeftButton, {}};
            QCoreApplication::sendEvent(target, &move);
        }
        QTest::mouseRelease(target, Qt::LeftButton, {}, end);
        QObject::disconnect(listens);
        settle();
        return said;
    }
    bool wired(const Address& from, const Address& to) {
        for (const auto& wire : view->document().experiment().wires)
            if (wire.from == from && wire.to == to) return true;
        return false;
    }
    /// Clicks a remedy in the bubble that opens at a port or a node.
    bool clickRemedy(const Address& spot, const QString& title) {
        view->showProblems(spot, view->canvas().placeOf(spot));
        for (auto* button : view->viewport()->findChildren<QPushButton*>())
            if (button->text() == title) {
                QTest::mouseClick(button, Qt::LeftButton);
                settle();
                return true;
            }
        return false;
    }
    /// The same in the inspector, whose remedies are in menus.
    bool chooseRemedy(const QString& title) {
        settle();
        for (auto* button : window.inspector().findChildren<QPushButton*>()) {
            if (!button->menu() || !button->accessibleName().startsWith("Remedies")) continue;
            Q_EMIT button->menu()->aboutToShow();
            for (auto* action : button->menu()->actions())
                if (action->text() == title) {
                    action->trigger();
                    settle();
                    return true;
                }
        }
        return false;
    }
    bool inspectorSays(const QString& words) {
        settle();
        for (auto* label : window.inspector().findChildren<QLabel*>())
            if (label->isVisible() && label->text().contains(words)) return true;
        return false;
    }

    QTemporaryDir folder;
    MainWindow window;
    CanvasView* view = nullptr;
};

/// What a program of Raphe prints, run in a folder.
QByteArray program(const QStringList& arguments, const QString& folder) {
    QProcess process;
    process.setWorkingDirectory(folder);
    process.start(RAPHE_PROGRAM, arguments);
    EXPECT_TRUE(process.waitForFinished(100000));
    EXPECT_EQ(process.exitCode(), 0) << process.readAllStandardError().toStdString();
    return process.readAllStandardOutput();
}

TEST_F(Walk, TheNmRnnBuiltFromNothingIsReplayedWithoutTheWindowToTheSameRunHash) {
    addNode("measure_wait_go", "task");
    addNode("model.rnn", "modulator");
    type("nodes.modulator.units", "5");
    type("nodes.modulator.tau", "100");
    type("nodes.modulator.recurrent_deviation", "0.1");
    addNode("model.dense", "gate");
    type("nodes.gate.units", "3");
    type("nodes.gate.activation", "sigmoid");
    type("nodes.gate.weight_init", "normal");
    type("nodes.gate.weight_deviation", "0.1");
    addNode("low_rank_rnn", "core");
    type("nodes.core.units", "20");
    type("nodes.core.rank", "3");
    type("nodes.core.tau", "10");
    type("nodes.core.orthogonalise", "positive");
    addNode("model.dense", "readout");
    type("nodes.readout.units", "1");
    addNode("rule.supervised", "learner");
    type("nodes.learner.optimiser", "adamw");
    type("nodes.learner.learning_rate", "0.01");
    view->arrange();
    settle();

    const std::vector<std::pair<Address, Address>> wires{{{"task", "observation"}, {"modulator", "input"}},
                                                         {{"modulator", "hidden"}, {"gate", "input"}},
                                                         {{"gate", "output"}, {"core", "gain"}},
                                                         {{"task", "observation"}, {"core", "input"}},
                                                         {{"core", "hidden"}, {"readout", "input"}},
                                                         {{"readout", "output"}, {"learner", "prediction"}},
                                                         {{"task", "target"}, {"learner", "target"}},
                                                         {{"task", "mask"}, {"learner", "mask"}}};
    for (const auto& [from, to] : wires) {
        drawWire(from, to);
        ASSERT_TRUE(wired(from, to)) << from.text() << " -> " << to.text();
    }
    const auto& graph = view->canvas().graph();
    EXPECT_TRUE(std::any_of(graph.wires.begin(), graph.wires.end(), [](const CanvasWire& wire) {
        return wire.modulatory && wire.spec.to == Address{"core", "gain"};
    }));
    chooseNothing();
    type("name", "by hand");
    type("iterations", "6");
    type("trials", "12");
    type("chunk", "4");
    ASSERT_TRUE(document().problems().empty()) << document().problems().front().text();

    const int row = window.run();
    ASSERT_GE(row, 0);
    ASSERT_TRUE(eventually([&] { return window.queue().job(row).status().ended(); }, 100000));
    const auto said = window.queue().job(row).status().message;
    ASSERT_TRUE(said.starts_with("run hash ")) << said;
    const auto hash = said.substr(9);
    EXPECT_EQ(hash.size(), 32u);

    window.commands().saveScript((folder.path() + "/recorded.lua").toStdString());
    program({"lua", "recorded.lua", "made.json"}, folder.path());
    EXPECT_EQ(readBytes((folder.path() + "/made.json").toStdString(), 1 << 24), document().text());
    const auto printed = program({"run", "made.json", "--json", "--out", "again"}, folder.path()).trimmed();
    const auto end = Json::parse(printed.mid(printed.lastIndexOf('\n') + 1).toStdString());
    ASSERT_EQ(end.at("event"), "end");
    EXPECT_EQ(end.at("run_hash"), hash);
    // It is what was built, and no constant, that the hash is of.
    program({"lua", "recorded.lua", "other.json"}, folder.path());
    const auto other =
        program({"run", "other.json", "--json", "--out", "other", "--set", "core.tau=20"}, folder.path()).trimmed();
    EXPECT_NE(Json::parse(other.mid(other.lastIndexOf('\n') + 1).toStdString()).at("run_hash"), hash);
}

TEST_F(Walk, AWireThatClosesACycleWithoutDelayIsExplainedAndMended) {
    addNode("model.dense", "first");
    addNode("model.dense", "second");
    drawWire({"first", "output"}, {"second", "input"});
    // The window says before the drop that the wire will be delayed, and delays it.
    const auto said = drawWire({"second", "output"}, {"first", "input"});
    EXPECT_TRUE(said.contains("closes a cycle")) << said.toStdString();
    ASSERT_TRUE(wired({"second", "output"}, {"first", "input"}));
    const auto closesCycle = [&] {
        for (const auto& problem : document().problems())
            if (problem.sentence.find("closes a cycle") != std::string::npos) return true;
        return false;
    };
    EXPECT_FALSE(closesCycle());
    EXPECT_TRUE(view->canvas().graph().wires.back().delayed);

    window.inspector().showWire(view->document().experiment().wires.back());
    type("delay", "same step");
    ASSERT_TRUE(closesCycle());
    EXPECT_FALSE(view->canvas().graph().wires.back().problems.empty()) << "the wire itself is marked";
    EXPECT_TRUE(inspectorSays("closes a cycle within one time step"));
    ASSERT_TRUE(chooseRemedy("Deliver the value of the previous step"));
    EXPECT_FALSE(closesCycle());
    EXPECT_EQ(view->document().experiment().wires.back().delay, 1);
}

TEST_F(Walk, APatternThatMatchesNothingIsExplainedAndMended) {
    view = window.open("mwg_small_nm_rnn");
    const auto unmatched = [&] {
        std::size_t count = 0;
        for (const auto& problem : document().problems()) count += problem.frozen >= 0;
        return count;
    };
    const auto frozen = [&]() -> const auto& { return view->document().experiment().frozen; };
    const auto mark = frozen().size();
    type("frozen.new", "modulater.*");
    EXPECT_EQ(frozen().size(), mark) << "it is not written";
    ASSERT_TRUE(inspectorSays("No tensor matches this"));
    for (auto* label : window.inspector().findChildren<QLabel*>())
        if (label->text().contains("Did you mean")) {
            EXPECT_TRUE(label->text().contains("modulator.*"));
            Q_EMIT label->linkActivated("modulator.*");
            break;
        }
    settle();
    ASSERT_EQ(frozen().size(), mark + 1);
    EXPECT_EQ(frozen().back(), "modulator.*");
    EXPECT_EQ(unmatched(), 0u);

    // One that was typed in the console, where nothing helps while one types.
    view->document().execute({{"command", "freeze"}, {"pattern", "gaet.weight"}});
    ASSERT_EQ(unmatched(), 1u);
    EXPECT_TRUE(inspectorSays("no tensor matches"));
    ASSERT_TRUE(chooseRemedy("Freeze gate.weight"));
    EXPECT_EQ(unmatched(), 0u);
    EXPECT_EQ(frozen().back(), "gate.weight");
}

} // namespace
} // namespace raphe
