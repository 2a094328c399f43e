// SPDX-License-Identifier: Apache-2.0
#include "engine/document/canvas.h"

#include "engine/document/fields.h"

#include <cmath>

namespace raphe {

namespace {

Positions readPositions(const Json& canvas, const std::string& place, Problems& problems) {
    Positions positions;
    const auto nodesInto = [&](const Json& nodes, const std::string& where) {
        if (!nodes.is_object()) fields::expected(where, "an object of positions", nodes);
        for (const auto& [name, value] : nodes.items())
            problems.collect([&, &n = name, &v = value] { positions[n] = positionFromJson(v, where + "." + n); });
    };
    fields::readFields(canvas, place, {{"nodes", nodesInto}}, problems);
    return positions;
}

} // namespace

Position positionFromJson(const Json& value, const std::string& place) {
    constexpr double farthest = 1e6;
    const auto good = [](const Json& number) {
        return number.is_number() && std::abs(number.get<double>()) <= farthest;
    };
    if (!value.is_array() || value.size() != 2 || !good(value[0]) || !good(value[1]))
        fields::expected(place, "a position [x, y] of numbers from -1000000 to 1000000", value);
    return {value[0].get<double>(), value[1].get<double>()};
}

Json toJson(const Position& position) {
    const auto number = [](double x) -> Json {
        if (x == std::floor(x)) return static_cast<std::int64_t>(x);
        return x;
    };
    return Json::array({number(position.x), number(position.y)});
}

Positions positionsFromJson(const Json& canvas, const std::string& place) {
    Problems problems;
    auto positions = readPositions(canvas, place, problems);
    problems.throwIfAny();
    return positions;
}

Positions positionsOf(const Json& document) {
    Positions positions;
    Problems ignored;
    if (document.is_object() && document.contains("canvas"))
        ignored.collect([&] { positions = readPositions(document["canvas"], "canvas", ignored); });
    return positions;
}

} // namespace raphe
