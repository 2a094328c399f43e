// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/json_reader.h"

#include <map>
#include <string>

namespace raphe {

/// Where a node is drawn: its centre, x to the right and y downwards.
struct Position {
    double x = 0, y = 0;
    friend bool operator==(const Position&, const Position&) = default;
};
/// By name of the node. Nothing but a drawing depends on them; they are no part of an Experiment.
using Positions = std::map<std::string, Position>;

/// [x, y]. @throws Error at `place`
Position positionFromJson(const Json& value, const std::string& place);
/// The same way back; whole numbers without a fraction.
Json toJson(const Position& position);
/// The field "canvas" of a document: {"nodes": {"agent": [120, 80]}}. @throws Error at `place`
Positions positionsFromJson(const Json& canvas, const std::string& place);
/// The positions in a document that can be read.
Positions positionsOf(const Json& document);

} // namespace raphe
