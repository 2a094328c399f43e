// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/canvas_scene.h"

#include "gui/canvas/graph_layout.h"
#include "gui/canvas/wire_router.h"
#include "gui/shell/theme.h"

#include <QGraphicsPathItem>
#include <QGraphicsSceneMouseEvent>
#include <QKeyEvent>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace raphe {

CanvasScene::CanvasScene(QObject* parent, Refusal refusal) : QGraphicsScene(parent), refusal_(std::move(refusal)) {
    setItemIndexMethod(NoIndex); // items come and go as a whole
    connect(this, &QGraphicsScene::selectionChanged, this, [this] {
        if (!building_) Q_EMIT nodesSelected(selectedNodes());
    });
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, this, [this] { update(); });
}

void CanvasScene::setGraph(CanvasGraph graph, const CanvasPlaces& places) {
    const auto selected = selectedNodes();
    building_ = true;
    clear();
    nodes_.clear();
    wires_.clear();
    wireFrom_.reset();
    wireShown_ = nullptr;
    graph_ = std::move(graph);
    const auto laidOut = layoutGraph(graph_);
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
        auto* item = new NodeItem{graph_.nodes[n], static_cast<bool>(refusal_)};
        const auto place = places.find(graph_.nodes[n].name);
        item->setPos(place == places.end() ? laidOut[n] : place->second - item->body().center());
        connect(item, &NodeItem::moving, this, [this] {
            if (!building_) route();
        });
        addItem(item);
        nodes_.push_back(item);
    }
    for (const CanvasWire& wire : graph_.wires) {
        wires_.push_back(new WireItem{wire});
        addItem(wires_.back());
    }
    route();
    select(selected);
    building_ = false;
    setSceneRect(sceneRect() | content().adjusted(-2000, -1500, 2000, 1500)); // never less: the view must not jump
    Q_EMIT nodesSelected(selectedNodes());
}

CanvasPlaces CanvasScene::places() const {
    CanvasPlaces result;
    for (const NodeItem* item : nodes_) result[item->node().name] = item->body().center();
    return result;
}

QRectF CanvasScene::content() const {
    QRectF all;
    for (const NodeItem* item : nodes_) all |= item->sceneBoundingRect();
    for (const WireItem* item : wires_) all |= item->sceneBoundingRect();
    return all;
}

void CanvasScene::setPaper(bool paper) {
    paper_ = paper;
    usePaperTheme(paper);
}

std::vector<std::string> CanvasScene::selectedNodes() const {
    std::vector<std::string> names;
    for (const NodeItem* item : nodes_)
        if (item->isSelected()) names.push_back(item->node().name);
    return names;
}

std::vector<WireSpec> CanvasScene::selectedWires() const {
    std::vector<WireSpec> result;
    for (const WireItem* item : wires_)
        if (item->isSelected()) result.push_back(item->wire().spec);
    return result;
}

void CanvasScene::select(const std::vector<std::string>& names) {
    for (NodeItem* item : nodes_)
        item->setSelected(std::find(names.begin(), names.end(), item->node().name) != names.end());
}

void CanvasScene::show(const Moment& moment) {
    for (NodeItem* item : nodes_) {
        const std::vector<float>* largest = nullptr;
        for (const CanvasPort& port : item->node().ports) {
            if (port.kind != PortKind::output) continue;
            const auto found = moment.units.find(item->node().name + "." + port.name);
            if (found != moment.units.end() && (!largest || found->second.size() > largest->size()))
                largest = &found->second;
        }
        item->setActivity(largest ? *largest : std::vector<float>{});
    }
    for (WireItem* item : wires_) {
        const auto found = moment.values.find(item->wire().spec.from.text());
        item->setValue(item->wire().modulatory && found != moment.values.end() ? found->second : QString{});
    }
}

void CanvasScene::route() {
    std::vector<QRectF> bodies;
    for (const NodeItem* item : nodes_) bodies.push_back(item->body());
    std::vector<RouteRequest> requests;
    for (const WireItem* item : wires_) {
        const CanvasWire& wire = item->wire();
        requests.push_back({nodes_[static_cast<std::size_t>(wire.fromNode)]->portAt(wire.fromPort),
                            nodes_[static_cast<std::size_t>(wire.toNode)]->portAt(wire.toPort), wire.modulatory});
    }
    const auto ways = routeWires(bodies, requests);
    for (std::size_t w = 0; w < wires_.size(); ++w) wires_[w]->setWay(ways[w]);
}

std::optional<CanvasScene::End> CanvasScene::endAt(const QPointF& point) const {
    for (NodeItem* item : nodes_)
        if (const int port = item->portNear(point); port >= 0) return End{item, port};
    return std::nullopt;
}

void CanvasScene::mousePressEvent(QGraphicsSceneMouseEvent* event) {
    if (event->button() == Qt::LeftButton && refusal_) {
        if (const auto end = endAt(event->scenePos())) {
            beginWire(*end, event->scenePos());
            event->accept();
            return;
        }
        pressed_ = places();
    }
    QGraphicsScene::mousePressEvent(event);
}

void CanvasScene::mouseMoveEvent(QGraphicsSceneMouseEvent* event) {
    if (wireFrom_)
        dragWire(event->scenePos());
    else
        QGraphicsScene::mouseMoveEvent(event);
}

void CanvasScene::mouseReleaseEvent(QGraphicsSceneMouseEvent* event) {
    if (wireFrom_) {
        const auto end = endAt(event->scenePos());
        const auto from = *wireFrom_;
        const bool wanted = end && refusalOf(*end).empty();
        endWire();
        if (wanted) {
            const bool forward = from.output();
            Q_EMIT wireWanted(forward ? from.address() : end->address(), forward ? end->address() : from.address());
        }
        return;
    }
    QGraphicsScene::mouseReleaseEvent(event);
    CanvasPlaces moved;
    for (const auto& [name, place] : places()) {
        const auto before = pressed_.find(name);
        if (before != pressed_.end() && before->second != place) moved[name] = place;
    }
    pressed_.clear();
    if (!moved.empty()) Q_EMIT nodesMoved(moved);
}

void CanvasScene::keyPressEvent(QKeyEvent* event) {
    if (wireFrom_ && event->key() == Qt::Key_Escape)
        endWire();
    else
        QGraphicsScene::keyPressEvent(event);
}

std::string CanvasScene::refusalOf(const End& other) const {
    const End& from = *wireFrom_;
    if (from.output() == other.output())
        return from.output() ? "both are outputs; a wire ends in an input or in a modulated parameter"
                             : "both take signals in; a wire begins at an output";
    return from.output() ? refusal_(from.address(), other.address()) : refusal_(other.address(), from.address());
}

void CanvasScene::beginWire(const End& end, const QPointF& at) {
    wireFrom_ = end;
    for (NodeItem* item : nodes_) {
        std::vector<bool> fitting;
        for (int port = 0; port < static_cast<int>(item->node().ports.size()); ++port)
            fitting.push_back((item == end.item && port == end.port) || refusalOf({item, port}).empty());
        item->setFitting(std::move(fitting));
    }
    wireShown_ = addPath({}, QPen{theme().of(end.item->node().ports[static_cast<std::size_t>(end.port)].kind), 2.5,
                                  Qt::SolidLine, Qt::RoundCap});
    wireShown_->setZValue(5);
    dragWire(at);
}

void CanvasScene::dragWire(const QPointF& at) {
    const QPointF start = wireFrom_->item->portAt(wireFrom_->port);
    const auto over = endAt(at);
    const bool self = over && over->item == wireFrom_->item && over->port == wireFrom_->port;
    const QPointF end = over && !self ? over->item->portAt(over->port) : at;
    const double bow = std::max(40.0, std::abs(end.x() - start.x()) / 2) * (wireFrom_->output() ? 1 : -1);
    QPainterPath path{start};
    path.cubicTo(start + QPointF{bow, 0}, end - QPointF{bow, 0}, end);
    wireShown_->setPath(path);
    const auto why = over && !self ? refusalOf(*over) : std::string{};
    QPen pen = wireShown_->pen();
    pen.setStyle(why.empty() ? Qt::SolidLine : Qt::DotLine);
    wireShown_->setPen(pen);
    Q_EMIT explain(QString::fromStdString(why));
}

void CanvasScene::endWire() {
    delete wireShown_;
    wireShown_ = nullptr;
    wireFrom_.reset();
    for (NodeItem* item : nodes_) item->setFitting({});
    Q_EMIT explain({});
}

void CanvasScene::drawBackground(QPainter* painter, const QRectF& rect) {
    if (paper_) return;
    painter->fillRect(rect, theme().canvas);
    const double scale = painter->worldTransform().m11();
    const double pitch = 2 * canvasPitch;
    if (scale * pitch < 9) return;
    painter->setPen(QPen{theme().canvasDots, 1.4 / scale});
    QList<QPointF> dots;
    for (double x = std::floor(rect.left() / pitch) * pitch; x < rect.right(); x += pitch)
        for (double y = std::floor(rect.top() / pitch) * pitch; y < rect.bottom(); y += pitch) dots << QPointF{x, y};
    painter->drawPoints(dots.constData(), static_cast<int>(dots.size()));
}

} // namespace raphe
