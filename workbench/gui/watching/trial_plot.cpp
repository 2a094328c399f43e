// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/trial_plot.h"

#include "figure_widget.h"
#include "gui/shell/theme.h"

#include <QMouseEvent>
#include <QPainter>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace raphe {

/// Lies over the figure and draws nothing but a line, so that moving it costs no drawing of the figure.
class TrialPlot::Cursor final : public QWidget {
public:
    explicit Cursor(TrialPlot& plot) : QWidget(&plot), plot_(plot) { setCursor(Qt::IBeamCursor); }

protected:
    void paintEvent(QPaintEvent*) override {
        if (plot_.steps_ < 2) return; // the axes are not those of time
        QPainter painter{this};
        painter.setRenderHint(QPainter::Antialiasing);
        for (const QRectF& axes : plot_.axes_) {
            const double x = axes.left() + axes.width() * (plot_.step_ + 0.5) / std::max(1, plot_.steps_);
            QColor halo = theme().base;
            halo.setAlpha(180);
            painter.setPen(QPen{halo, 3.5});
            painter.drawLine(QPointF{x, axes.top()}, QPointF{x, axes.bottom()});
            painter.setPen(QPen{theme().bad, 1.5});
            painter.drawLine(QPointF{x, axes.top()}, QPointF{x, axes.bottom()});
        }
    }
    void mousePressEvent(QMouseEvent* event) override {
        plot_.setFocus(Qt::MouseFocusReason);
        follow(event->position());
    }
    void mouseMoveEvent(QMouseEvent* event) override { follow(event->position()); }

private:
    void follow(const QPointF& at) {
        if (plot_.axes_.empty() || plot_.steps_ == 0) return;
        const QRectF axes =
            *std::min_element(plot_.axes_.begin(), plot_.axes_.end(), [&](const QRectF& a, const QRectF& b) {
                return (a.center() - at).manhattanLength() < (b.center() - at).manhattanLength();
            });
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
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Signals of the trial over time"));
    connect(figure_, &FigureWidget::drawn, cursor_, [this] {
        axes_.clear();
        for (std::size_t p = 0; p < figure_->panelCount(); ++p) axes_.push_back(figure_->panelGeometry(p).axes);
        cursor_->setGeometry(rect());
        cursor_->update();
    });
}

void TrialPlot::setFigure(FigureDescription figure, int steps) {
    steps_ = steps;
    double rows = static_cast<double>(figure.rows);
    if (!figure.rowHeights.empty()) rows = std::accumulate(figure.rowHeights.begin(), figure.rowHeights.end(), 0.0);
    setMinimumHeight(static_cast<int>(rows * 112));
    figure_->setFigure(std::move(figure));
}

void TrialPlot::setStep(int step) {
    step_ = step;
    cursor_->update();
}

} // namespace raphe
