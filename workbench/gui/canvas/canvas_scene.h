// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/canvas/canvas_items.h"

#include <QGraphicsScene>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

class QGraphicsPathItem;
class QGraphicsSimpleTextItem;

namespace raphe {

/// Centres of nodes, by name.
using CanvasPlaces = std::map<std::string, QPointF>;

/// The graph of an experiment as one sees it. Changes nothing of it: what the mouse wants is said by signals, and the
/// next setGraph() shows what has come of it.
class CanvasScene final : public QGraphicsScene {
    Q_OBJECT

public:
    /// @param refusal  why a wire cannot be, see wireRefusal(); none: the graph cannot be edited
    using Refusal = std::function<std::string(const Address& from, const Address& to)>;
    explicit CanvasScene(QObject* parent = nullptr, Refusal refusal = {});
    ~CanvasScene() override { blockSignals(true); } ///< the selection that goes with the nodes is no news

    /// Nodes without a place get one from the layout. What was selected stays selected.
    void setGraph(CanvasGraph graph, const CanvasPlaces& places = {});
    const CanvasGraph& graph() const { return graph_; }
    CanvasPlaces places() const;
    QRectF content() const;
    /// Painted in light colours and without a background, whatever those of the window.
    void setPaper(bool paper);

    std::vector<std::string> selectedNodes() const;
    std::vector<WireSpec> selectedWires() const;
    void select(const std::vector<std::string>& nodes);

    /// What ports show at one moment: units of an output, scaled to -1 to 1, and the values that wires deliver.
    struct Moment {
        std::map<std::string, std::vector<float>> units; ///< by "node.port"
        std::map<std::string, QString> values;           ///< by "node.port", of those that modulate
    };
    void show(const Moment& moment);

Q_SIGNALS:
    void nodesMoved(const raphe::CanvasPlaces& places);
    void wireWanted(const raphe::Address& from, const raphe::Address& to);
    void explain(const QString& sentence); ///< why a wire does not fit; empty: no more
    void nodesSelected(const std::vector<std::string>& names);

protected:
    void mousePressEvent(QGraphicsSceneMouseEvent* event) override;
    void mouseMoveEvent(QGraphicsSceneMouseEvent* event) override;
    void mouseReleaseEvent(QGraphicsSceneMouseEvent* event) override;
    void drawBackground(QPainter* painter, const QRectF& rect) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    struct End {
        NodeItem* item = nullptr;
        int port = -1;
        Address address() const { return {item->node().name, item->node().ports[static_cast<std::size_t>(port)].name}; }
        bool output() const { return item->node().ports[static_cast<std::size_t>(port)].kind == PortKind::output; }
    };
    std::optional<End> endAt(const QPointF& point) const;
    void route();
    void beginWire(const End& end, const QPointF& at);
    void dragWire(const QPointF& at);
    void endWire();
    std::string refusalOf(const End& other) const;

    Refusal refusal_;
    CanvasGraph graph_;
    std::vector<NodeItem*> nodes_;
    std::vector<WireItem*> wires_;
    CanvasPlaces pressed_; ///< where the nodes were when the mouse went down
    std::optional<End> wireFrom_;
    QGraphicsPathItem* wireShown_ = nullptr;
    bool building_ = false, paper_ = false;
};

} // namespace raphe
