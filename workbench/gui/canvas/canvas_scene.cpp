// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/canvas_scene.h"

#include "gui/canvas/graph_layout.h"
#include "gui/shell/theme.h"

#include <QGraphicsPathItem>
#include <QGraphicsSceneMouseEvent>
#include <QKeyEvent>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

/// The old and the new name, if the graphs differ by the name of one node; otherwise empty.
std::pair<std::string, std::string> renamedNode(const CanvasGraph& before, const CanvasGraph& after) {
    if (before.nodes.size() != after.nodes.size()) return {};
    std::vector<std::string> gone, come;
    for (const auto& node : before.nodes)
        if (after.node(node.name) < 0) gone.push_back(node.name);
    for (const auto& node : after.nodes)
        if (before.node(node.name) < 0) come.push_back(node.name);
    if (gone.size() != 1 || come.size() != 1) return {};
    return {gone.front(), come.front()};
}

const char* sameSide(bool outputs) {
    return outputs ? "both are outputs; a wire ends in an input or in a modulated parameter"
                   : "both take signals in; a wire begins at an output";
}

} // namespace

CanvasScene::CanvasScene(QObject* parent, const Document* document) : QGraphicsScene(parent), document_(document) {
    setItemIndexMethod(NoIndex); // items come and go as a whole
    connect(this, &QGraphicsScene::selectionChanged, this, [this] {
        if (!building_) Q_EMIT nodesSelected(selectedNodes());
    });
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, this, [this] { update(); });
}

void CanvasScene::setGraph(CanvasGraph graph, const CanvasPlaces& places) {
    auto selected = selectedNodes();
    auto current = this->current();
    if (const auto [from, to] = renamedNode(graph_, graph); !from.empty()) {
        std::replace(selected.begin(), selected.end(), from, to);
        if (current && current->node == from) current->node = to;
    }
    building_ = true;
    current_.reset();
    targets_.clear();
    clear();
    nodes_.clear();
    wires_.clear();
    wireFrom_.reset();
    wireShown_ = nullptr;
    graph_ = std::move(graph);
    const auto laidOut = layoutGraph(graph_);
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
        auto* item = new NodeItem{graph_.nodes[n], document_ != nullptr};
        const auto place = places.find(graph_.nodes[n].name);
        item->setPos(place == places.end() ? laidOut[n] : place->second - item->body().center());
        connect(item, &NodeItem::moving, this, [this, item] {
            if (!building_) route(item);
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
    if (current) setCurrent(current->node, current->port);
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

void CanvasScene::setWireStyle(WireStyle style) {
    if (style_ == style) return;
    style_ = style;
    route();
}

std::vector<std::pair<QRectF, const CanvasNode*>> CanvasScene::bodies() const {
    std::vector<std::pair<QRectF, const CanvasNode*>> result;
    for (const NodeItem* item : nodes_) result.emplace_back(item->body(), &item->node());
    return result;
}

std::optional<Address> CanvasScene::spotAt(const QPointF& point) const {
    if (const auto end = endAt(point)) return end->address();
    for (const NodeItem* item : nodes_)
        if (item->body().contains(point)) return Address{item->node().name, {}};
    return std::nullopt;
}

void CanvasScene::route(const NodeItem* moved) {
    std::vector<QRectF> bodies;
    for (const NodeItem* item : nodes_) bodies.push_back(item->body());
    std::vector<RouteRequest> requests;
    std::vector<WireItem*> routed;
    const QRectF room = moved ? moved->body().adjusted(-15, -15, 15, 15) : QRectF{};
    for (WireItem* item : wires_) {
        const CanvasWire& wire = item->wire();
        auto *from = nodes_[static_cast<std::size_t>(wire.fromNode)],
             *to = nodes_[static_cast<std::size_t>(wire.toNode)];
        const bool concerned = !moved || from == moved || to == moved || item->path().intersects(room);
        if (!concerned) continue;
        routed.push_back(item);
        requests.push_back({from->portAt(wire.fromPort), to->portAt(wire.toPort), wire.modulatory});
    }
    // Most edits leave nodes and wires where they are.
    if (moved) {
        routed_ = {};
    } else if (requests != routed_.wires || bodies != routed_.nodes) {
        routed_ = {bodies, requests, routeWires(bodies, requests)};
    }
    const auto ways = moved ? routeWires(bodies, requests) : routed_.ways;
    for (std::size_t w = 0; w < routed.size(); ++w) routed[w]->setWay(ways[w], style_, bodies);
}

std::optional<CanvasScene::End> CanvasScene::endAt(const QPointF& point) const {
    for (NodeItem* item : nodes_)
        if (const int port = item->portNear(point); port >= 0) return End{item, port};
    return std::nullopt;
}

void CanvasScene::mousePressEvent(QGraphicsSceneMouseEvent* event) {
    if (event->button() == Qt::LeftButton && document_) {
        for (const NodeItem* item : nodes_)
            if (const auto badge = item->badgeNear(event->scenePos())) {
                const End end{const_cast<NodeItem*>(item), *badge};
                Q_EMIT problemsWanted(end.address(), event->scenePos());
                event->accept();
                return;
            }
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
    if (wireFrom_ && !drawsByKey())
        dragWire(event->scenePos());
    else
        QGraphicsScene::mouseMoveEvent(event);
}

void CanvasScene::mouseReleaseEvent(QGraphicsSceneMouseEvent* event) {
    if (wireFrom_ && !drawsByKey()) {
        const auto end = endAt(event->scenePos());
        const auto from = *wireFrom_;
        const bool wanted = end && connectionTo(*end).fits();
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
    if (moved.empty()) return;
    route(); // as it will be when the document is opened again
    Q_EMIT nodesMoved(moved);
}

void CanvasScene::keyPressEvent(QKeyEvent* event) {
    if (wireFrom_ && event->key() == Qt::Key_Escape)
        endWire();
    else
        QGraphicsScene::keyPressEvent(event);
}

Connection CanvasScene::connectionTo(const End& other) const {
    const End& from = *wireFrom_;
    if (from.output() == other.output()) return {sameSide(from.output()), {}};
    const auto here = from.address().text(), there = other.address().text();
    return from.output() ? document_->canConnect(here, there) : document_->canConnect(there, here);
}

std::vector<std::vector<Connection>> CanvasScene::connections() const {
    const End& from = *wireFrom_;
    const auto here = from.address().text();
    std::vector<std::vector<Connection>> result;
    std::vector<std::pair<std::string, std::string>> asked;
    std::vector<std::pair<std::size_t, std::size_t>> askedAt;
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
        const int count = static_cast<int>(nodes_[n]->node().ports.size());
        result.emplace_back(static_cast<std::size_t>(count));
        for (int port = 0; port < count; ++port) {
            const End other{nodes_[n], port};
            if (from.output() == other.output()) {
                result.back()[static_cast<std::size_t>(port)].refusal = sameSide(from.output());
                continue;
            }
            const auto there = other.address().text();
            asked.emplace_back(from.output() ? here : there, from.output() ? there : here);
            askedAt.emplace_back(n, static_cast<std::size_t>(port));
        }
    }
    auto answers = document_->canConnect(asked);
    for (std::size_t i = 0; i < answers.size(); ++i)
        result[askedAt[i].first][askedAt[i].second] = std::move(answers[i]);
    return result;
}

void CanvasScene::beginWire(const End& end, const QPointF& at) {
    wireFrom_ = end;
    const auto all = connections();
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
        NodeItem* item = nodes_[n];
        std::vector<NodeItem::Fit> fitting;
        for (const auto& connection : all[n]) {
            const bool self = item == end.item && static_cast<int>(fitting.size()) == end.port;
            fitting.push_back(!connection.fits() && !self ? NodeItem::Fit::no
                              : connection.missing != 0   ? NodeItem::Fit::partly
                                                          : NodeItem::Fit::wholly);
        }
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
    const auto connection = over && !self ? connectionTo(*over) : Connection{};
    QPen pen = wireShown_->pen();
    pen.setStyle(connection.fits() ? Qt::SolidLine : Qt::DotLine);
    wireShown_->setPen(pen);
    const bool refused = !connection.fits();
    Q_EMIT explain(QString::fromStdString(refused ? connection.refusal : connection.note), refused);
}

void CanvasScene::endWire() {
    delete wireShown_;
    wireShown_ = nullptr;
    wireFrom_.reset();
    targets_.clear();
    for (NodeItem* item : nodes_) item->setFitting({});
    Q_EMIT explain({}, false);
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
