// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/canvas_scene.h"

#include <QGraphicsPathItem>

#include <algorithm>

namespace raphe {
namespace {

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

const char* kindName(PortKind kind) {
    const char* names[] = {"input", "modulation", "output"};
    return names[static_cast<int>(kind)];
}

} // namespace

std::optional<Address> CanvasScene::current() const {
    if (!current_) return std::nullopt;
    return current_->address();
}

bool CanvasScene::setCurrent(const std::string& node, const std::string& port) {
    for (NodeItem* item : nodes_) {
        if (item->node().name != node) continue;
        const int index = port.empty() ? NodeItem::nodeItself : item->node().port(port);
        if (!port.empty() && index < 0) return false;
        current_ = End{item, index};
        showCurrent();
        return true;
    }
    return false;
}

void CanvasScene::clearCurrent() {
    current_.reset();
    showCurrent();
}

/// Nodes from left to right and from the top down, each followed by its ports.
std::vector<CanvasScene::End> CanvasScene::endsInOrder() const {
    auto nodes = nodes_;
    std::stable_sort(nodes.begin(), nodes.end(), [](const NodeItem* a, const NodeItem* b) {
        return std::pair{a->pos().x(), a->pos().y()} < std::pair{b->pos().x(), b->pos().y()};
    });
    std::vector<End> ends;
    for (NodeItem* item : nodes)
        for (int port = NodeItem::nodeItself; port < static_cast<int>(item->node().ports.size()); ++port)
            ends.push_back({item, port});
    return ends;
}

bool CanvasScene::moveCurrent(bool forward) {
    const auto ends = endsInOrder();
    if (ends.empty()) return false;
    auto at = std::find_if(ends.begin(), ends.end(), [&](const End& end) {
        return current_ && end.item == current_->item && end.port == current_->port;
    });
    if (at == ends.end())
        at = forward ? ends.begin() : ends.end() - 1;
    else if (forward ? at + 1 == ends.end() : at == ends.begin())
        return false;
    else
        at += forward ? 1 : -1;
    current_ = *at;
    showCurrent();
    return true;
}

QRectF CanvasScene::currentArea() const {
    if (!current_) return {};
    const QRectF body = current_->item->body().adjusted(-30, -30, 30, 30);
    if (!drawsByKey()) return body;
    const auto& end = targets_[target_];
    return body | QRectF{end.item->portAt(end.port), QSizeF{1, 1}}.adjusted(-40, -40, 40, 40);
}

QPointF CanvasScene::placeOf(const Address& spot) const {
    for (const NodeItem* item : nodes_) {
        if (item->node().name != spot.node) continue;
        const int port = spot.port.empty() ? -1 : item->node().port(spot.port);
        return port < 0 ? item->body().center() : item->portAt(port);
    }
    return {};
}

QString CanvasScene::currentText() const {
    if (!current_) return {};
    const CanvasNode& node = current_->item->node();
    if (drawsByKey())
        return tr("Wire from %1 to %2, %3 of %4")
            .arg(text(current_->address().text()), text(targets_[target_].address().text()))
            .arg(target_ + 1)
            .arg(targets_.size());
    if (current_->port < 0) {
        QString words = tr("Node %1, %2, %3 ports").arg(text(node.name), text(node.mechanism)).arg(node.ports.size());
        for (const auto& problem : node.problems) words += tr(". Problem: %1").arg(text(problem));
        return words;
    }
    const CanvasPort& port = node.ports[static_cast<std::size_t>(current_->port)];
    QString words = tr("%1 %2 of %3").arg(kindName(port.kind), text(port.name), text(node.name));
    if (port.units > 0) words += tr(", %1 units").arg(port.units);
    words += port.wired ? tr(", wired") : tr(", not wired");
    for (const auto& problem : port.problems) words += tr(". Problem: %1").arg(text(problem));
    return words;
}

void CanvasScene::showCurrent() {
    for (NodeItem* item : nodes_)
        item->setCurrent(current_ && current_->item == item ? current_->port : NodeItem::nowhere);
    if (!building_) Q_EMIT currentChanged();
}

bool CanvasScene::beginWireByKey() {
    if (!document_ || !current_ || current_->port < 0 || wireFrom_) return false;
    const End from = *current_;
    beginWire(from, from.item->portAt(from.port));
    std::vector<End> fitting, partly; // what needs other wires besides comes last
    for (const End& end : endsInOrder()) {
        if (end.port < 0 || (end.item == from.item && end.port == from.port)) continue;
        const auto fit = end.item->fit(end.port);
        if (fit != NodeItem::Fit::no) (fit == NodeItem::Fit::partly ? partly : fitting).push_back(end);
    }
    fitting.insert(fitting.end(), partly.begin(), partly.end());
    if (fitting.empty()) {
        endWire();
        Q_EMIT explain(tr("No port fits to %1.").arg(text(from.address().text())), true);
        return false;
    }
    targets_ = std::move(fitting);
    target_ = 0;
    nextTarget(true);
    return true;
}

void CanvasScene::nextTarget(bool forward) {
    const auto count = targets_.size();
    if (count == 0) return;
    // The first call shows the first one.
    if (wireShown_->path().elementCount() > 0 && wireShown_->data(0).toBool())
        target_ = (target_ + (forward ? 1 : count - 1)) % count;
    wireShown_->setData(0, true);
    const End& end = targets_[target_];
    dragWire(end.item->portAt(end.port));
    for (NodeItem* item : nodes_) item->setCurrent(item == end.item ? end.port : NodeItem::nowhere);
    Q_EMIT currentChanged();
}

void CanvasScene::endWireByKey(bool connect) {
    if (!drawsByKey()) return;
    const End from = *wireFrom_, to = targets_[target_];
    const Address a = from.output() ? from.address() : to.address(), b = from.output() ? to.address() : from.address();
    endWire();
    showCurrent();
    if (connect) Q_EMIT wireWanted(a, b);
}

} // namespace raphe
