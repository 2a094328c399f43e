// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/watching/tensor_data.h"

#include <QImage>
#include <QWidget>

#include <optional>

namespace raphe {

/// A matrix in colours around zero, drawn so fast that it can be played. The mouse asks for an entry.
class MatrixView final : public QWidget {
    Q_OBJECT

public:
    explicit MatrixView(QWidget* parent = nullptr);

    void setMatrix(ShownMatrix matrix, float reach);
    const ShownMatrix& matrix() const { return matrix_; }
    float reach() const { return reach_; }
    /// Row and column under a point.
    std::optional<std::pair<int, int>> entryAt(const QPointF& point) const;
    /// The colour of a value; `part` is its part of the reach, -1 to 1.
    static QColor colour(double part);

Q_SIGNALS:
    void hovered(const QString& words); ///< empty: over no entry

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    QRectF area() const;
    void tell();

    ShownMatrix matrix_;
    float reach_ = 0;
    QImage image_;
    std::optional<QPointF> mouse_;
};

} // namespace raphe
