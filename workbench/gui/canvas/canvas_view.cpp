// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/canvas_view.h"

#include "engine/document/canvas.h"
#include "gui/canvas/canvas_accessible.h"
#include "gui/canvas/canvas_position.h"
#include "gui/canvas/canvas_search.h"
#include "gui/canvas/mini_map.h"
#include "gui/problems/problem_list.h"
#include "gui/shell/theme.h"

#include <QLabel>
#include <QMimeData>
#include <QPushButton>
#include <QScrollBar>
#include <QTimer>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace raphe {

CanvasView::CanvasView(OpenDocument& document, QWidget* parent)
    : QGraphicsView(parent), document_(document), notice_(new QLabel{viewport()}), hint_(new QLabel{viewport()}) {
    scene_ = new CanvasScene{this, &document_.document()};
    installCanvasAccessibility();
    map_ = new MiniMap{*scene_, *this, viewport()};
    search_ = new CanvasSearch{viewport()};
    connect(map_, &MiniMap::dragged, this, [this] { keepsFit_ = false; });
    setScene(scene_);
    setFocusPolicy(Qt::StrongFocus);
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
        document_.execute({{"command", "move"}, {"positions", positionsJson(scene_->places())}});
        ownMove_ = false;
    });
    connect(scene_, &CanvasScene::wireWanted, this, [this](const Address& from, const Address& to) {
        document_.execute({{"command", "connect"}, {"from", from.text()}, {"to", to.text()}});
    });
    connect(scene_, &CanvasScene::explain, this, &CanvasView::showNotice);
    connect(scene_, &CanvasScene::nodesSelected, this, &CanvasView::tellSelection);
    connect(scene_, &CanvasScene::problemsWanted, this, &CanvasView::showProblems);
    connect(scene_, &CanvasScene::currentChanged, this, &CanvasView::currentChanged);
    connect(search_, &CanvasSearch::found, this, [this](const GraphHit& hit) { reveal({hit.node, hit.port}); });
    connect(search_, &CanvasSearch::closed, this, [this] { setFocus(); });
    rebuild();
}

void CanvasView::rebuild() {
    CanvasPlaces places;
    for (const auto& [name, at] : positionsOf(document_.document().complete())) places[name] = {at.x, at.y};
    scene_->setGraph(canvasGraph(document_.experiment(), document_.registry(), document_.document().problems()),
                     places);
    hint_->setVisible(scene_->graph().nodes.empty());
    search_->setGraph(scene_->graph());
    delete bubble_; // what it says may no longer hold
    const QRectF seen = mapToScene(viewport()->rect()).boundingRect();
    if (keepsFit_ && isVisible() && !seen.contains(scene_->content())) zoomToFit();
    placeOverlays();
}

void CanvasView::setOptions(const CanvasOptions& options) {
    scene_->setWireStyle(options.wires);
    map_->setWanted(options.miniMap);
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
    keepsFit_ = true;
    const QRectF content = scene_->content();
    if (content.isEmpty()) return;
    fitInView(content.adjusted(-24, -24, 24, 24), Qt::KeepAspectRatio);
    const double scale = transform().m11();
    if (scale > 1.15) {
        resetTransform();
        this->scale(1.15, 1.15);
        centerOn(content.center());
    }
    map_->refresh();
}

void CanvasView::zoomBy(double factor) {
    const double scale = transform().m11() * factor;
    if (scale > 0.05 && scale < 6) this->scale(factor, factor);
    keepsFit_ = false;
    map_->refresh();
}

void CanvasView::search() { search_->open(); }

void CanvasView::reveal(const Address& spot) {
    scene_->select({spot.node});
    scene_->setCurrent(spot.node, spot.port);
    if (transform().m11() < 0.5) scale(0.8 / transform().m11(), 0.8 / transform().m11());
    ensureVisible(scene_->currentArea(), 40, 60);
    keepsFit_ = false;
    map_->refresh();
}

void CanvasView::showProblems(const Address& spot, const QPointF& where) {
    delete bubble_;
    const auto problems =
        spot.port.empty() ? problemsOf(document_.document(), spot.node) : problemsOf(document_.document(), spot);
    if (problems.empty()) return;
    auto* bubble = new QFrame{viewport()};
    bubble->setObjectName("bubble");
    bubble->setAttribute(Qt::WA_NoMousePropagation);
    bubble->setStyleSheet(QStringLiteral("#bubble { background: %1; border: 1px solid %2; border-radius: 6px; }")
                              .arg(theme().raised.name(), theme().bad.name()));
    auto* list = new ProblemList{document_, problems, ProblemList::Remedies::shown};
    auto* layout = new QVBoxLayout{bubble};
    layout->setContentsMargins(2, 2, 2, 2);
    layout->addWidget(list);
    const int width = std::min(380, viewport()->width() - 20);
    bubble->setFixedWidth(width);
    bubble->setFixedHeight(layout->totalHeightForWidth(width));
    const QPoint at = mapFromScene(where) + QPoint{8, 14};
    bubble->move(std::clamp(at.x(), 6, std::max(6, viewport()->width() - width - 6)),
                 std::clamp(at.y(), 6, std::max(6, viewport()->height() - bubble->height() - 6)));
    connect(list, &ProblemList::chosen, bubble, &QObject::deleteLater);
    connect(list, &ProblemList::searchWanted, this, &CanvasView::mechanismsWanted);
    bubble->show();
    bubble->raise();
    if (auto* first = bubble->findChild<QPushButton*>()) first->setFocus();
    bubble_ = bubble;
}

void CanvasView::showNotice(const QString& sentence, bool refusal) {
    notice_->setVisible(!sentence.isEmpty());
    if (sentence.isEmpty()) return;
    const Theme& t = theme();
    notice_->setStyleSheet(
        QStringLiteral("background: %1; color: %2; border: 1px solid %3; border-radius: 5px; padding: 5px 9px;")
            .arg(t.raised.name(), t.text.name(), (refusal ? t.bad : t.line).name()));
    notice_->setText(sentence);
    placeOverlays();
}

void CanvasView::placeOverlays() {
    const int width = std::min(560, viewport()->width() - 24);
    notice_->setFixedWidth(width);
    notice_->adjustSize();
    notice_->move((viewport()->width() - width) / 2, viewport()->height() - notice_->height() - 12);
    hint_->setGeometry(viewport()->rect());
    search_->adjustSize();
    search_->move(viewport()->width() - search_->width() - 10, 10);
    map_->refresh();
}

void CanvasView::scrollContentsBy(int dx, int dy) {
    QGraphicsView::scrollContentsBy(dx, dy);
    delete bubble_; // it belongs to a place
    if (map_) map_->refresh();
}

void CanvasView::wheelEvent(QWheelEvent* event) {
    if (event->modifiers() & Qt::ControlModifier)
        zoomBy(std::pow(1.0015, event->angleDelta().y()));
    else
        QGraphicsView::wheelEvent(event);
    keepsFit_ = false;
}

void CanvasView::mousePressEvent(QMouseEvent* event) {
    delete bubble_;
    if (scene_->drawsByKey()) scene_->endWireByKey(false);
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
        keepsFit_ = false;
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
    placeOverlays();
    if (keepsFit_ && isVisible()) zoomToFit();
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
