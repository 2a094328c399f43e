// SPDX-License-Identifier: GPL-3.0-or-later
// What one does on the graph beside drawing: search, alignment, overview, keyboard, remedies, interventions.
#include "canvas_support.h"
#include "engine/document/canvas.h"
#include "gui/canvas/canvas_search.h"
#include "gui/canvas/graph_layout.h"
#include "gui/canvas/graph_search.h"
#include "gui/canvas/mini_map.h"
#include "gui/canvas/wire_router.h"

#include <QAccessible>
#include <QApplication>
#include <QClipboard>
#include <QLineEdit>
#include <QLineF>
#include <QMenu>
#include <QPushButton>

#include <set>

namespace raphe {
namespace {

using test::Canvas;
using test::eventually;
using test::plugins;
using test::twoNodes;

QAction* actionNamed(QMenu& menu, const QString& words) {
    for (QAction* action : menu.actions()) {
        if (action->text().contains(words) && !action->menu()) return action;
        if (action->menu())
            if (QAction* found = actionNamed(*action->menu(), words)) return found;
    }
    return nullptr;
}

TEST(NodeAlignment, LinesUpEdgesAndCentresAndGivesEqualGaps) {
    const std::vector<QRectF> nodes{{0, 0, 100, 70}, {300, 40, 140, 90}, {130, 200, 100, 70}};
    const auto left = aligned(nodes, Alignment::left), right = aligned(nodes, Alignment::right);
    EXPECT_EQ(left[1], QPointF(70, 85));
    EXPECT_EQ(right[0], QPointF(390, 35));
    EXPECT_EQ(aligned(nodes, Alignment::bottom)[0], QPointF(50, 235));
    for (const auto& centre : aligned(nodes, Alignment::middle)) EXPECT_NEAR(centre.y(), 135, 5);
    const auto across = aligned(nodes, Alignment::across);
    EXPECT_EQ(across[0].x(), 50);
    EXPECT_EQ(across[2].x(), 200); // 50 between each of them
    EXPECT_EQ(across[1].x(), 370);
    EXPECT_EQ(across[2].y(), nodes[2].center().y());
}

TEST(CanvasEditing, MechanismsThatAreAddedFindRoomInSightAndFreeOfOneAnother) {
    Canvas canvas{Document::create("many", plugins().registry())};
    const auto keys = plugins().registry().keys();
    ASSERT_GT(keys.size(), 10u);
    for (const auto& key : keys) {
        canvas.view.addMechanism(QString::fromStdString(key));
        QCoreApplication::processEvents();
        const auto added = canvas.view.canvas().selectedNodes();
        ASSERT_EQ(added.size(), 1u);
        const auto seen = canvas.view.mapToScene(canvas.view.viewport()->rect()).boundingRect();
        const auto bodies = canvas.view.canvas().bodies();
        for (const auto& [body, node] : bodies) {
            if (node->name == added.front()) {
                EXPECT_TRUE(seen.contains(body)) << key;
            }
            for (const auto& [other, otherNode] : bodies)
                if (node != otherNode) {
                    EXPECT_FALSE(body.intersects(other)) << node->name << " and " << otherNode->name;
                }
        }
    }
    const auto places = canvas.view.canvas().places();
    const auto second = canvas.document.experiment().nodes[1].name, first = canvas.document.experiment().nodes[0].name;
    EXPECT_GT(places.at(second).x(), places.at(first).x()) << "signals go from left to right";
}

TEST(CanvasEditing, AligningIsOneStepToUndo) {
    Canvas canvas{twoNodes()};
    const auto before = canvas.view.canvas().places();
    canvas.view.selectAll();
    canvas.view.align(Alignment::left);
    const auto bodies = canvas.view.canvas().bodies();
    EXPECT_EQ(bodies[0].first.left(), bodies[1].first.left());
    canvas.document.undo();
    EXPECT_EQ(canvas.view.canvas().places(), before);
    QString why;
    QObject::connect(&canvas.document, &OpenDocument::refused, [&](const QString& sentence) { why = sentence; });
    canvas.view.align(Alignment::across);
    EXPECT_TRUE(why.contains("three")) << why.toStdString();
}

TEST(CurvedWires, KeepClearOfTheNodes) {
    for (const auto& name : {"crossed_gain", "mwg_nm_rnn", "cue_small_A", "nmn_two_targets_small"}) {
        SCOPED_TRACE(name);
        const auto graph = canvasGraph(loadExperiment(name, plugins().registry()), plugins().registry(), {});
        const auto places = layoutGraph(graph);
        std::vector<QRectF> bodies;
        for (std::size_t n = 0; n < places.size(); ++n)
            bodies.emplace_back(places[n], nodeGeometry(graph.nodes[n]).size);
        std::vector<RouteRequest> requests;
        for (const auto& wire : graph.wires) {
            const auto from = static_cast<std::size_t>(wire.fromNode), to = static_cast<std::size_t>(wire.toNode);
            requests.push_back(
                {places[from] + nodeGeometry(graph.nodes[from]).ports[static_cast<std::size_t>(wire.fromPort)],
                 places[to] + nodeGeometry(graph.nodes[to]).ports[static_cast<std::size_t>(wire.toPort)],
                 wire.modulatory});
        }
        double bent = 0;
        for (const auto& way : routeWires(bodies, requests)) {
            const auto path = curvedWay(way, bodies);
            EXPECT_EQ(path.currentPosition(), way.back());
            for (int s = 1; s < 400; ++s)
                for (const auto& body : bodies)
                    ASSERT_FALSE(body.adjusted(1, 1, -1, -1).contains(path.pointAtPercent(s / 400.0)));
            bent = std::max(bent, roundedWay(way).length() - path.length());
        }
        EXPECT_GT(bent, 3) << "a curve cuts corners";
    }
}

TEST(GraphSearch, FindsNamesThenMechanismsThenPorts) {
    const auto graph = canvasGraph(loadExperiment("mwg_nm_rnn", plugins().registry()), plugins().registry(), {});
    const auto hits = searchGraph(graph, "GAIN");
    ASSERT_FALSE(hits.empty());
    EXPECT_EQ(hits.back(), (GraphHit{"core", "gain"}));
    EXPECT_EQ(searchGraph(graph, "modul").front(), (GraphHit{"modulator", ""}));
    EXPECT_EQ(searchGraph(graph, "low_rank").front(), (GraphHit{"core", ""}));
    EXPECT_EQ(searchGraph(graph, "core.hid").front(), (GraphHit{"core", "hidden"}));
    EXPECT_TRUE(searchGraph(graph, "  ").empty());
    EXPECT_TRUE(searchGraph(graph, "xyzzy").empty());
}

TEST(CanvasSearching, EnterGoesFromHitToHit) {
    Canvas canvas{Document::open("mwg_nm_rnn", plugins().registry())};
    canvas.view.search();
    auto* line = canvas.view.findChild<CanvasSearch*>()->findChild<QLineEdit*>();
    QTest::keyClicks(line, "hidden");
    std::vector<std::string> seen;
    for (int i = 0; i < 3; ++i) {
        seen.push_back(canvas.view.canvas().current()->text());
        QTest::keyClick(line, Qt::Key_Return);
    }
    EXPECT_EQ(seen[0].substr(seen[0].find('.')), ".hidden");
    EXPECT_NE(seen[0], seen[1]);
    QTest::keyClick(line, Qt::Key_Escape);
    EXPECT_FALSE(line->isVisible());
}

TEST(MiniMap, IsThereWhenSomethingLiesOutsideAndMovesTheView) {
    Canvas canvas{Document::open("crossed_gain", plugins().registry())};
    auto* map = canvas.view.findChild<MiniMap*>();
    EXPECT_FALSE(map->isVisible()) << "all of the graph is seen";
    canvas.view.zoomBy(4);
    EXPECT_TRUE(map->isVisible());
    const auto centre = [&] { return canvas.view.mapToScene(canvas.view.viewport()->rect().center()); };
    const auto first = canvas.view.canvas().bodies().front().first.center();
    QTest::mouseClick(map, Qt::LeftButton, {}, map->mapping().map(first).toPoint());
    EXPECT_LT(QLineF(centre(), first).length(), 60);
    canvas.view.setOptions({WireStyle::orthogonal, false});
    EXPECT_FALSE(map->isVisible());
}

TEST(CanvasKeyboard, TabReachesEveryNodeAndPort) {
    Canvas canvas{Document::open("crossed_gain", plugins().registry())};
    std::size_t expected = 0;
    for (const auto& node : canvas.view.canvas().graph().nodes) expected += 1 + node.ports.size();
    std::set<std::string> reached;
    while (canvas.view.canvas().moveCurrent(true)) {
        reached.insert(canvas.view.canvas().current()->text());
        EXPECT_FALSE(canvas.view.canvas().currentText().isEmpty());
    }
    EXPECT_EQ(reached.size(), expected);
    std::size_t back = 0;
    while (canvas.view.canvas().moveCurrent(false)) ++back;
    EXPECT_EQ(back, expected - 1);
}

TEST(CanvasKeyboard, DrawsAWireToAPortThatFits) {
    Canvas canvas{twoNodes()};
    canvas.view.setFocus();
    ASSERT_TRUE(canvas.view.canvas().setCurrent("a", "hidden"));
    QTest::keyClick(&canvas.view, Qt::Key_W);
    ASSERT_TRUE(canvas.view.canvas().drawsByKey());
    for (int i = 0; i < 9 && !canvas.view.canvas().currentText().contains("b.input"); ++i)
        QTest::keyClick(&canvas.view, Qt::Key_Tab);
    QTest::keyClick(&canvas.view, Qt::Key_Return);
    ASSERT_EQ(canvas.document.experiment().wires.size(), 1u);
    EXPECT_EQ(canvas.document.experiment().wires[0].to.text(), "b.input");
    canvas.view.canvas().setCurrent("a", "hidden");
    QTest::keyClick(&canvas.view, Qt::Key_W);
    QTest::keyClick(&canvas.view, Qt::Key_Escape);
    EXPECT_FALSE(canvas.view.canvas().drawsByKey());
    EXPECT_EQ(canvas.document.experiment().wires.size(), 1u);
}

TEST(CanvasKeyboard, ArrowsMoveNodesInOneStepToUndo) {
    Canvas canvas{twoNodes()};
    const auto before = canvas.view.canvas().places();
    canvas.view.canvas().select({"a"});
    canvas.view.setFocus();
    for (int i = 0; i < 3; ++i) QTest::keyClick(&canvas.view, Qt::Key_Right);
    EXPECT_EQ(canvas.view.canvas().places().at("a"), before.at("a") + QPointF(3 * canvasPitch, 0));
    canvas.document.undo();
    EXPECT_EQ(canvas.view.canvas().places(), before);
}

TEST(CanvasAccessibility, NodesAndPortsHaveNamesAndPlaces) {
    Canvas canvas{Document::open("mwg_nm_rnn", plugins().registry())};
    auto* view = QAccessible::queryAccessibleInterface(&canvas.view);
    ASSERT_EQ(view->childCount(), static_cast<int>(canvas.view.canvas().graph().nodes.size()));
    bool gain = false;
    for (int n = 0; n < view->childCount(); ++n) {
        auto* node = view->child(n);
        EXPECT_TRUE(node->text(QAccessible::Name).contains("."));
        EXPECT_EQ(node->parent(), view);
        EXPECT_EQ(view->indexOfChild(node), n);
        for (int p = 0; p < node->childCount(); ++p) {
            EXPECT_TRUE(node->rect().adjusted(-12, -12, 12, 12).intersects(node->child(p)->rect()));
            gain = gain || node->child(p)->text(QAccessible::Name) == "modulation gain";
        }
    }
    EXPECT_TRUE(gain);
    canvas.document.execute({{"command", "remove_nodes"}, {"names", {"core"}}});
    EXPECT_EQ(view->childCount(), static_cast<int>(canvas.view.canvas().graph().nodes.size()));
}

TEST(CanvasProblems, AClickOnTheMarkOffersRemediesAndOneOfThemHelps) {
    Canvas canvas{twoNodes()};
    const auto* item = canvas.item("b");
    const int port = item->node().port("input");
    ASSERT_FALSE(item->node().ports[static_cast<std::size_t>(port)].problems.empty());
    const auto wrong = canvas.document.document().problems().size();
    const QPoint mark = canvas.view.mapFromScene(item->portAt(port) + QPointF{-13, 8});
    QTest::mouseClick(canvas.view.viewport(), Qt::LeftButton, {}, mark);
    QPushButton* remedy = nullptr;
    for (auto* button : canvas.view.findChildren<QPushButton*>())
        if (button->text() == "Connect a.hidden") remedy = button;
    ASSERT_TRUE(remedy);
    QTest::mouseClick(remedy, Qt::LeftButton);
    ASSERT_TRUE(eventually([&] { return canvas.document.experiment().wires.size() == 1; }, 2000));
    EXPECT_LT(canvas.document.document().problems().size(), wrong);
    canvas.document.undo();
    EXPECT_TRUE(canvas.document.experiment().wires.empty());
}

TEST(CanvasInterventions, AreAddedFromTheMenuOfAPortAndMarkedThere) {
    Canvas canvas{Document::open("mwg_nm_rnn", plugins().registry())};
    const auto at = [&](const char* node, const char* port) { return canvas.view.canvas().placeOf({node, port}); };
    int added = -1;
    QObject::connect(&canvas.view, &CanvasView::interventionAdded, [&](int number) { added = number; });
    QMenu menu;
    canvas.view.fillMenu(menu, at("core", "hidden"));
    ASSERT_TRUE(actionNamed(menu, "Lesion"));
    actionNamed(menu, "noise")->trigger();
    EXPECT_EQ(added, 0);
    ASSERT_EQ(canvas.document.experiment().interventions.size(), 1u);
    EXPECT_EQ(canvas.document.experiment().interventions[0].operation, Operation::noise);
    EXPECT_TRUE(canvas.document.document().problems().empty());
    const auto marks = [&] {
        const auto* node = canvas.item("core");
        return node->node().ports[static_cast<std::size_t>(node->node().port("hidden"))].interventions;
    };
    ASSERT_EQ(marks().size(), 1u);
    EXPECT_TRUE(marks()[0].on);
    canvas.document.execute({{"command", "enable_intervention"}, {"number", 0}, {"on", false}});
    EXPECT_FALSE(marks()[0].on);
    // What reaches a modulated parameter is changed where it is sent; a task's signals cannot be.
    QMenu modulated, task;
    canvas.view.fillMenu(modulated, at("core", "gain"));
    EXPECT_TRUE(actionNamed(modulated, "Clamp"));
    canvas.view.fillMenu(task, at("task", "observation"));
    EXPECT_FALSE(actionNamed(task, "Clamp"));
}

TEST(CanvasEditing, NodesArePastedIntoAnotherDocumentAsText) {
    Canvas from{Document::open("mwg_nm_rnn", plugins().registry())}, to{twoNodes()};
    from.view.canvas().select({"core", "modulator"});
    from.view.copySelection();
    EXPECT_TRUE(QApplication::clipboard()->text().startsWith("{"));
    to.view.paste();
    EXPECT_TRUE(to.document.experiment().node("core"));
    EXPECT_EQ(to.view.canvas().selectedNodes().size(), 2u);
    QApplication::clipboard()->setText("no experiment");
    QString why;
    QObject::connect(&to.document, &OpenDocument::refused, [&](const QString& sentence) { why = sentence; });
    const auto text = to.document.document().text();
    to.view.paste();
    EXPECT_EQ(to.document.document().text(), text);
    EXPECT_FALSE(why.isEmpty());
}

TEST(CanvasEditing, DeletingNodesAndWiresIsOneStep) {
    Canvas canvas{Document::open("mwg_nm_rnn", plugins().registry())};
    const auto before = canvas.document.document().text();
    for (QGraphicsItem* item : canvas.view.scene()->items())
        if (dynamic_cast<WireItem*>(item)) item->setSelected(true);
    canvas.view.canvas().nodeItems().front()->setSelected(true);
    canvas.view.removeSelection();
    EXPECT_TRUE(canvas.document.experiment().wires.empty());
    canvas.document.undo();
    EXPECT_EQ(canvas.document.document().text(), before);
}

TEST(CanvasEditing, ARenamedNodeStaysChosen) {
    Canvas canvas{twoNodes()};
    canvas.view.canvas().select({"b"});
    canvas.document.execute({{"command", "rename_node"}, {"name", "b"}, {"to", "readout"}});
    EXPECT_EQ(canvas.view.canvas().selectedNodes(), std::vector<std::string>{"readout"});
}

} // namespace
} // namespace raphe
