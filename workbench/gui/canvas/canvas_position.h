// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/canvas/canvas_scene.h"

#include <cmath>

namespace raphe {

/// Positions on the canvas as they stand in a document.
inline Json positionJson(const QPointF& at) { return Json::array({std::lround(at.x()), std::lround(at.y())}); }

inline Json positionsJson(const CanvasPlaces& places) {
    Json result = Json::object();
    for (const auto& [name, at] : places) result[name] = positionJson(at);
    return result;
}

} // namespace raphe
