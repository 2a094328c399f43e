// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

class QWidget;

namespace raphe {

class FigureWidget;

/// Asks where to, and in which size, and writes the figure as SVG, PNG or PDF.
void saveFigure(FigureWidget& figure, QWidget* parent, const QString& name);

} // namespace raphe
