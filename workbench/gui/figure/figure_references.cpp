// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_plottables.h"

#include <algorithm>

namespace raphe {
namespace {

class Reference final : public FigurePlottable {
public:
    Reference(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureReference& line)
        : FigurePlottable{x, y, look}, line_{line} {}

    void extendX(FigureExtent& extent) const override {
        if (!line_.horizontal) extent.include(line_.at);
    }
    void extendY(FigureExtent& extent, const QCPRange&) const override {
        if (line_.horizontal) extent.include(line_.at);
    }

protected:
    void draw(QCPPainter* painter) override {
        const QRectF area = this->area();
        painter->setAntialiasing(true);
        painter->setPen(stroke(line_.width));
        if (line_.horizontal) {
            const double y = mValueAxis->coordToPixel(line_.at);
            drawClippedLine(painter, {area.left(), y}, {area.right(), y});
        } else {
            const double x = mKeyAxis->coordToPixel(line_.at);
            drawClippedLine(painter, {x, area.top()}, {x, area.bottom()});
        }
    }

    void drawLegendIcon(QCPPainter* painter, const QRectF& rect) const override {
        painter->setAntialiasing(true);
        painter->setPen(stroke(std::min(line_.width, 4.0)));
        painter->drawLine(QLineF{rect.left(), rect.center().y(), rect.right(), rect.center().y()});
    }

private:
    const FigureReference& line_;
};

} // namespace

FigurePlottable* newPlottable(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureReference& line) {
    return new Reference{x, y, look, line};
}

QSizeF FigureReferenceLabel::textSize() const {
    const QFontMetricsF metrics{font_};
    return {metrics.horizontalAdvance(QString::fromStdString(line_.label)) + 4, metrics.height()};
}

std::vector<QRectF> FigureReferenceLabel::candidates() const {
    const QRectF area = this->area();
    const QSizeF size = textSize();
    const double gap = 2;
    std::vector<QRectF> result;
    const auto add = [&](double left, double top) {
        const QRectF rect{QPointF{left, top}, size};
        if (area.adjusted(-0.5, -0.5, 0.5, 0.5).contains(rect)) result.push_back(rect);
    };
    if (line_.horizontal) {
        const double y = mValueAxis->coordToPixel(line_.at);
        if (y < area.top() - 0.5 || y > area.bottom() + 0.5) return {};
        for (const double left : {area.right() - size.width(), area.left() + 3, area.center().x() - size.width() / 2}) {
            add(left, y - gap - size.height());
            add(left, y + gap);
        }
    } else {
        const double x = mKeyAxis->coordToPixel(line_.at);
        if (x < area.left() - 0.5 || x > area.right() + 0.5) return {};
        for (const double top : {area.top(), area.bottom() - size.height(), area.center().y() - size.height() / 2}) {
            add(x + gap, top);
            add(x - gap - size.width(), top);
        }
    }
    return result;
}

void FigureReferenceLabel::draw(QCPPainter* painter) {
    if (!placed_) return;
    const QRectF rect{area().topLeft() + offset_, textSize()};
    painter->setAntialiasing(true);
    const bool light = look_.color.lightnessF() > 0.8f; // a light line over a dark heat map
    painter->fillRect(rect.adjusted(0, 1, 0, -1), light && !look_.inks->dark ? QColor{0, 0, 0, 130} : look_.inks->veil);
    painter->setFont(font_);
    painter->setPen(light ? look_.color : look_.color.darker(115));
    painter->drawText(rect, Qt::AlignCenter | Qt::TextDontClip | Qt::TextSingleLine,
                      QString::fromStdString(line_.label));
}

} // namespace raphe
