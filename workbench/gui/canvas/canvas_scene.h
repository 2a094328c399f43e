// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/editing/document.h"
#include "gui/canvas/canvas_items.h"
#include "gui/canvas/wire_router.h"

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
    /// @param document  says whether and how a wire can be; null: the graph cannot be edited
    explicit CanvasScene(QObject* parent = nullptr, const Document* document = nullptr);
    ~CanvasScene() override { blockSignals(true); } ///< the selection that goes with the nodes is no news

    /// Nodes without a place get one from the layout. What was selected stays selected, under another name as well if
    /// one node alone was renamed.
    void setGraph(CanvasGraph graph, const CanvasPlaces& places = {});
    const CanvasGraph& graph() const { return graph_; }
    CanvasPlaces places() const;
    QRectF content() const;
    /// Painted in light colours and without a background, whatever those of the window.
    void setPaper(bool paper);

    std::vector<std::string> selectedNodes() const;
    std::vector<WireSpec> selectedWires() const;
    void select(const std::vector<std::string>& nodes);
    void setWireStyle(WireStyle style);
    /// In the order of the graph.
    const std::vector<NodeItem*>& nodeItems() const { return nodes_; }
    /// Where the nodes lie, in the order of the graph.
    std::vector<std::pair<QRectF, const CanvasNode*>> bodies() const;

    // -- by keyboard (canvas_keyboard.cpp): one node or port is the current one --

    /// The current node; with a port, if one of its ports is current.
    std::optional<Address> current() const;
    /// @param port  empty: the node itself. @return whether there is such a place
    bool setCurrent(const std::string& node, const std::string& port);
    void clearCurrent();
    /// To the next node or port, as one reads the graph. @return false at the end
    bool moveCurrent(bool forward);
    QRectF currentArea() const;
    /// The middle of a port, or of a node.
    QPointF placeOf(const Address& spot) const;
    /// What a screen reader says of the current place, or of a wire that is being drawn from it.
    QString currentText() const;
    /// Begins a wire at the current port and chooses the first port that fits. @return whether there is one
    bool beginWireByKey();
    bool drawsByKey() const { return !targets_.empty(); }
    void nextTarget(bool forward);
    void endWireByKey(bool connect);

    /// What lies at a point: a port, or a node if the address has no port.
    std::optional<Address> spotAt(const QPointF& point) const;

    /// What ports show at one moment: units of an output, scaled to -1 to 1, and the values that wires deliver.
    struct Moment {
        std::map<std::string, std::vector<float>> units; ///< by "node.port"
        std::map<std::string, QString> values;           ///< by "node.port", of those that modulate
    };
    void show(const Moment& moment);

Q_SIGNALS:
    void nodesMoved(const raphe::CanvasPlaces& places);
    void wireWanted(const raphe::Address& from, const raphe::Address& to);
    /// Why a wire cannot be, or what it would do where it ends now; an empty sentence: no more.
    void explain(const QString& sentence, bool refusal);
    void nodesSelected(const std::vector<std::string>& names);
    void problemsWanted(const raphe::Address& at, const QPointF& where); ///< of a node if there is no port
    void currentChanged();

protected:
    void mousePressEvent(QGraphicsSceneMouseEvent* event) override;
    void mouseMoveEvent(QGraphicsSceneMouseEvent* event) override;
    void mouseReleaseEvent(QGraphicsSceneMouseEvent* event) override;
    void drawBackground(QPainter* painter, const QRectF& rect) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    struct End {
        NodeItem* item = nullptr;
        int port = NodeItem::nodeItself;
        Address address() const {
            return {item->node().name,
                    port < 0 ? std::string{} : item->node().ports[static_cast<std::size_t>(port)].name};
        }
        bool output() const { return item->node().ports[static_cast<std::size_t>(port)].kind == PortKind::output; }
    };
    std::optional<End> endAt(const QPointF& point) const;
    /// Finds the ways of all wires, or of those that a moved node concerns.
    void route(const NodeItem* moved = nullptr);
    /// The ways of all wires, as they were last found.
    struct Routed {
        std::vector<QRectF> nodes;
        std::vector<RouteRequest> wires;
        std::vector<std::vector<QPointF>> ways;
    };
    std::vector<End> endsInOrder() const;
    void showCurrent();
    void beginWire(const End& end, const QPointF& at);
    void dragWire(const QPointF& at);
    void endWire();
    /// The wire that is being drawn, if it ended there.
    Connection connectionTo(const End& other) const;
    /// The same for every port that there is, but what the wire would do in time; by node and port of the graph.
    std::vector<std::vector<Connection>> connections() const;

    const Document* document_;
    CanvasGraph graph_;
    std::vector<NodeItem*> nodes_;
    std::vector<WireItem*> wires_;
    CanvasPlaces pressed_;                  ///< where the nodes were when the mouse went down
    std::optional<End> wireFrom_, current_; ///< current_: the node itself if the port is nodeItself
    std::vector<End> targets_;              ///< that fit, while a wire is drawn by keyboard
    std::size_t target_ = 0;
    Routed routed_;
    WireStyle style_ = WireStyle::orthogonal;
    QGraphicsPathItem* wireShown_ = nullptr;
    bool building_ = false, paper_ = false;
};

} // namespace raphe
