// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/document/canvas.h"
#include "gui/canvas/canvas_export.h"
#include "gui/canvas/canvas_position.h"
#include "gui/canvas/canvas_view.h"
#include "gui/canvas/graph_layout.h"
#include "gui/canvas/node_geometry.h"

#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QFileInfo>
#include <QMessageBox>
#include <QSaveFile>

#include <algorithm>

namespace raphe {
namespace {

QPointF onGrid(const QPointF& at) {
    return {std::round(at.x() / canvasPitch) * canvasPitch, std::round(at.y() / canvasPitch) * canvasPitch};
}

std::vector<std::string> namesOf(const Experiment& experiment) {
    std::vector<std::string> names;
    for (const auto& node : experiment.nodes) names.push_back(node.name);
    return names;
}

} // namespace

void CanvasView::arrange() {
    const auto& graph = scene_->graph();
    const auto laidOut = layoutGraph(graph);
    CanvasPlaces places;
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
        const QSizeF half = nodeGeometry(graph.nodes[n]).size / 2;
        places[graph.nodes[n].name] = laidOut[n] + QPointF{half.width(), half.height()};
    }
    document_.execute({{"command", "move"}, {"positions", positionsJson(places)}});
    zoomToFit();
}

void CanvasView::copySelection() {
    const auto nodes = scene_->selectedNodes();
    if (!nodes.empty())
        QApplication::clipboard()->setText(QString::fromStdString(document_.document().copyNodes(nodes)));
}

void CanvasView::cutSelection() {
    copySelection();
    removeSelection();
}

void CanvasView::selectNew(const std::vector<std::string>& before) {
    auto names = namesOf(document_.experiment());
    std::erase_if(
        names, [&](const std::string& name) { return std::find(before.begin(), before.end(), name) != before.end(); });
    if (!names.empty()) scene_->select(names);
}

void CanvasView::paste() {
    const auto before = namesOf(document_.experiment());
    document_.execute({{"command", "paste"}, {"fragment", QApplication::clipboard()->text().toStdString()}});
    selectNew(before);
}

void CanvasView::duplicateSelection() {
    const auto nodes = scene_->selectedNodes();
    if (nodes.empty()) return;
    const auto before = namesOf(document_.experiment());
    document_.execute({{"command", "duplicate"}, {"names", nodes}});
    selectNew(before);
}

void CanvasView::removeSelection() {
    std::vector<Json> commands;
    for (const auto& wire : scene_->selectedWires())
        commands.push_back({{"command", "disconnect"}, {"from", wire.from.text()}, {"to", wire.to.text()}});
    const auto nodes = scene_->selectedNodes();
    if (!nodes.empty()) commands.push_back({{"command", "remove_nodes"}, {"names", nodes}});
    if (commands.size() == 1)
        document_.execute(commands.front());
    else if (!commands.empty())
        document_.execute({{"command", "together"}, {"title", "Delete what is chosen"}, {"commands", commands}});
}

void CanvasView::align(Alignment alignment) {
    const auto chosen = scene_->selectedNodes();
    const bool spread = alignment == Alignment::across || alignment == Alignment::down;
    if (chosen.size() < (spread ? 3u : 2u)) {
        Q_EMIT document_.refused(spread ? tr("Choose three nodes or more, to give them equal gaps.")
                                        : tr("Choose two nodes or more, to line them up."));
        return;
    }
    std::vector<QRectF> bodies;
    std::vector<std::string> names;
    for (const auto& [body, node] : scene_->bodies())
        if (std::find(chosen.begin(), chosen.end(), node->name) != chosen.end()) {
            bodies.push_back(body);
            names.push_back(node->name);
        }
    auto places = scene_->places(); // all, so that the others stay where the layout has put them
    const auto centres = aligned(bodies, alignment);
    for (std::size_t n = 0; n < names.size(); ++n) places[names[n]] = centres[n];
    document_.execute({{"command", "move"}, {"positions", positionsJson(places)}});
}

void CanvasView::selectAll() {
    std::vector<std::string> all;
    for (const auto& node : scene_->graph().nodes) all.push_back(node.name);
    scene_->select(all);
}

QPointF CanvasView::freePlace(const std::string& name, const std::string& mechanism) const {
    CanvasNode node;
    node.name = name;
    node.mechanism = mechanism;
    const auto& declaration = document_.document().registry().find(mechanism, name).declaration;
    for (const auto& info : declaration.ports) {
        CanvasPort port;
        port.name = info.name;
        port.kind = info.kind;
        if (info.size(declaration.defaults()) != noPort) node.ports.push_back(port);
    }
    const QSizeF size = nodeGeometry(node).size; // and the wires beside it
    const double across = std::max(240.0, size.width() + 60), down = std::max(170.0, size.height() + 40);
    const auto places = scene_->places();
    if (places.empty()) return mapToScene(viewport()->rect().center());
    const auto bodies = scene_->bodies();
    const auto free = [&](const QPointF& at) {
        const QRectF wanted{at - QPointF{across, down} / 2, QSizeF{across, down}};
        return std::none_of(bodies.begin(), bodies.end(),
                            [&](const auto& item) { return item.first.intersects(wanted); });
    };
    // Beside the node that is chosen, or else the one farthest to the right; signals go from left to right.
    const auto chosen = scene_->selectedNodes();
    const auto found = chosen.size() == 1 ? places.find(chosen.front()) : places.end();
    const auto farthest = std::max_element(places.begin(), places.end(),
                                           [](const auto& a, const auto& b) { return a.second.x() < b.second.x(); });
    const QPointF from = (found == places.end() ? farthest : found)->second;
    const QRectF seen = mapToScene(viewport()->rect()).boundingRect();
    for (int row = 0;; ++row) {
        const QPointF beside = from + QPointF{across, row * down};
        const QPointF below{seen.left() + across / 2, from.y() + (row + 1) * down}; // a new line, as in writing
        const QPointF& at = beside.x() + across / 2 < seen.right() ? beside : below;
        if (free(at)) return at;
    }
}

void CanvasView::addMechanism(const QString& key, std::optional<QPointF> at) {
    const std::string mechanism = key.toStdString();
    const auto name = document_.freshName(mechanism.substr(mechanism.find('.') + 1));
    if (!at) at = freePlace(name, mechanism);
    const bool allPlaced = positionsOf(document_.document().complete()).size() >= document_.experiment().nodes.size();
    const Json add{
        {"command", "add_node"}, {"name", name}, {"mechanism", mechanism}, {"at", positionJson(onGrid(*at))}};
    // The others stay where the layout has put them.
    const bool added =
        allPlaced ? document_.execute(add)
                  : document_.execute(
                        {{"command", "together"},
                         {"title", "Add " + name},
                         {"commands", {{{"command", "move"}, {"positions", positionsJson(scene_->places())}}, add}}});
    if (!added) return;
    scene_->select({name});
    const QRectF seen = mapToScene(viewport()->rect()).boundingRect();
    const auto bodies = scene_->bodies();
    if (std::any_of(bodies.begin(), bodies.end(),
                    [&](const auto& item) { return item.second->name == name && !seen.contains(item.first); }))
        zoomToFit();
    setFocus();
}

void CanvasView::exportPicture() {
    QString file = QFileDialog::getSaveFileName(this, tr("Export picture of the graph"), document_.title() + ".svg",
                                                tr("Pictures (*.svg *.pdf *.png)"));
    if (file.isEmpty()) return;
    const QString format = QFileInfo{file}.suffix().toLower();
    if (format != "svg" && format != "pdf" && format != "png") file += ".svg";
    const QByteArray bytes = format == "png"   ? canvasPng(*scene_)
                             : format == "pdf" ? canvasPdf(*scene_)
                                               : canvasSvg(*scene_);
    QSaveFile out{file};
    if (!out.open(QIODevice::WriteOnly) || out.write(bytes) != bytes.size() || !out.commit())
        QMessageBox::warning(this, tr("Export picture"), tr("%1 cannot be written: %2").arg(file, out.errorString()));
}

} // namespace raphe
