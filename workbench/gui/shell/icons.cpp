// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/shell/icons.h"

#include "gui/shell/theme.h"

#include <QPainter>
#include <QPainterPath>
#include <QPixmap>

namespace raphe {
namespace {

/// On a square of 24 by 24.
void draw(QPainter& p, Symbol symbol, const QColor& ink, bool enabled) {
    const QColor go = enabled ? theme().good : ink, halt = enabled ? theme().bad : ink;
    const QPen pen{ink, 2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin};
    p.setPen(pen);
    const auto filled = [&](const QPolygonF& shape, const QColor& color) {
        p.setPen(QPen{color, 1.5, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin});
        p.setBrush(color);
        p.drawPolygon(shape);
    };
    const auto bow = [&](bool left) {
        if (!left) {
            p.translate(24, 0);
            p.scale(-1, 1);
        }
        QPainterPath path{{5, 10}};
        path.cubicTo(11, 4, 19, 7, 19, 13);
        path.cubicTo(19, 17, 16, 19, 12, 19);
        p.drawPath(path);
        p.drawPolyline(QPolygonF{{5, 5}, {5, 10}, {10, 10}});
    };
    switch (symbol) {
    case Symbol::run:
        filled({{8, 5}, {19, 12}, {8, 19}}, go);
        break;
    case Symbol::pause:
        filled({{7, 5}, {10, 5}, {10, 19}, {7, 19}}, ink);
        filled({{14, 5}, {17, 5}, {17, 19}, {14, 19}}, ink);
        break;
    case Symbol::step:
        filled({{6, 6}, {14, 12}, {6, 18}}, ink);
        p.setPen(pen);
        p.drawLine(18, 6, 18, 18);
        break;
    case Symbol::stop:
        filled({{6, 6}, {18, 6}, {18, 18}, {6, 18}}, halt);
        break;
    case Symbol::undo:
        bow(true);
        break;
    case Symbol::redo:
        bow(false);
        break;
    case Symbol::fit:
        for (const auto& corner : {QPolygonF{{4, 9}, {4, 4}, {9, 4}}, QPolygonF{{15, 4}, {20, 4}, {20, 9}},
                                   QPolygonF{{20, 15}, {20, 20}, {15, 20}}, QPolygonF{{9, 20}, {4, 20}, {4, 15}}})
            p.drawPolyline(corner);
        p.drawRect(9, 9, 6, 6);
        break;
    case Symbol::arrange:
        p.drawRect(3, 9, 5, 6);
        p.drawRect(16, 3, 5, 6);
        p.drawRect(16, 15, 5, 6);
        p.drawPolyline(QPolygonF{{8, 12}, {12, 12}, {12, 6}, {16, 6}});
        p.drawPolyline(QPolygonF{{12, 12}, {12, 18}, {16, 18}});
        break;
    case Symbol::add:
        p.drawLine(12, 5, 12, 19);
        p.drawLine(5, 12, 19, 12);
        break;
    case Symbol::save:
        p.drawPolygon(QPolygonF{{4, 4}, {16, 4}, {20, 8}, {20, 20}, {4, 20}});
        p.drawRect(8, 13, 8, 7);
        p.drawLine(8, 4, 8, 8);
        p.drawLine(8, 8, 14, 8);
        break;
    case Symbol::open:
        p.drawPolygon(QPolygonF{{3, 19}, {3, 5}, {9, 5}, {11, 8}, {20, 8}, {20, 19}});
        p.drawLine(3, 12, 20, 12);
        break;
    case Symbol::backStep:
        filled({{15, 6}, {7, 12}, {15, 18}}, ink);
        break;
    case Symbol::back:
        filled({{18, 6}, {10, 12}, {18, 18}}, ink);
        p.setPen(pen);
        p.drawLine(6, 6, 6, 18);
        break;
    case Symbol::forward:
        p.drawPolyline(QPolygonF{{9, 5}, {16, 12}, {9, 19}});
        break;
    case Symbol::search:
        p.drawEllipse(QPointF{10, 10}, 6, 6);
        p.drawLine(QPointF{14.5, 14.5}, QPointF{20, 20});
        break;
    case Symbol::export_:
        p.drawPolyline(QPolygonF{{5, 12}, {5, 20}, {19, 20}, {19, 12}});
        p.drawLine(12, 4, 12, 15);
        p.drawPolyline(QPolygonF{{8, 8}, {12, 4}, {16, 8}});
        break;
    }
}

} // namespace

QIcon icon(Symbol symbol) {
    QIcon result;
    for (const bool enabled : {true, false}) {
        QPixmap pixmap{48, 48};
        pixmap.fill(Qt::transparent);
        pixmap.setDevicePixelRatio(2);
        QPainter painter{&pixmap};
        painter.setRenderHint(QPainter::Antialiasing);
        draw(painter, symbol, enabled ? theme().text : theme().line.darker(theme().dark ? 90 : 110), enabled);
        painter.end();
        result.addPixmap(pixmap, enabled ? QIcon::Normal : QIcon::Disabled);
    }
    return result;
}

} // namespace raphe
