// SPDX-License-Identifier: Apache-2.0
// raphe.statistics: what is said of runs that differ in their seed.
#include "engine/analysis/continual.h"
#include "engine/analysis/statistics.h"
#include "lua/lua_module.h"
#include "lua/lua_values.h"

namespace raphe::lua {

namespace {

std::vector<double> listArgument(lua_State* L, int index, const std::string& place) {
    if (!lua_istable(L, index)) throw Error(place, "expected a list of numbers, got " + shown(L, index));
    const auto size = static_cast<lua_Integer>(lua_rawlen(L, index));
    std::vector<double> result;
    result.reserve(static_cast<std::size_t>(size));
    for (lua_Integer i = 1; i <= size; ++i) {
        lua_rawgeti(L, index, i);
        if (lua_type(L, -1) != LUA_TNUMBER)
            throw Error(place, "expected a list of numbers, but entry " + std::to_string(i) + " is " + shown(L, -1));
        result.push_back(lua_tonumber(L, -1));
        lua_pop(L, 1);
    }
    return result;
}
std::uint32_t seedOf(const Options& options) {
    return static_cast<std::uint32_t>(options.integer("seed", 0, 0xffffffff).value_or(1));
}
void set(lua_State* L, const char* key, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}
void setInterval(lua_State* L, const statistics::Interval& interval) {
    set(L, "low", interval.low);
    set(L, "high", interval.high);
}
void setTest(lua_State* L, const statistics::RankTest& test) {
    set(L, "p", test.p);
    set(L, "statistic", test.statistic);
    lua_pushboolean(L, test.exact);
    lua_setfield(L, -2, "exact");
}

template <double (*function)(std::span<const double>)>
int ofList(lua_State* L) {
    lua_pushnumber(L, function(listArgument(L, 1, "raphe.statistics")));
    return 1;
}
int quantile(lua_State* L) {
    const auto values = listArgument(L, 1, "raphe.statistics.quantile");
    lua_pushnumber(L, statistics::quantile(values, numberArgument(L, 2, "raphe.statistics.quantile")));
    return 1;
}
int bootstrap(lua_State* L) {
    const auto values = listArgument(L, 1, "raphe.statistics.bootstrap");
    const Options options(L, 2, "raphe.statistics.bootstrap", {"confidence", "seed", "resamples"});
    const auto interval =
        statistics::bootstrapMean(values, options.number("confidence").value_or(0.95), seedOf(options),
                                  static_cast<int>(options.integer("resamples", 100, 1'000'000).value_or(10'000)));
    lua_newtable(L);
    set(L, "mean", statistics::mean(values));
    setInterval(L, interval);
    return 1;
}
int wilson(lua_State* L) {
    const std::string place = "raphe.statistics.wilson";
    const auto successes = static_cast<int>(integerArgument(L, 1, place, 0, 1'000'000'000));
    const auto trials = static_cast<int>(integerArgument(L, 2, place, 1, 1'000'000'000));
    const auto interval =
        statistics::wilson(successes, trials, lua_isnoneornil(L, 3) ? 0.95 : numberArgument(L, 3, place));
    lua_newtable(L);
    set(L, "rate", double(successes) / trials);
    setInterval(L, interval);
    return 1;
}
int continual(lua_State* L) {
    const std::string place = "raphe.statistics.continual";
    if (!lua_istable(L, 1)) throw Error(place, "expected a list of rows of accuracies, got " + shown(L, 1));
    std::vector<std::vector<double>> rows;
    for (lua_Integer i = 1, n = static_cast<lua_Integer>(lua_rawlen(L, 1)); i <= n; ++i) {
        lua_rawgeti(L, 1, i);
        rows.push_back(listArgument(L, lua_gettop(L), place));
        lua_pop(L, 1);
    }
    const auto m = statistics::continualMeasures(rows, listArgument(L, 2, place));
    lua_newtable(L);
    set(L, "accuracy", m.accuracy);
    set(L, "backward_transfer", m.backwardTransfer);
    set(L, "forward_transfer", m.forwardTransfer);
    set(L, "learning", m.learning);
    set(L, "forgetting", m.forgetting);
    return 1;
}
template <statistics::RankTest (*test)(std::span<const double>, std::span<const double>)>
int ranked(lua_State* L) {
    const auto x = listArgument(L, 1, "raphe.statistics"), y = listArgument(L, 2, "raphe.statistics");
    const auto result = test(x, y);
    lua_newtable(L);
    setTest(L, result);
    return 1;
}
template <statistics::Comparison (*comparison)(std::span<const double>, std::span<const double>, std::uint32_t)>
int compared(lua_State* L) {
    const auto x = listArgument(L, 1, "raphe.statistics"), y = listArgument(L, 2, "raphe.statistics");
    const auto result = comparison(x, y, seedOf(Options(L, 3, "raphe.statistics", {"seed"})));
    lua_newtable(L);
    set(L, "difference", result.difference);
    setInterval(L, result.interval);
    setTest(L, result.test);
    set(L, "delta", result.delta);
    lua_pushinteger(L, result.seedsNeeded);
    lua_setfield(L, -2, "seeds_needed");
    pushText(L, result.sentence);
    lua_setfield(L, -2, "sentence");
    return 1;
}
int cliffsDelta(lua_State* L) {
    const auto x = listArgument(L, 1, "raphe.statistics.cliffs_delta"),
               y = listArgument(L, 2, "raphe.statistics.cliffs_delta");
    lua_pushnumber(L, statistics::cliffsDelta(x, y));
    return 1;
}
int holm(lua_State* L) {
    const auto adjusted = statistics::holm(listArgument(L, 1, "raphe.statistics.holm"));
    lua_newtable(L);
    for (std::size_t i = 0; i < adjusted.size(); ++i) {
        lua_pushnumber(L, adjusted[i]);
        lua_rawseti(L, -2, static_cast<lua_Integer>(i + 1));
    }
    return 1;
}

} // namespace

void pushStatistics(lua_State* L) {
    using namespace statistics;
    lua_newtable(L);
    setFunctions(L, {{"mean", edge<ofList<mean>>},
                     {"deviation", edge<ofList<deviation>>},
                     {"median", edge<ofList<median>>},
                     {"quantile", edge<lua::quantile>},
                     {"bootstrap", edge<bootstrap>},
                     {"wilson", edge<lua::wilson>},
                     {"signed_ranks", edge<ranked<signedRanks>>},
                     {"rank_sums", edge<ranked<rankSums>>},
                     {"cliffs_delta", edge<lua::cliffsDelta>},
                     {"holm", edge<lua::holm>},
                     {"continual", edge<continual>},
                     {"compare_paired", edge<compared<comparePaired>>},
                     {"compare_samples", edge<compared<compareSamples>>}});
}

} // namespace raphe::lua
