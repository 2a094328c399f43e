// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/canvas/canvas_view.h"
#include "window_support.h"

#include <QMouseEvent>
#include <QTest>

namespace raphe::test {

/// A document and its view, shown at the size of a screen.
struct Canvas {
    explicit Canvas(std::unique_ptr<Document> opened) : document(std::move(opened)), view(document) {
        view.resize(1000, 700);
        view.show();
        QCoreApplication::processEvents();
        view.zoomToFit();
    }
    const NodeItem* item(const std::string& node) {
        for (const NodeItem* shown : view.canvas().nodeItems())
            if (shown->node().name == node) return shown;
        return nullptr;
    }
    QPoint port(const std::string& node, const std::string& name) {
        if (const auto* shown = item(node)) return view.mapFromScene(shown->portAt(shown->node().port(name)));
        ADD_FAILURE() << node << "." << name;
        return {};
    }
    void drag(const QPoint& from, const QPoint& to) const {
        QWidget* target = view.viewport();
        QTest::mousePress(target, Qt::LeftButton, {}, from);
        for (int i = 1; i <= 4; ++i) {
            const QPointF at = QPointF{from} + QPointF{to - from} * i / 4;
            QMouseEvent move{QEvent::MouseMove, at, target->mapToGlobal(at), Qt::NoButton, Qt::LeftButton, {}};
            QCoreApplication::sendEvent(target, &move);
        }
        QTest::mouseRelease(target, Qt::LeftButton, {}, to);
    }

    OpenDocument document;
    CanvasView view;
};

inline std::unique_ptr<Document> twoNodes() {
    auto document = Document::create("two", plugins().registry());
    document->execute({{"command", "add_node"}, {"name", "a"}, {"mechanism", "model.rnn"}, {"at", {0, 0}}});
    document->execute({{"command", "add_node"}, {"name", "b"}, {"mechanism", "model.dense"}, {"at", {320, 0}}});
    return document;
}

} // namespace raphe::test
