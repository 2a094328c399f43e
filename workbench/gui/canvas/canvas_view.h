// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/canvas/canvas_scene.h"
#include "gui/shell/open_document.h"

#include <QGraphicsView>

class QLabel;

namespace raphe {

/// What a mechanism is dragged as.
inline constexpr const char* mechanismMime = "application/x-raphe-mechanism";

/// The graph of an open document, to be edited.
class CanvasView final : public QGraphicsView {
    Q_OBJECT

public:
    explicit CanvasView(OpenDocument& document, QWidget* parent = nullptr);

    OpenDocument& document() { return document_; }
    CanvasScene& canvas() { return *scene_; }

    void zoomToFit();
    void zoomBy(double factor);
    void arrange(); ///< lays all nodes out anew
    void copySelection();
    void cutSelection();
    void paste();
    void duplicateSelection();
    void removeSelection();
    void selectAll();
    /// Adds a node, where the view is or at a point of the scene.
    void addMechanism(const QString& key, std::optional<QPointF> at = std::nullopt);
    void exportPicture();

Q_SIGNALS:
    void nodesSelected(const std::vector<std::string>& names);
    void wireSelected(const raphe::WireSpec& wire);
    void nothingSelected();

protected:
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dragMoveEvent(QDragMoveEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    void rebuild();
    void showNotice(const QString& sentence, bool refusal);
    void placeNotice();
    void tellSelection();

    OpenDocument& document_;
    CanvasScene* scene_;
    QLabel *notice_, *hint_;
    std::optional<QPoint> panning_;
    bool fitted_ = false, ownMove_ = false;
};

} // namespace raphe
