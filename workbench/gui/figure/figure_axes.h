// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "figure_description.h"
#include "figure_plottables.h"

#include <string>
#include <vector>

namespace raphe {

void styleAxis(QCPAxis* axis, const FigureInks& inks);

/// The range that shows all data with some air, within what the description fixes.
QCPRange rangeOf(const FigureAxis& axis, FigureExtent extent, double air);

/// Sets as many ticks as stand comfortably along `length`. Returns half the width of the label at the far end, as
/// far as it stands out beyond the axis.
double setTicks(QCPAxis* axis, double length, bool horizontal);
/// Names instead of numbers: on one line, wrapped, or slanted, whichever fits first.
double setCategories(QCPAxis* axis, const std::vector<std::string>& names, double length, double room, bool horizontal);

} // namespace raphe
