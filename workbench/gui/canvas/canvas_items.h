// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/canvas/canvas_graph.h"
#include "gui/canvas/node_geometry.h"
#include "gui/canvas/wire_path.h"

#include <QGraphicsObject>
#include <QPainterPath>

#include <optional>
#include <vector>

namespace raphe {

/// Draws the mark of a port: a circle takes a signal in, a triangle lets one out, a diamond is modulated.
void drawPortMark(QPainter& painter, const QPointF& at, PortKind kind, bool filled, double size = 5.5);

class NodeItem final : public QGraphicsObject {
    Q_OBJECT

public:
    NodeItem(CanvasNode node, bool editable);

    const CanvasNode& node() const { return node_; }
    QRectF body() const { return {pos(), geometry_.size}; }
    QPointF portAt(int port) const { return pos() + geometry_.ports[static_cast<std::size_t>(port)]; }
    /// The port close to a point of the scene; -1: none.
    int portNear(const QPointF& scenePoint) const;

    /// The mark of a problem close to a point of the scene: that of a port, or -1: of the node. None: there is none.
    std::optional<int> badgeNear(const QPointF& scenePoint) const;
    /// Where the keyboard is: a port, nodeItself or nowhere.
    void setCurrent(int spot);
    static constexpr int nodeItself = -1, nowhere = -2;

    /// While a wire is drawn: how it fits to a port. `partly`: the port would need other wires besides.
    enum class Fit { no, partly, wholly };
    /// In the order of the ports; empty: no wire is drawn.
    void setFitting(std::vector<Fit> fitting);
    Fit fit(int port) const { return fitting_.empty() ? Fit::no : fitting_[static_cast<std::size_t>(port)]; }
    /// Activity of the units of an output, -1 to 1; empty: none.
    void setActivity(std::vector<float> activity);

    QRectF boundingRect() const override;
    QPainterPath shape() const override;
    void paint(QPainter* painter, const QStyleOptionGraphicsItem* option, QWidget* widget) override;

Q_SIGNALS:
    void moving();

protected:
    QVariant itemChange(GraphicsItemChange change, const QVariant& value) override;
    void hoverMoveEvent(QGraphicsSceneHoverEvent* event) override;

private:
    void paintPorts(QPainter& painter, bool named) const;
    void paintMarks(QPainter& painter) const;
    QString tipOf(int port) const;
    QPointF badgeOf(int port) const;

    CanvasNode node_;
    NodeGeometry geometry_;
    std::vector<Fit> fitting_;
    std::vector<float> activity_;
    int current_ = nowhere;
};

class WireItem final : public QGraphicsItem {
public:
    explicit WireItem(CanvasWire wire);

    const CanvasWire& wire() const { return wire_; }
    const QPainterPath& path() const { return path_; }
    /// @param nodes  that a curved wire keeps clear of
    void setWay(const std::vector<QPointF>& corners, WireStyle style, const std::vector<QRectF>& nodes);
    /// What the wire delivers at present; empty: not known.
    void setValue(const QString& value);

    QRectF boundingRect() const override;
    QPainterPath shape() const override;
    void paint(QPainter* painter, const QStyleOptionGraphicsItem* option, QWidget* widget) override;

private:
    QString label() const;

    CanvasWire wire_;
    QPainterPath path_;
    QPointF labelAt_;
    QString value_;
};

} // namespace raphe
