// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"

#include <filesystem>
#include <string>
#include <vector>

namespace raphe {

/// Runs of one condition: they share a line (the median) and a band (the quartiles).
struct RunGroup {
    std::string name;
    std::vector<std::filesystem::path> runs;
};

/// Groups run folders by the name of their experiment.
std::vector<RunGroup> groupRuns(const std::vector<std::filesystem::path>& folders);

/// A figure description (see resources/docs/figures.md): one metric against iterations. Several runs of a group are
/// shown as median and quartile band; every curve is smoothed by a moving average over `smoothing` iterations (0: 1 %
/// of the run). An empty metric means "reward" if the runs have it, otherwise "loss".
Json learningCurves(const std::vector<RunGroup>& groups, std::string metric, int smoothing = 0);

/// Draws a description with the program raphe-figure to .svg, .png or .pdf.
/// @throws Error  with what that program says
void drawFigure(const Json& description, const std::filesystem::path& picture);

} // namespace raphe
