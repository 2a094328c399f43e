// SPDX-License-Identifier: GPL-3.0-or-later
// Milliseconds that the graph of an experiment takes to be drawn, laid out and edited, with 200 nodes:
//   QT_QPA_PLATFORM=offscreen canvas_benchmark
#include "gui/canvas/canvas_view.h"
#include "gui/canvas/graph_layout.h"

#include "engine/mechanisms/plugin_host.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QImage>
#include <QPainter>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <vector>

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

void report(const char* what, int times, const std::function<void()>& act) {
    std::vector<double> milliseconds;
    for (int i = 0; i < times; ++i) {
        QElapsedTimer clock;
        clock.start();
        act();
        milliseconds.push_back(static_cast<double>(clock.nsecsElapsed()) / 1e6);
    }
    std::sort(milliseconds.begin(), milliseconds.end());
    std::printf("%-52s median %8.2f ms, slowest %8.2f ms\n", what, milliseconds[milliseconds.size() / 2],
                milliseconds.back());
}

void run(const Registry& registry, int nodes) {
    OpenDocument document{largeDocument(registry, nodes)};
    CanvasView view{document};
    view.resize(1280, 800);
    view.show();
    QCoreApplication::processEvents();
    view.zoomToFit();
    std::printf("%d nodes, %zu wires\n", nodes, document.experiment().wires.size());
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
    report("one move of the mouse while a node is dragged", 20, [&] {
        moved->moveBy(20, 10);
        draw();
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
