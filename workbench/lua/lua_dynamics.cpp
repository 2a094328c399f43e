// SPDX-License-Identifier: Apache-2.0
// raphe.analysis: what a step does to the states of a session's network.
#include "engine/analysis/fixed_points.h"
#include "engine/analysis/flow_field.h"
#include "lua/lua_analysis.h"
#include "lua/lua_session.h"
#include "lua/lua_tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace raphe::lua {

namespace {

/// Numbers by name, each a list or a tensor.
std::vector<NamedTensor> namedNumbers(lua_State* L, const Options& options, const char* key) {
    std::vector<NamedTensor> result;
    options.push(key);
    if (!lua_isnil(L, -1)) {
        if (lua_type(L, -1) != LUA_TTABLE)
            throw Error(options.place(key), "expected a table {[\"node.name\"] = numbers}, got " + shown(L, -1));
        for (const auto& name : textKeys(L, -1, options.place(key))) {
            lua_getfield(L, -1, name.c_str());
            auto tensor = toTensor(L, -1, options.place(key) + "." + name);
            // One step of one trial may have its shape.
            tensor.shape = {tensor.size()};
            result.push_back({name, std::move(tensor)});
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
    return result;
}

constexpr std::initializer_list<const char*> mapOptions{"states",  "inputs",   "held",         "moment",
                                                        "threads", "executor", "schedule_seed"};

/// Recorded signals by port, as evaluations return them.
std::vector<NamedTensor> signalsOption(lua_State* L, const Options& options) {
    std::vector<NamedTensor> result;
    options.push("signals");
    if (lua_type(L, -1) != LUA_TTABLE)
        throw Error(options.place("signals"), "expected the signals of an evaluation, got " + shown(L, -1));
    for (const auto& name : textKeys(L, -1, options.place("signals"))) {
        lua_getfield(L, -1, name.c_str());
        result.push_back({name, toTensor(L, -1, options.place("signals") + "." + name)});
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return result;
}

/// What is held: given as such, or else what reached the nodes at a moment of recorded trials.
StepMapRequest requestFrom(lua_State* L, Session& session, const Options& options) {
    StepMapRequest request{options.texts("states"), namedNumbers(L, options, "inputs"),
                           namedNumbers(L, options, "held")};
    options.push("moment");
    if (!lua_isnil(L, -1)) {
        const Options moment(L, lua_gettop(L), options.place("moment"), {"signals", "step", "trial"});
        const auto signals = signalsOption(L, moment);
        const auto step = moment.integer("step", 1, 1'000'000'000).value_or(1),
                   trial = moment.integer("trial", 1, 1'000'000'000).value_or(1);
        const auto then =
            heldAt(session, request.states, signals, static_cast<int>(step) - 1, static_cast<int>(trial) - 1);
        const auto add = [](std::vector<NamedTensor>& list, const std::vector<NamedTensor>& more) {
            for (const auto& item : more)
                if (std::none_of(list.begin(), list.end(), [&](const auto& one) { return one.name == item.name; }))
                    list.push_back(item);
        };
        add(request.inputs, then.inputs);
        add(request.held, then.held);
    }
    lua_pop(L, 1);
    return request;
}

std::vector<std::string> withMapOptions(std::vector<std::string> more) {
    more.insert(more.end(), mapOptions.begin(), mapOptions.end());
    return more;
}

StepMap mapFrom(lua_State* L, Session& session, const Options& options) {
    const auto& registry = hostOf(L).plugins.registry();
    requireMemory(L, 2 * sessionBytes(session.experiment(), registry), "raphe.analysis");
    return {session,
            registry,
            requestFrom(L, session, options),
            [&session] {
                if (session.cancelled()) throw Cancelled();
            }};
}

StepMap::Vector pointOption(lua_State* L, const StepMap& map, const Options& options, const char* key) {
    if (!options.has(key)) throw Error(options.place(key), fmt::format("give a state: {} numbers", map.size()));
    options.push(key);
    const auto tensor = toTensor(L, -1, options.place(key));
    lua_pop(L, 1);
    if (tensor.size() != map.size())
        throw Error(options.place(key), fmt::format("expected {} numbers, got {}", map.size(), tensor.size()));
    return Eigen::Map<const StepMap::Vector>(tensor.values.data(), map.size());
}

Tensor listTensor(const StepMap::Vector& vector) {
    return {{vector.size()}, {vector.data(), vector.data() + vector.size()}};
}

/// Where each state lies among the numbers, from 1.
void setLayout(lua_State* L, const StepMap& map) {
    lua_newtable(L);
    lua_Integer i = 0;
    for (const auto& part : map.parts()) {
        lua_newtable(L);
        setText(L, "name", part.name);
        setInteger(L, "first", part.first + 1);
        setInteger(L, "size", part.size);
        lua_rawseti(L, -2, ++i);
    }
    lua_setfield(L, -2, "layout");
}

void setLocal(lua_State* L, const LocalDynamics& local) {
    Tensor values{{static_cast<std::int64_t>(local.eigenvalues.size()), 2}, {}};
    for (const auto& value : local.eigenvalues) {
        values.values.push_back(value.real());
        values.values.push_back(value.imag());
    }
    pushTensor(L, values);
    lua_setfield(L, -2, "eigenvalues");
    setText(L, "stability", local.stability);
    setInteger(L, "unstable", local.unstable);
    setBoolean(L, "oscillates", local.oscillates);
    setNumber(L, "disagreement", local.disagreement);
}

int jacobian(lua_State* L) {
    auto& session = sessionOf(L);
    const Options options(L, 2, "raphe.analysis.jacobian", withMapOptions({"at", "margin"}));
    const auto map = mapFrom(L, session, options);
    const auto at = pointOption(L, map, options, "at");
    const auto local =
        watched(L, session, [&] { return localDynamics(map, at, options.number("margin").value_or(1e-6)); });
    poll(L);
    Tensor matrix{{map.size(), map.size()}, {}};
    for (int row = 0; row < map.size(); ++row)
        for (int column = 0; column < map.size(); ++column) matrix.values.push_back(local.jacobian(row, column));
    lua_newtable(L);
    pushTensor(L, matrix);
    lua_setfield(L, -2, "matrix");
    pushTensor(L, listTensor(map.change(at)));
    lua_setfield(L, -2, "change");
    setLocal(L, local);
    setLayout(L, map);
    return 1;
}

void pushPoint(lua_State* L, const FixedPoint& point) {
    lua_newtable(L);
    pushTensor(L, listTensor(point.state));
    lua_setfield(L, -2, "state");
    setNumber(L, "speed", point.speed);
    setBoolean(L, "fixed", point.fixed);
    setInteger(L, "starts", point.starts);
    setNumber(L, "distance", point.distance);
    setLocal(L, point.dynamics);
}

int fixedPoints(lua_State* L) {
    auto& session = sessionOf(L);
    const Options options(L, 2, "raphe.analysis.fixed_points",
                          withMapOptions({"starts", "count", "noise", "seed", "tolerance", "slow", "separation",
                                          "margin", "iterations"}));
    const auto map = mapFrom(L, session, options);
    if (!options.has("starts"))
        throw Error(options.place("starts"),
                    fmt::format("give states to start from, a tensor (states, {}), such as those of recorded trials",
                                map.size()));
    options.push("starts");
    const auto visited = toTensor(L, -1, options.place("starts"));
    lua_pop(L, 1);
    const double noise = options.number("noise").value_or(0);
    if (noise < 0) throw Error(options.place("noise"), "expected a number of at least 0");
    const auto starts =
        startingStates(visited, static_cast<int>(options.integer("count", 1, 100'000).value_or(0)), noise,
                       static_cast<std::uint64_t>(options.integer("seed", 0, LUA_MAXINTEGER).value_or(1)));
    FixedPointSearch search;
    const auto positive = [&](const char* key, double usual) {
        const double value = options.number(key).value_or(usual);
        if (value < 0) throw Error(options.place(key), "expected a number of at least 0");
        return value;
    };
    search.tolerance = positive("tolerance", search.tolerance);
    search.slow = positive("slow", search.slow);
    search.separation = positive("separation", search.separation);
    search.margin = positive("margin", search.margin);
    search.iterations = static_cast<int>(options.integer("iterations", 1, 1'000'000).value_or(search.iterations));
    const auto executor = executorFrom(options, session.threads());
    const auto found = watched(L, session, [&] { return findFixedPoints(map, starts, search, *executor); });
    poll(L);
    lua_newtable(L);
    lua_createtable(L, static_cast<int>(found.points.size()), 0);
    lua_Integer i = 0;
    for (const auto& point : found.points) {
        pushPoint(L, point);
        lua_rawseti(L, -2, ++i);
    }
    lua_setfield(L, -2, "points");
    setInteger(L, "starts", found.starts);
    setInteger(L, "ended", found.ended);
    setInteger(L, "failed", found.failed);
    setLayout(L, map);
    return 1;
}

// -- flow fields ------------------------------------------------------------------------------------------------------

/// Two whole numbers from 1, as indices from 0.
std::pair<int, int> pairOption(lua_State* L, const Options& options, const char* key, std::pair<int, int> usual) {
    if (!options.has(key)) return usual;
    const auto list = listOption(L, options, key);
    if (list.size() != 2 || list[0] < 1 || list[1] < 1 || list[0] > 1e9 || list[1] > 1e9)
        throw Error(options.place(key), "expected two numbers from 1 on");
    return {static_cast<int>(list[0]) - 1, static_cast<int>(list[1]) - 1};
}

StatePlane planeFrom(lua_State* L, const StepMap& map, const Options& options) {
    const std::string place = options.place("plane");
    options.push("plane");
    const int index = lua_gettop(L);
    const Options plane(L, index, place, {"pca", "components", "through", "pair"});
    StatePlane result;
    if (plane.has("pca")) {
        plane.push("pca");
        const auto components = componentsAt(L, -1, place + ".pca");
        lua_pop(L, 1);
        const auto [first, second] = pairOption(L, plane, "components", {0, 1});
        result = planeOf(components, first, second);
    } else {
        if (!plane.has("through"))
            throw Error(place, "say which: {pca = what pca() returned}, or {through = a state, pair = {1, 2}}");
        const auto [first, second] = pairOption(L, plane, "pair", {0, 1});
        result = planeOf(pointOption(L, map, plane, "through"), first, second);
    }
    lua_settop(L, index - 1);
    return result;
}

std::pair<double, double> rangeOption(lua_State* L, const Options& options, const char* key) {
    if (!options.has(key)) throw Error(options.place(key), "give the range of the grid, e.g. {-1, 1}");
    const auto list = listOption(L, options, key);
    if (list.size() != 2) throw Error(options.place(key), fmt::format("expected two numbers, got {}", list.size()));
    return {list[0], list[1]};
}

int flow(lua_State* L) {
    auto& session = sessionOf(L);
    const Options options(L, 2, "raphe.analysis.flow_field",
                          withMapOptions({"plane", "x", "y", "columns", "rows", "length"}));
    const auto map = mapFrom(L, session, options);
    const auto plane = planeFrom(L, map, options);
    FlowGrid grid;
    std::tie(grid.xLow, grid.xHigh) = rangeOption(L, options, "x");
    std::tie(grid.yLow, grid.yHigh) = rangeOption(L, options, "y");
    grid.columns = static_cast<int>(options.integer("columns", 1, 1000).value_or(grid.columns));
    grid.rows = static_cast<int>(options.integer("rows", 1, 1000).value_or(grid.rows));
    const auto executor = executorFrom(options, session.threads());
    const auto field = watched(L, session, [&] { return flowField(map, plane, grid, *executor); });
    poll(L);
    lua_newtable(L);
    const std::pair<const char*, const std::vector<double>&> lists[]{
        {"x", field.x}, {"y", field.y}, {"dx", field.dx}, {"dy", field.dy}, {"speed", field.speed}};
    for (const auto& [key, values] : lists) {
        pushTensor(L, Tensor{{grid.rows, grid.columns}, values});
        lua_setfield(L, -2, key);
    }
    const auto arrows = arrowsOf(field, options.number("length").value_or(0.9));
    lua_newtable(L);
    setList(L, "x", arrows.x);
    setList(L, "y", arrows.y);
    lua_setfield(L, -2, "arrows");
    setLayout(L, map);
    return 1;
}

} // namespace

void setDynamics(lua_State* L) {
    setFunctions(L, {{"jacobian", edge<jacobian>}, {"fixed_points", edge<fixedPoints>}, {"flow_field", edge<flow>}});
}

} // namespace raphe::lua
