// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "figure_description.h"

#include <QString>

#include <functional>

class QWidget;

namespace raphe {

/// Widths of figures on paper, in mm.
constexpr double oneColumn = 85, twoColumns = 174;

/// Makes the figure with its panels in at most so many columns.
using FigureInColumns = std::function<FigureDescription(std::size_t columns)>;

/// Asks where to, and in which size, and writes the figure as SVG, PNG or PDF, in colours for paper.
/// @param columns  that it has on the screen
void saveFigure(const FigureInColumns& figure, std::size_t columns, QWidget* parent, const QString& name);
/// One that has a single arrangement.
void saveFigure(const FigureDescription& figure, QWidget* parent, const QString& name);

/// Writes the figure in the format that the file's name says, as high as its panels need at this width.
/// @throws Error if it cannot be written
void writeFigure(const FigureDescription& figure, double millimetres, const QString& file);

} // namespace raphe
