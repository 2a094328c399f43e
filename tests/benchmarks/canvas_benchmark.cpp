// SPDX-License-Identifier: GPL-3.0-or-later
// Milliseconds that the graph of an experiment takes to be drawn, laid out and edited, with 200 nodes:
//   QT_QPA_PLATFORM=offscreen canvas_benchmark
#include "gui/canvas/canvas_view.h"
#include "gui/canvas/graph_layout.h"

#include "engine/mechanisms/plugin_host.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QImage>
#include <QMouseEvent>
#include <QPainter>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <vector>

#include <time.h>

namespace raphe {
namespace {

/// Columns of networks, each fed by two of the column before and modulated by one of it.
std::unique_ptr<Document> largeDocument(const Registry& registry, int nodes) {
    Json document{{"raphe", 1}, {"name", "large"}, {"nodes", Json::object()}, {"wires", Json::array()}};
    constexpr int rows = 14;
    const auto name = [](int n) { return "node_" + std::to_string(n); };
    for (int n = 0; n < nodes; ++n) {
        const bool rnn = n % 3 == 0;
        document["nodes"][name(n)] = {{"mechanism", rnn ? "model.low_rank_rnn" : "model.dense"},
                                      {"params", {{"units", 4}}}};
        if (n < rows) continue;
        const auto out = [](int m) { return m % 3 == 0 ? ".hidden" : ".output"; };
        for (const int from : {n - rows, n - rows + (n % rows == 0 ? 1 : -1)})
            document["wires"].push_back(name(from) + out(from) + " -> " + name(n) + ".input");
    }
    return Document::fromJson(document, registry);
}

/// What this thread has computed, whatever else the machine does meanwhile.
double processorSeconds() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void report(const char* what, int times, const std::function<void()>& act) {
    std::vector<double> elapsed, computed;
    for (int i = 0; i < times; ++i) {
        QElapsedTimer clock;
        clock.start();
        const auto before = processorSeconds();
        act();
        computed.push_back((processorSeconds() - before) * 1e3);
        elapsed.push_back(static_cast<double>(clock.nsecsElapsed()) / 1e6);
    }
    std::sort(elapsed.begin(), elapsed.end());
    std::sort(computed.begin(), computed.end());
    const auto middle = elapsed.size() / 2;
    std::printf("%-46s median %7.2f ms (computing %7.2f), slowest %7.2f ms (computing %7.2f)\n", what, elapsed[middle],
                computed[middle], elapsed.back(), computed.back());
}

void run(const Registry& registry, int nodes) {
    OpenDocument document{largeDocument(registry, nodes)};
    CanvasView view{document};
    view.resize(1280, 800);
    view.show();
    QCoreApplication::processEvents();
    view.zoomToFit();
    std::printf("%d nodes, %zu wires, scale %.2f\n", nodes, document.experiment().wires.size(), view.transform().m11());
    QImage image{view.viewport()->size(), QImage::Format_ARGB32_Premultiplied};
    const auto draw = [&] {
        QPainter painter{&image};
        view.viewport()->render(&painter);
    };
    report("drawing all of it", 30, draw);
    view.zoomBy(1 / view.transform().m11());
    report("drawing a part of it at full size", 30, draw);
    view.zoomToFit();
    auto* moved = view.canvas().nodeItems()[static_cast<std::size_t>(nodes / 2)];
    const QPointF start = moved->pos();
    report("one move of the mouse while a node is dragged", 20, [&] {
        moved->moveBy(20, 10);
        draw();
    });
    moved->setPos(start);
    int turn = 0;
    report("one move to and fro where there is room", 20, [&] {
        moved->moveBy(0, turn++ % 2 == 0 ? 10 : -10);
        draw();
    });
    const QPointF port = view.mapFromScene(moved->portAt(moved->node().port("input")));
    const auto mouse = [&](QEvent::Type type, const QPointF& at, Qt::MouseButton button) {
        QMouseEvent event{type, at, view.viewport()->mapToGlobal(at), button, Qt::LeftButton, {}};
        QApplication::sendEvent(view.viewport(), &event);
    };
    report("beginning a wire: which ports fit", 3, [&] {
        mouse(QEvent::MouseButtonPress, port, Qt::LeftButton);
        mouse(QEvent::MouseButtonRelease, {3, 3}, Qt::LeftButton);
    });
    report("laying it out", 3, [&] { layoutGraph(view.canvas().graph()); });
    int value = 4;
    report("setting a parameter: checks, canvas", 5, [&] {
        document.execute(
            {{"command", "set_parameter"}, {"node", "node_0"}, {"parameter", "units"}, {"value", ++value}});
    });
    report("checks alone", 5, [&] {
        const auto copy = document.document().copy();
        copy->problems();
    });
}

} // namespace
} // namespace raphe

int main(int argc, char** argv) {
    QApplication application{argc, argv};
    raphe::PluginHost plugins;
    plugins.loadFolder(PLUGIN_FOLDER);
    for (const int nodes : {20, 200}) raphe::run(plugins.registry(), nodes);
    return 0;
}
