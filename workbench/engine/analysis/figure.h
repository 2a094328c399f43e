// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/json_reader.h"

#include <filesystem>

namespace raphe {

/// Draws a description with the program raphe-figure to .svg, .png or .pdf.
/// @param width, height  on paper, in mm; 0: as it reads well
/// @throws Error  with what that program says
void drawFigure(const Json& description, const std::filesystem::path& picture, double width = 0, double height = 0);

} // namespace raphe
