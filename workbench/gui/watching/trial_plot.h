// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "figure_description.h"

#include <QRectF>
#include <QWidget>

#include <vector>

namespace raphe {

class FigureWidget;

/// The figure of a trial with one cursor through all its panels, which the mouse can drag.
class TrialPlot final : public QWidget {
    Q_OBJECT

public:
    explicit TrialPlot(QWidget* parent = nullptr);

    void setFigure(FigureDescription figure, int steps);
    void setStep(int step);
    FigureWidget& figure() { return *figure_; }

Q_SIGNALS:
    void stepWanted(int step);

private:
    class Cursor;

    FigureWidget* figure_;
    Cursor* cursor_;
    std::vector<QRectF> axes_; ///< of the last drawing
    int steps_ = 0, step_ = 0;
};

} // namespace raphe
