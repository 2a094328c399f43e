// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

class QGraphicsView;

namespace raphe {

class CanvasScene;

/// A small overview in the corner of a graph: its nodes, and the part that one sees, which can be dragged. Shown while
/// something lies outside of that part.
class MiniMap final : public QWidget {
    Q_OBJECT

public:
    /// @param view  shows the scene, and is the parent's parent
    MiniMap(CanvasScene& scene, QGraphicsView& view, QWidget* parent);

    void setWanted(bool wanted);
    /// Takes its place in the corner, and shows or hides itself.
    void refresh();
    /// From the graph to the map.
    QTransform mapping() const;

Q_SIGNALS:
    void dragged(); ///< to another part of the graph

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;

private:
    QRectF seen() const;
    void goTo(const QPointF& at);

    CanvasScene& scene_;
    QGraphicsView& view_;
    bool wanted_ = true;
};

} // namespace raphe
