// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "figure_plottables.h"

#include <QImage>
#include <QRect>

namespace raphe {

/// The pixels that data cover, to find room for legends and labels.
class InkMask {
public:
    InkMask(QRect area, bool full)
        : area_{area}, image_{area.size().expandedTo({1, 1}), QImage::Format_ARGB32_Premultiplied} {
        image_.fill(full ? Qt::black : Qt::transparent);
    }

    void add(FigurePlottable* plottable) {
        QCPPainter painter{&image_};
        painter.translate(-area_.topLeft());
        plottable->paint(&painter);
    }

    void add(const QRectF& rect) {
        QPainter painter{&image_};
        painter.translate(-area_.topLeft());
        painter.fillRect(rect, Qt::black);
    }

    int covered(const QRectF& rect) const {
        const QRect part = rect.toAlignedRect().translated(-area_.topLeft()).intersected(image_.rect());
        int count = 0;
        for (int y = part.top(); y <= part.bottom(); ++y) {
            const auto* row = reinterpret_cast<const QRgb*>(image_.constScanLine(y));
            for (int x = part.left(); x <= part.right(); ++x) count += qAlpha(row[x]) > 0;
        }
        return count;
    }

private:
    QRect area_;
    QImage image_;
};

} // namespace raphe
