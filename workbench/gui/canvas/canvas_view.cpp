// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/canvas_view.h"

#include "engine/document/canvas.h"
#include "gui/canvas/canvas_export.h"
#include "gui/canvas/graph_layout.h"
#include "gui/shell/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QLabel>
#include <QMenu>
#include <QMessageBox>
#include <QMimeData>
#include <QSaveFile>
#include <QScrollBar>
#include <QTimer>

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

Json position(const QPointF& at) { return Json::array({std::lround(at.x()), std::lround(at.y())}); }

QPointF onGrid(const QPointF& at) {
    return {std::round(at.x() / canvasPitch) * canvasPitch, std::round(at.y() / canvasPitch) * canvasPitch};
}

Json positions(const CanvasPlaces& places) {
    Json result = Json::object();
    for (const auto& [name, at] : places) result[name] = position(at);
    return result;
}

Json names(const std::vector<std::string>& nodes) { return Json(nodes); }

} // namespace

CanvasView::CanvasView(OpenDocument& document, QWidget* parent)
    : QGraphicsView(parent), document_(document), notice_(new QLabel{viewport()}), hint_(new QLabel{viewport()}) {
    scene_ = new CanvasScene{this, [this](const Address& from, const Address& to) {
                                 return document_.document().canConnect(from.text(), to.text()).refusal;
                             }};
    setScene(scene_);
    setRenderHint(QPainter::Antialiasing);
    setDragMode(RubberBandDrag);
    setTransformationAnchor(AnchorUnderMouse);
    setViewportUpdateMode(FullViewportUpdate);
    setFrameShape(NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setAcceptDrops(true);
    setAccessibleName(tr("Graph of the experiment"));
    notice_->setWordWrap(true);
    notice_->hide();
    hint_->setText(tr("Drag a mechanism here from the list on the left.\n"
                      "Then draw wires from port to port: ▶ outputs to ● inputs or to ◆ modulated parameters."));
    hint_->setAlignment(Qt::AlignCenter);
    hint_->setEnabled(false);

    connect(&document_, &OpenDocument::changed, this, [this] {
        if (!ownMove_) rebuild();
    });
    connect(&document_, &OpenDocument::refused, this, [this](const QString& sentence) {
        showNotice(sentence, true);
        QTimer::singleShot(6000, notice_, &QWidget::hide);
    });
    connect(scene_, &CanvasScene::nodesMoved, this, [this](const CanvasPlaces& places) {
        // All of them, so that the others stay where the layout has put them.
        static_cast<void>(places);
        ownMove_ = true;
        document_.execute({{"command", "move"}, {"positions", positions(scene_->places())}});
        ownMove_ = false;
    });
    connect(scene_, &CanvasScene::wireWanted, this, [this](const Address& from, const Address& to) {
        document_.execute({{"command", "connect"}, {"from", from.text()}, {"to", to.text()}});
    });
    connect(scene_, &CanvasScene::explain, this, [this](const QString& sentence) { showNotice(sentence, true); });
    connect(scene_, &CanvasScene::nodesSelected, this, &CanvasView::tellSelection);
    rebuild();
}

void CanvasView::rebuild() {
    CanvasPlaces places;
    for (const auto& [name, at] : positionsOf(document_.document().complete())) places[name] = {at.x, at.y};
    scene_->setGraph(canvasGraph(document_.experiment(), document_.registry(), document_.document().problems()),
                     places);
    hint_->setVisible(scene_->graph().nodes.empty());
    placeNotice();
}

void CanvasView::tellSelection() {
    const auto nodes = scene_->selectedNodes();
    const auto wires = scene_->selectedWires();
    if (!nodes.empty())
        Q_EMIT nodesSelected(nodes);
    else if (wires.size() == 1)
        Q_EMIT wireSelected(wires.front());
    else
        Q_EMIT nothingSelected();
}

void CanvasView::zoomToFit() {
    const QRectF content = scene_->content();
    if (content.isEmpty()) return;
    fitInView(content.adjusted(-24, -24, 24, 24), Qt::KeepAspectRatio);
    const double scale = transform().m11();
    if (scale > 1.15) {
        resetTransform();
        this->scale(1.15, 1.15);
        centerOn(content.center());
    }
}

void CanvasView::zoomBy(double factor) {
    const double scale = transform().m11() * factor;
    if (scale > 0.05 && scale < 6) this->scale(factor, factor);
}

void CanvasView::arrange() {
    const auto& graph = scene_->graph();
    const auto laidOut = layoutGraph(graph);
    CanvasPlaces places;
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
        const QSizeF half = nodeGeometry(graph.nodes[n]).size / 2;
        places[graph.nodes[n].name] = laidOut[n] + QPointF{half.width(), half.height()};
    }
    document_.execute({{"command", "move"}, {"positions", positions(places)}});
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

void CanvasView::paste() {
    document_.execute({{"command", "paste"}, {"fragment", QApplication::clipboard()->text().toStdString()}});
}

void CanvasView::duplicateSelection() {
    const auto nodes = scene_->selectedNodes();
    if (!nodes.empty()) document_.execute({{"command", "duplicate"}, {"names", names(nodes)}});
}

void CanvasView::removeSelection() {
    const auto wires = scene_->selectedWires();
    const auto nodes = scene_->selectedNodes();
    for (const auto& wire : wires)
        document_.execute({{"command", "disconnect"}, {"from", wire.from.text()}, {"to", wire.to.text()}});
    if (!nodes.empty()) document_.execute({{"command", "remove_nodes"}, {"names", names(nodes)}});
}

void CanvasView::selectAll() {
    std::vector<std::string> all;
    for (const auto& node : scene_->graph().nodes) all.push_back(node.name);
    scene_->select(all);
}

void CanvasView::addMechanism(const QString& key, std::optional<QPointF> at) {
    const std::string mechanism = key.toStdString();
    const auto name = document_.freshName(mechanism.substr(mechanism.find('.') + 1));
    if (!at) { // a free place near the middle of what is seen
        at = mapToScene(viewport()->rect().center());
        const auto taken = [&] {
            for (const auto& [other, place] : scene_->places())
                if (std::abs(place.x() - at->x()) < 180 && std::abs(place.y() - at->y()) < 110) return true;
            return false;
        };
        while (taken()) *at += QPointF{0, 120};
    }
    const bool allPlaced = positionsOf(document_.document().complete()).size() >= document_.experiment().nodes.size();
    const std::string step = "add " + name; // one step to undo: the others stay where the layout has put them
    if (!allPlaced) document_.execute({{"command", "move"}, {"positions", positions(scene_->places())}}, step);
    if (!document_.execute(
            {{"command", "add_node"}, {"name", name}, {"mechanism", mechanism}, {"at", position(onGrid(*at))}}, step))
        return;
    scene_->select({name});
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

void CanvasView::showNotice(const QString& sentence, bool refusal) {
    notice_->setVisible(!sentence.isEmpty());
    if (sentence.isEmpty()) return;
    const Theme& t = theme();
    notice_->setStyleSheet(
        QStringLiteral("background: %1; color: %2; border: 1px solid %3; border-radius: 5px; padding: 5px 9px;")
            .arg(t.raised.name(), t.text.name(), (refusal ? t.bad : t.line).name()));
    notice_->setText(sentence);
    placeNotice();
}

void CanvasView::placeNotice() {
    const int width = std::min(560, viewport()->width() - 24);
    notice_->setFixedWidth(width);
    notice_->adjustSize();
    notice_->move((viewport()->width() - width) / 2, viewport()->height() - notice_->height() - 12);
    hint_->setGeometry(viewport()->rect());
}

void CanvasView::wheelEvent(QWheelEvent* event) {
    if (event->modifiers() & Qt::ControlModifier)
        zoomBy(std::pow(1.0015, event->angleDelta().y()));
    else
        QGraphicsView::wheelEvent(event);
}

void CanvasView::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::MiddleButton) {
        panning_ = event->pos();
        viewport()->setCursor(Qt::ClosedHandCursor);
        return;
    }
    QGraphicsView::mousePressEvent(event);
}

void CanvasView::mouseMoveEvent(QMouseEvent* event) {
    if (panning_) {
        const QPoint by = event->pos() - *panning_;
        panning_ = event->pos();
        horizontalScrollBar()->setValue(horizontalScrollBar()->value() - by.x());
        verticalScrollBar()->setValue(verticalScrollBar()->value() - by.y());
        return;
    }
    QGraphicsView::mouseMoveEvent(event);
}

void CanvasView::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() == Qt::MiddleButton && panning_) {
        panning_.reset();
        viewport()->unsetCursor();
        return;
    }
    QGraphicsView::mouseReleaseEvent(event);
}

void CanvasView::resizeEvent(QResizeEvent* event) {
    QGraphicsView::resizeEvent(event);
    placeNotice();
    if (!fitted_ && isVisible()) {
        fitted_ = true;
        zoomToFit();
    }
}

void CanvasView::contextMenuEvent(QContextMenuEvent* event) {
    if (auto* item = itemAt(event->pos()); item && !item->isSelected()) {
        scene_->clearSelection();
        item->setSelected(true);
    }
    QMenu menu;
    const bool nodes = !scene_->selectedNodes().empty();
    const bool any = nodes || !scene_->selectedWires().empty();
    const auto add = [&](const QString& text, bool enabled, void (CanvasView::*act)()) {
        menu.addAction(text, this, act)->setEnabled(enabled);
    };
    add(tr("Copy"), nodes, &CanvasView::copySelection);
    add(tr("Paste"), true, &CanvasView::paste);
    add(tr("Duplicate"), nodes, &CanvasView::duplicateSelection);
    add(tr("Delete"), any, &CanvasView::removeSelection);
    menu.addSeparator();
    add(tr("Arrange"), true, &CanvasView::arrange);
    add(tr("Zoom to fit"), true, &CanvasView::zoomToFit);
    menu.exec(event->globalPos());
}

void CanvasView::dragEnterEvent(QDragEnterEvent* event) {
    if (event->mimeData()->hasFormat(mechanismMime)) event->acceptProposedAction();
}

void CanvasView::dragMoveEvent(QDragMoveEvent* event) {
    if (event->mimeData()->hasFormat(mechanismMime)) event->acceptProposedAction();
}

void CanvasView::dropEvent(QDropEvent* event) {
    if (!event->mimeData()->hasFormat(mechanismMime)) return;
    addMechanism(QString::fromUtf8(event->mimeData()->data(mechanismMime)), mapToScene(event->position().toPoint()));
    event->acceptProposedAction();
}

} // namespace raphe
