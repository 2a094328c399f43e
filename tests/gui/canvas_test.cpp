// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas_support.h"
#include "engine/document/experiment.h"
#include "gui/canvas/canvas_export.h"
#include "gui/canvas/canvas_view.h"
#include "gui/canvas/graph_layout.h"
#include "gui/canvas/wire_router.h"
#include "window_support.h"

#include <QMouseEvent>
#include <QSvgRenderer>
#include <QTest>

namespace raphe {
namespace {

using test::Canvas;
using test::plugins;
using test::twoNodes;

CanvasGraph graphOf(const std::string& name) {
    return canvasGraph(loadExperiment(name, plugins().registry()), plugins().registry(), {});
}

std::vector<QRectF> bodiesOf(const CanvasGraph& graph) {
    std::vector<QRectF> bodies;
    const auto places = layoutGraph(graph);
    for (std::size_t n = 0; n < places.size(); ++n) bodies.emplace_back(places[n], nodeGeometry(graph.nodes[n]).size);
    return bodies;
}

TEST(GraphLayout, PutsTheTaskFirstTheRuleLastAndNoNodeOntoAnother) {
    for (const auto& name : experimentNames()) {
        SCOPED_TRACE(name);
        const auto graph = graphOf(name);
        const auto bodies = bodiesOf(graph);
        for (std::size_t a = 0; a < bodies.size(); ++a) {
            for (std::size_t b = 0; b < a; ++b)
                EXPECT_FALSE(bodies[a].intersects(bodies[b])) << graph.nodes[a].name << " on " << graph.nodes[b].name;
            for (std::size_t b = 0; b < bodies.size(); ++b) {
                if (graph.nodes[a].kind == Kind::task) {
                    EXPECT_LE(bodies[a].left(), bodies[b].left());
                }
                if (graph.nodes[a].kind == Kind::rule) {
                    EXPECT_GE(bodies[a].left(), bodies[b].left());
                }
            }
        }
    }
}

TEST(WireRouting, GoesAroundTheNodesOfEveryExperiment) {
    for (const auto& name : experimentNames()) {
        SCOPED_TRACE(name);
        const auto graph = graphOf(name);
        const auto bodies = bodiesOf(graph);
        std::vector<RouteRequest> requests;
        for (const auto& wire : graph.wires) {
            const auto from = static_cast<std::size_t>(wire.fromNode), to = static_cast<std::size_t>(wire.toNode);
            requests.push_back(
                {bodies[from].topLeft() +
                     nodeGeometry(graph.nodes[from]).ports[static_cast<std::size_t>(wire.fromPort)],
                 bodies[to].topLeft() + nodeGeometry(graph.nodes[to]).ports[static_cast<std::size_t>(wire.toPort)],
                 wire.modulatory});
        }
        const auto ways = routeWires(bodies, requests);
        for (std::size_t w = 0; w < ways.size(); ++w) {
            EXPECT_EQ(ways[w].front(), requests[w].from);
            EXPECT_EQ(ways[w].back(), requests[w].to);
            for (std::size_t i = 1; i < ways[w].size(); ++i) {
                const QRectF piece = QRectF{ways[w][i - 1], ways[w][i]}.normalized().adjusted(-0.1, -0.1, 0.1, 0.1);
                for (const auto& body : bodies)
                    EXPECT_FALSE(piece.intersects(body.adjusted(1, 1, -1, -1)))
                        << graph.wires[w].spec.from.text() << " -> " << graph.wires[w].spec.to.text();
            }
        }
    }
}

TEST(CanvasGraph, TellsModulatoryAndDelayedWires) {
    const auto graph = graphOf("crossed_gain");
    int modulatory = 0, delayed = 0;
    for (const auto& wire : graph.wires) {
        modulatory += wire.modulatory;
        delayed += wire.delayed;
    }
    EXPECT_EQ(modulatory, 1);
    EXPECT_EQ(delayed, 1);
}

TEST(CanvasGraph, KeepsPortsThatAreNotWiredYet) {
    auto experiment = loadExperiment("mwg_nm_rnn", plugins().registry());
    const auto before = canvasGraph(experiment, plugins().registry(), {});
    EXPECT_GE(before.nodes[static_cast<std::size_t>(before.node("modulator"))].port("feedback"), 0);
}

TEST(CanvasEditing, DraggingFromPortToPortDrawsAWireAndUndoTakesItBack) {
    Canvas canvas{twoNodes()};
    canvas.drag(canvas.port("a", "hidden"), canvas.port("b", "input"));
    ASSERT_EQ(canvas.document.experiment().wires.size(), 1u);
    EXPECT_EQ(canvas.document.experiment().wires[0].from.text(), "a.hidden");
    canvas.document.undo();
    EXPECT_TRUE(canvas.document.experiment().wires.empty());
    canvas.drag(canvas.port("b", "input"), canvas.port("a", "hidden")); // the other way round is the same wire
    EXPECT_EQ(canvas.document.experiment().wires.size(), 1u);
}

TEST(CanvasEditing, AWireThatDoesNotFitSaysWhyAndIsNotDrawn) {
    Canvas canvas{twoNodes()};
    QString why;
    QObject::connect(&canvas.view.canvas(), &CanvasScene::explain, [&](const QString& sentence, bool) {
        if (!sentence.isEmpty()) why = sentence;
    });
    canvas.drag(canvas.port("a", "hidden"), canvas.port("b", "output"));
    EXPECT_TRUE(canvas.document.experiment().wires.empty());
    EXPECT_TRUE(why.contains("output")) << why.toStdString();
}

TEST(CanvasEditing, AWireThatWouldNotBeEnoughIsToldFromOneThatFits) {
    Canvas canvas{Document::open("mwg_nm_rnn", plugins().registry())};
    canvas.document.execute({{"command", "disconnect"}, {"from", "gate.output"}, {"to", "core.gain"}});
    const auto& document = canvas.document.document();
    EXPECT_EQ(document.canConnect("gate.output", "core.gain").missing, 0);
    EXPECT_EQ(document.canConnect("readout.output", "core.gain").missing, 2);
    QString said;
    bool refusal = true;
    QObject::connect(&canvas.view.canvas(), &CanvasScene::explain, [&](const QString& sentence, bool refused) {
        if (sentence.isEmpty()) return;
        said = sentence;
        refusal = refused;
    });
    canvas.drag(canvas.port("readout", "output"), canvas.port("core", "gain"));
    EXPECT_TRUE(said.contains("takes 3 units; with this wire it has 1")) << said.toStdString();
    EXPECT_FALSE(refusal) << "others may bring the rest";
    EXPECT_FALSE(canvas.document.document().problems().empty()) << "until they do, it is a problem";
    EXPECT_EQ(document.canConnect("gate.output", "core.gain").refusal,
              "core.gain takes 3 units, but gate.output has 3, and 1 is wired to it already");
}

TEST(CanvasEditing, WaysAreThoseOfAFreshCanvasAfterEditsAndMoves) {
    Canvas canvas{Document::open("mwg_nm_rnn", plugins().registry())};
    const auto waysOf = [](CanvasView& view) {
        std::vector<QPainterPath> ways;
        for (const auto* item : view.canvas().items())
            if (const auto* wire = dynamic_cast<const WireItem*>(item)) ways.push_back(wire->path());
        return ways;
    };
    const QPoint grip = canvas.view.mapFromScene(canvas.view.canvas().places().at("core")) + QPoint{0, -20};
    canvas.drag(grip, grip + QPoint{60, 120});
    canvas.document.execute({{"command", "set_field"}, {"field", "trials"}, {"value", 7}}); // nothing to route
    OpenDocument opened{canvas.document.document().copy()};
    CanvasView fresh{opened};
    EXPECT_EQ(waysOf(canvas.view), waysOf(fresh));
}

TEST(CanvasEditing, MovingANodeIsOneStepToUndo) {
    Canvas canvas{twoNodes()};
    const auto before = canvas.view.canvas().places();
    const QPoint grip = canvas.view.mapFromScene(before.at("a")) + QPoint{0, -20};
    canvas.drag(grip, grip + QPoint{60, 80});
    EXPECT_NE(canvas.view.canvas().places().at("a"), before.at("a"));
    canvas.document.undo();
    EXPECT_EQ(canvas.view.canvas().places().at("a"), before.at("a"));
}

TEST(CanvasEditing, CopyPasteDuplicateAndDeleteActOnTheSelection) {
    Canvas canvas{twoNodes()};
    canvas.view.selectAll();
    canvas.view.copySelection();
    canvas.view.paste();
    EXPECT_EQ(canvas.document.experiment().nodes.size(), 4u);
    canvas.view.canvas().select({"a"});
    canvas.view.duplicateSelection();
    EXPECT_EQ(canvas.document.experiment().nodes.size(), 5u);
    canvas.view.selectAll();
    canvas.view.removeSelection();
    EXPECT_TRUE(canvas.document.experiment().nodes.empty());
    while (canvas.document.document().canUndo()) canvas.document.undo();
    EXPECT_TRUE(canvas.document.experiment().nodes.empty());
}

TEST(CanvasEditing, AProblemIsABadgeOnItsNode) {
    Canvas canvas{twoNodes()};
    const auto& graph = canvas.view.canvas().graph();
    EXPECT_FALSE(graph.nodes[static_cast<std::size_t>(graph.node("b"))].problems.empty()) << "its input is not wired";
}

TEST(CanvasExport, WritesSvgPngAndPdf) {
    CanvasScene scene;
    scene.setGraph(graphOf("mwg_nm_rnn"));
    const QByteArray svg = canvasSvg(scene);
    EXPECT_TRUE(QSvgRenderer{svg}.isValid());
    EXPECT_TRUE(svg.contains("modulator"));
    EXPECT_FALSE(QImage::fromData(canvasPng(scene), "PNG").isNull());
    EXPECT_TRUE(canvasPdf(scene).startsWith("%PDF"));
}

} // namespace
} // namespace raphe
