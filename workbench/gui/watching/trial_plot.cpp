// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/trial_plot.h"

#include "figure_widget.h"
#include "gui/shell/theme.h"

#include <QMouseEvent>
#include <QPainter>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace raphe {

/// Lies over the figure and draws nothing but a line, so that moving it costs no drawing of the figure.
class TrialPlot::Cursor final : public QWidget {
public:
    explicit Cursor(TrialPlot& plot) : QWidget(&plot), plot_(plot) { setCursor(Qt::IBeamCursor); }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter{this};
        painter.setRenderHint(QPainter::Antialiasing);
        for (std::size_t p = 0; p < plot_.figure_->panelCount(); ++p) {
            const QRectF axes = plot_.figure_->panelGeometry(p).axes;
            const double x = axes.left() + axes.width() * (plot_.step_ + 0.5) / std::max(1, plot_.steps_);
            painter.setPen(QPen{QColor{255, 255, 255, 200}, 3.5});
            painter.drawLine(QPointF{x, axes.top()}, QPointF{x, axes.bottom()});
            painter.setPen(QPen{theme().bad, 1.5});
            painter.drawLine(QPointF{x, axes.top()}, QPointF{x, axes.bottom()});
        }
    }
    void mousePressEvent(QMouseEvent* event) override { follow(event->position()); }
    void mouseMoveEvent(QMouseEvent* event) override { follow(event->position()); }

private:
    void follow(const QPointF& at) {
        if (plot_.figure_->panelCount() == 0 || plot_.steps_ == 0) return;
        const auto axesOf = [&](std::size_t p) { return plot_.figure_->panelGeometry(p).axes; };
        std::size_t nearest = 0;
        for (std::size_t p = 1; p < plot_.figure_->panelCount(); ++p)
            if ((axesOf(p).center() - at).manhattanLength() < (axesOf(nearest).center() - at).manhattanLength())
                nearest = p;
        const QRectF axes = axesOf(nearest);
        const int step = static_cast<int>(std::floor((at.x() - axes.left()) / axes.width() * plot_.steps_));
        Q_EMIT plot_.stepWanted(std::clamp(step, 0, plot_.steps_ - 1));
    }

    TrialPlot& plot_;
};

TrialPlot::TrialPlot(QWidget* parent) : QWidget(parent), figure_(new FigureWidget{this}), cursor_(new Cursor{*this}) {
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(figure_);
    cursor_->raise();
    connect(figure_, &FigureWidget::drawn, cursor_, [this] {
        cursor_->setGeometry(rect());
        cursor_->update();
    });
}

void TrialPlot::setFigure(FigureDescription figure, int steps) {
    steps_ = steps;
    setMinimumHeight(static_cast<int>(figure.rows) * 110);
    figure_->setFigure(std::move(figure));
}

void TrialPlot::setStep(int step) {
    step_ = step;
    cursor_->update();
}

} // namespace raphe
