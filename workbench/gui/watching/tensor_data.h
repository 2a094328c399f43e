// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/tensor.h"
#include "figure_description.h"

#include <string>
#include <vector>

namespace raphe {

/// A tensor as it is drawn: row after row. A vector is one row.
struct ShownMatrix {
    int rows = 0, columns = 0;
    std::vector<float> values;
};
ShownMatrix shownMatrix(const Tensor& tensor);

struct MatrixSummary {
    double mean = 0, deviation = 0, least = 0, most = 0;
};
MatrixSummary summaryOf(const std::vector<float>& values);
/// The largest absolute value: the colours go from its negative to it.
float reachOf(const std::vector<float>& values);

/// How many values lie in each of `bins` equal parts of -reach to reach.
std::vector<double> histogramOf(const std::vector<float>& values, float reach, int bins);

FigureDescription histogramFigure(const std::vector<float>& values, float reach);
FigureDescription matrixFigure(const std::string& name, const ShownMatrix& matrix, float reach);

} // namespace raphe
