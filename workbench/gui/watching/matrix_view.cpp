// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/matrix_view.h"

#include "gui/figure/figure_palette.h"
#include "gui/shell/theme.h"

#include <QMouseEvent>
#include <QPainter>

#include <algorithm>
#include <array>
#include <cmath>

namespace raphe {
namespace {

constexpr int levels = 256;
constexpr double barWidth = 12, barRoom = 62;

QRgb mixed(double part) {
    const double at = std::clamp(0.5 * (part + 1), 0.0, 1.0) * (divergingStops.size() - 1);
    const auto below = std::min(static_cast<std::size_t>(at), divergingStops.size() - 2);
    const double weight = at - static_cast<double>(below);
    const auto channel = [&](std::size_t c) {
        return static_cast<int>(
            std::lround((1 - weight) * divergingStops[below][c] + weight * divergingStops[below + 1][c]));
    };
    return qRgb(channel(0), channel(1), channel(2));
}

const std::array<QRgb, levels>& table() {
    static const auto colours = [] {
        std::array<QRgb, levels> result{};
        for (int level = 0; level < levels; ++level)
            result[static_cast<std::size_t>(level)] = mixed(2.0 * level / (levels - 1) - 1);
        return result;
    }();
    return colours;
}

} // namespace

QColor MatrixView::colour(double part) { return QColor{mixed(part)}; }

MatrixView::MatrixView(QWidget* parent) : QWidget(parent) {
    setMouseTracking(true);
    setMinimumSize(120, 80);
    setAccessibleName(tr("Matrix"));
}

void MatrixView::setMatrix(ShownMatrix matrix, float reach) {
    matrix_ = std::move(matrix);
    reach_ = reach;
    image_ = QImage{matrix_.columns, matrix_.rows, QImage::Format_RGB32};
    const float scale = reach_ > 0 ? 0.5F * (levels - 1) / reach_ : 0;
    const auto& colours = table();
    for (int row = 0; row < matrix_.rows; ++row) {
        auto* line = reinterpret_cast<QRgb*>(image_.scanLine(row));
        const float* values = matrix_.values.data() + static_cast<std::ptrdiff_t>(row) * matrix_.columns;
        for (int column = 0; column < matrix_.columns; ++column) {
            const float level = 0.5F * (levels - 1) + scale * values[column];
            line[column] =
                std::isfinite(level)
                    ? colours[static_cast<std::size_t>(std::clamp(level, 0.0F, static_cast<float>(levels - 1)) + 0.5F)]
                    : qRgb(0x60, 0x60, 0x60);
        }
    }
    tell();
    update();
}

QRectF MatrixView::area() const {
    QRectF room = QRectF{rect()}.adjusted(8, 8, -barRoom - 8, -8);
    if (matrix_.rows < 1 || matrix_.columns < 1 || room.width() < 4 || room.height() < 4) return {};
    // Cells are square unless that would leave next to nothing of a long matrix.
    const double wanted = static_cast<double>(matrix_.columns) / matrix_.rows;
    const double aspect = std::clamp(wanted, 0.25, 12.0);
    const QPointF corner = room.topLeft();
    if (room.width() / room.height() > aspect)
        room.setWidth(room.height() * aspect);
    else
        room.setHeight(room.width() / aspect);
    room.moveTopLeft(corner);
    return room;
}

std::optional<std::pair<int, int>> MatrixView::entryAt(const QPointF& point) const {
    const QRectF where = area();
    if (!where.contains(point)) return std::nullopt;
    const int column = static_cast<int>((point.x() - where.left()) / where.width() * matrix_.columns);
    const int row = static_cast<int>((point.y() - where.top()) / where.height() * matrix_.rows);
    return std::pair(std::min(row, matrix_.rows - 1), std::min(column, matrix_.columns - 1));
}

void MatrixView::tell() {
    const auto entry = mouse_ ? entryAt(*mouse_) : std::nullopt;
    if (!entry) {
        Q_EMIT hovered({});
        return;
    }
    const auto [row, column] = *entry;
    const float value = matrix_.values[static_cast<std::size_t>(row) * static_cast<std::size_t>(matrix_.columns) +
                                       static_cast<std::size_t>(column)];
    Q_EMIT hovered(tr("row %1, column %2: %3").arg(row).arg(column).arg(static_cast<double>(value), 0, 'g', 5));
}

void MatrixView::mouseMoveEvent(QMouseEvent* event) {
    mouse_ = event->position();
    tell();
}

void MatrixView::leaveEvent(QEvent*) {
    mouse_.reset();
    tell();
}

void MatrixView::paintEvent(QPaintEvent*) {
    QPainter painter{this};
    const QRectF where = area();
    if (where.isEmpty()) return;
    painter.setRenderHint(QPainter::SmoothPixmapTransform, where.width() < matrix_.columns);
    painter.drawImage(where, image_);
    painter.setPen(QPen{theme().line, 1});
    painter.drawRect(where);

    QRectF bar{where.right() + 12, where.top(), barWidth, std::max(40.0, where.height())};
    bar.setBottom(std::min(bar.bottom(), rect().bottom() - 8.0));
    QLinearGradient gradient{bar.bottomLeft(), bar.topLeft()};
    for (int stop = 0; stop <= 8; ++stop) gradient.setColorAt(stop / 8.0, colour(stop / 4.0 - 1));
    painter.fillRect(bar, gradient);
    painter.drawRect(bar);
    painter.setPen(theme().text);
    QFont small = font();
    small.setPointSizeF(small.pointSizeF() * 0.85);
    painter.setFont(small);
    const double reach = static_cast<double>(reach_);
    for (const double part : {1.0, 0.0, -1.0}) {
        const double y = bar.center().y() - part * 0.5 * bar.height();
        const QRectF label{bar.right() + 4, std::clamp(y - 8, bar.top() - 4, bar.bottom() - 12), barRoom, 16};
        painter.drawText(label, Qt::AlignLeft | Qt::AlignVCenter, QString::number(part * reach, 'g', 3));
    }
}

} // namespace raphe
