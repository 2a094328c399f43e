// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "figure_description.h"
#include "gui/running/run_job.h"

#include <optional>
#include <string>
#include <vector>

namespace raphe {

/// One run among the learning curves.
struct Curve {
    std::string name;
    const MetricHistory* history = nullptr;
    std::optional<std::size_t> mark =
        {}; ///< its colour and stroke, whatever other curves there are; none: as they come
};

/// How the curve of this number is drawn: the colours one after the other, then again with another stroke.
struct CurveMark {
    FigureColor color;
    FigureStroke stroke;
};
CurveMark curveMark(std::size_t number, bool dark);

struct CurvesLook {
    std::vector<std::string> metrics; ///< a panel each
    int smoothing = 0;                ///< iterations of the moving average; 0: 1 % of the run
    bool logarithmic = false;
    bool dark = false; ///< for dark paper
};

/// Names of the metrics that some curve has, the usual ones first.
std::vector<std::string> metricsOf(const std::vector<Curve>& curves);

/// "gradient_norm" -> "Gradient norm"
std::string metricTitle(const std::string& metric);

/// Learning curves, with no more points than a screen can show.
FigureDescription curvesFigure(const std::vector<Curve>& curves, const CurvesLook& look, std::size_t columns = 2);

/// As many points as `limit`, about: the least and the largest value of each stretch, so that no peak is lost.
void decimate(std::vector<double>& x, std::vector<double>& y, std::size_t limit);

} // namespace raphe
