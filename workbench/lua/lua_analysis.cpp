// SPDX-License-Identifier: Apache-2.0
// raphe.analysis: what signals of a network show. The half that works on numbers; that on sessions is lua_dynamics.cpp.
#include "lua/lua_analysis.h"

#include "engine/analysis/decoding.h"
#include "engine/analysis/psychometric.h"
#include "lua/lua_tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <thread>

namespace raphe::lua {

void pushList(lua_State* L, const std::vector<double>& values) {
    lua_createtable(L, static_cast<int>(values.size()), 0);
    for (std::size_t i = 0; i < values.size(); ++i) {
        lua_pushnumber(L, values[i]);
        lua_rawseti(L, -2, static_cast<lua_Integer>(i + 1));
    }
}
void setNumber(lua_State* L, const char* key, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}
void setInteger(lua_State* L, const char* key, std::int64_t value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}
void setBoolean(lua_State* L, const char* key, bool value) {
    lua_pushboolean(L, value);
    lua_setfield(L, -2, key);
}
void setText(lua_State* L, const char* key, const std::string& value) {
    pushText(L, value);
    lua_setfield(L, -2, key);
}
void setList(lua_State* L, const char* key, const std::vector<double>& values) {
    pushList(L, values);
    lua_setfield(L, -2, key);
}

std::vector<double> listOption(lua_State* L, const Options& options, const char* key) {
    options.push(key);
    auto tensor = toTensor(L, -1, options.place(key));
    lua_pop(L, 1);
    if (tensor.shape.size() != 1) throw Error(options.place(key), "expected a list of numbers, got lists of lists");
    return std::move(tensor.values);
}

std::unique_ptr<Executor> executorFrom(const Options& options, int threads) {
    auto wanted = sessionOptions(options);
    if (wanted.threads == 0) wanted.threads = threads;
    return makeExecutor(wanted.executor, wanted.threads, wanted.scheduleSeed);
}

namespace {

int allThreads() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

void setTensor(lua_State* L, const char* key, const Tensor& tensor) {
    pushTensor(L, tensor);
    lua_setfield(L, -2, key);
}

// -- principal components ---------------------------------------------------------------------------------------------

int pca(lua_State* L) {
    const std::string place = "raphe.analysis.pca";
    const auto signal = toTensor(L, 1, place);
    const Options options(L, 2, place, {"components"});
    const auto result =
        principalComponents(signal, static_cast<int>(options.integer("components", 1, 1'000'000).value_or(0)));
    Tensor axes{{static_cast<std::int64_t>(result.axes.size()), static_cast<std::int64_t>(result.mean.size())}, {}};
    for (const auto& axis : result.axes) axes.values.insert(axes.values.end(), axis.begin(), axis.end());
    lua_newtable(L);
    setTensor(L, "mean", {{static_cast<std::int64_t>(result.mean.size())}, result.mean});
    setTensor(L, "axes", axes);
    setList(L, "variance", result.variance);
    setList(L, "share", result.share);
    setNumber(L, "whole", result.whole);
    setTensor(L, "scores", projected(result, signal));
    return 1;
}
int project(lua_State* L) {
    const std::string place = "raphe.analysis.project";
    pushTensor(L, projected(componentsAt(L, 1, place), toTensor(L, 2, place)));
    return 1;
}
int lift(lua_State* L) {
    const std::string place = "raphe.analysis.lift";
    pushTensor(L, lifted(componentsAt(L, 1, place), toTensor(L, 2, place)));
    return 1;
}

// -- decoding ---------------------------------------------------------------------------------------------------------

/// Targets as (samples, targets). @param single  whether they were a list
Tensor targetsAt(lua_State* L, int index, const std::string& place, bool& single) {
    auto y = toTensor(L, index, place);
    single = y.shape.size() == 1;
    if (single) y.shape.push_back(1);
    return y;
}
/// Whether a list of texts stands there.
bool textsAt(lua_State* L, int index) {
    if (!lua_istable(L, index)) return false;
    lua_rawgeti(L, index, 1);
    const bool text = lua_type(L, -1) == LUA_TSTRING;
    lua_pop(L, 1);
    return text;
}
/// Names in alphabetical order, and which of them each entry of the list is.
std::vector<int> classesAt(lua_State* L, int index, const std::string& place, std::vector<std::string>& names) {
    std::vector<std::string> list;
    for (lua_Integer i = 1, n = static_cast<lua_Integer>(lua_rawlen(L, index)); i <= n; ++i) {
        lua_rawgeti(L, index, i);
        if (lua_type(L, -1) != LUA_TSTRING)
            throw Error(place, "expected texts only, but entry " + std::to_string(i) + " is " + shown(L, -1));
        list.emplace_back(lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    std::map<std::string, int> known;
    for (const auto& name : list) known.emplace(name, 0);
    for (auto& [name, number] : known) {
        number = static_cast<int>(names.size());
        names.push_back(name);
    }
    std::vector<int> result;
    for (const auto& name : list) result.push_back(known.at(name));
    return result;
}

DecodingOptions decodingOptions(lua_State* L, const Options& options) {
    DecodingOptions result;
    result.ridge = options.number("ridge").value_or(result.ridge);
    result.standardise = options.boolean("standardise").value_or(false);
    result.folds = static_cast<int>(options.integer("folds", 2, 1'000'000).value_or(result.folds));
    result.seed = static_cast<std::uint64_t>(options.integer("seed", 0, LUA_MAXINTEGER).value_or(1));
    const auto order = options.text("order").value_or("shuffled");
    const std::map<std::string, FoldOrder> orders{
        {"shuffled", FoldOrder::shuffled}, {"blocks", FoldOrder::blocks}, {"interleaved", FoldOrder::interleaved}};
    if (!orders.contains(order))
        throw Error(options.place("order"), "expected shuffled, blocks or interleaved, got \"" + order + "\"");
    result.order = orders.at(order);
    if (options.has("groups"))
        for (const double group : listOption(L, options, "groups")) {
            if (group != std::floor(group) || std::abs(group) > 1e9)
                throw Error(options.place("groups"), "expected a whole number for each sample");
            result.groups.push_back(static_cast<int>(group));
        }
    return result;
}

void pushDecoding(lua_State* L, const Decoding& decoding, bool single, const std::vector<std::string>& names) {
    lua_newtable(L);
    setNumber(L, "score", decoding.score());
    setList(L, "fold_scores", decoding.foldScores);
    Tensor predicted = decoding.predicted;
    if (names.empty() && single) predicted.shape.pop_back();
    setTensor(L, "predicted", predicted);
    if (names.empty()) {
        setNumber(L, "r2", decoding.score());
        setList(L, "r2_by_target", decoding.explained);
        return;
    }
    setNumber(L, "accuracy", decoding.accuracy);
    setNumber(L, "chance", decoding.chance);
    lua_newtable(L);
    for (std::size_t i = 0; i < decoding.labels.size(); ++i) {
        pushText(L, names[static_cast<std::size_t>(decoding.labels[i])]);
        lua_rawseti(L, -2, static_cast<lua_Integer>(i + 1));
    }
    lua_setfield(L, -2, "labels");
}

int decode(lua_State* L) {
    const std::string place = "raphe.analysis.decode";
    const auto x = toTensor(L, 1, place + ".x");
    const Options options(
        L, 3, place,
        {"ridge", "standardise", "folds", "order", "seed", "groups", "threads", "executor", "schedule_seed"});
    const auto wanted = decodingOptions(L, options);
    std::vector<std::string> names;
    std::vector<int> classes;
    Tensor y;
    bool single = false;
    if (textsAt(L, 2))
        classes = classesAt(L, 2, place + ".y", names);
    else
        y = targetsAt(L, 2, place + ".y", single);
    if (x.shape.size() != 3) {
        pushDecoding(L, names.empty() ? decodeNumbers(x, y, wanted) : decodeClasses(x, classes, wanted), single, names);
        return 1;
    }
    const auto executor = executorFrom(options, allThreads());
    const auto steps = names.empty() ? decodeNumbersBySteps(x, y, wanted, *executor)
                                     : decodeClassesBySteps(x, classes, wanted, *executor);
    lua_newtable(L);
    std::vector<double> scores;
    lua_newtable(L);
    for (std::size_t t = 0; t < steps.size(); ++t) {
        scores.push_back(steps[t].score());
        pushDecoding(L, steps[t], single, names);
        lua_rawseti(L, -2, static_cast<lua_Integer>(t + 1));
    }
    lua_setfield(L, -2, "steps");
    setList(L, "score", scores);
    return 1;
}

int ridge(lua_State* L) {
    const std::string place = "raphe.analysis.ridge";
    const auto x = toTensor(L, 1, place + ".x");
    bool single = false;
    const auto y = targetsAt(L, 2, place + ".y", single);
    const Options options(L, 3, place, {"ridge", "standardise"});
    auto fit = fitRidge(x, y, options.number("ridge").value_or(1e-3), options.boolean("standardise").value_or(false));
    if (single) fit.weights.shape.pop_back();
    lua_newtable(L);
    setTensor(L, "weights", fit.weights);
    single ? setNumber(L, "offset", fit.offset[0]) : setList(L, "offset", fit.offset);
    return 1;
}
int predict(lua_State* L) {
    const std::string place = "raphe.analysis.predict";
    if (!lua_istable(L, 1)) throw Error(place, "expected what raphe.analysis.ridge() returned, got " + shown(L, 1));
    RidgeFit fit;
    lua_getfield(L, 1, "weights");
    fit.weights = toTensor(L, -1, place + ".weights");
    lua_getfield(L, 1, "offset");
    const bool single = lua_type(L, -1) == LUA_TNUMBER;
    fit.offset = single ? std::vector<double>{lua_tonumber(L, -1)} : toTensor(L, -1, place + ".offset").values;
    if (single) fit.weights.shape.push_back(1);
    auto result = predicted(fit, toTensor(L, 2, place + ".x"));
    if (single) result.shape.pop_back();
    pushTensor(L, result);
    return 1;
}
int r2(lua_State* L) {
    const std::string place = "raphe.analysis.r2";
    lua_pushnumber(L, explainedShare(toTensor(L, 1, place).values, toTensor(L, 2, place).values));
    return 1;
}

// -- psychometric curves ----------------------------------------------------------------------------------------------

std::vector<int> countsOption(lua_State* L, const Options& options, const char* key) {
    std::vector<int> result;
    for (const double value : listOption(L, options, key)) {
        if (value != std::floor(value) || value < 0 || value > 1e9)
            throw Error(options.place(key), fmt::format("expected whole numbers from 0 on, got {}", value));
        result.push_back(static_cast<int>(value));
    }
    return result;
}

std::vector<bool> choicesOption(lua_State* L, const Options& options) {
    options.push("choice");
    if (testTensor(L, -1) != nullptr) {
        lua_pop(L, 1);
        std::vector<bool> result;
        for (const int value : countsOption(L, options, "choice")) result.push_back(value != 0);
        return result;
    }
    if (!lua_istable(L, -1)) throw Error(options.place("choice"), "expected a list of choices, got " + shown(L, -1));
    std::vector<bool> result;
    for (lua_Integer i = 1, n = static_cast<lua_Integer>(lua_rawlen(L, -1)); i <= n; ++i) {
        lua_rawgeti(L, -1, i);
        const bool number = lua_type(L, -1) == LUA_TNUMBER && (lua_tonumber(L, -1) == 0 || lua_tonumber(L, -1) == 1);
        if (!lua_isboolean(L, -1) && !number)
            throw Error(options.place("choice"),
                        fmt::format("expected true or false (or 1 or 0), but entry {} is {}", i, shown(L, -1)));
        result.push_back(number ? lua_tonumber(L, -1) == 1 : lua_toboolean(L, -1) != 0);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return result;
}

void setInterval(lua_State* L, const char* key, const statistics::Interval& interval) {
    lua_newtable(L);
    setNumber(L, "low", interval.low);
    setNumber(L, "high", interval.high);
    lua_setfield(L, -2, key);
}

int psychometric(lua_State* L) {
    const Options options(L, 1, "raphe.analysis.psychometric",
                          {"level", "choice", "yes", "trials", "guess", "lapse", "most_lapse", "confidence", "seed",
                           "resamples", "threads", "executor", "schedule_seed"});
    ChoiceCounts counts;
    if (options.has("choice")) {
        counts = countChoices(listOption(L, options, "level"), choicesOption(L, options));
    } else {
        counts = {listOption(L, options, "level"), countsOption(L, options, "yes"), countsOption(L, options, "trials")};
    }
    PsychometricOptions wanted;
    wanted.guess = options.number("guess");
    wanted.lapse = options.number("lapse");
    wanted.mostLapse = options.number("most_lapse").value_or(wanted.mostLapse);
    wanted.confidence = options.number("confidence").value_or(wanted.confidence);
    wanted.seed = static_cast<std::uint64_t>(options.integer("seed", 0, LUA_MAXINTEGER).value_or(1));
    wanted.resamples = static_cast<int>(options.integer("resamples", 0, 1'000'000).value_or(wanted.resamples));
    const auto executor = executorFrom(options, allThreads());
    const auto fit = fitPsychometric(counts, wanted, *executor);
    lua_newtable(L);
    setNumber(L, "threshold", fit.curve.threshold);
    setNumber(L, "slope", fit.curve.slope);
    setNumber(L, "lapse", fit.curve.lapse);
    setNumber(L, "guess", fit.curve.guess);
    setNumber(L, "log_likelihood", fit.logLikelihood);
    setNumber(L, "deviance", fit.deviance);
    setInteger(L, "steep", fit.steep);
    if (wanted.resamples > 0) {
        lua_newtable(L);
        setInterval(L, "threshold", fit.threshold);
        setInterval(L, "slope", fit.slope);
        setInterval(L, "lapse", fit.lapse);
        lua_setfield(L, -2, "interval");
    }
    std::vector<double> share, x, y;
    for (std::size_t i = 0; i < counts.level.size(); ++i) share.push_back(double(counts.yes[i]) / counts.trials[i]);
    constexpr int points = 100;
    for (int i = 0; i <= points; ++i) {
        x.push_back(counts.level.front() + (counts.level.back() - counts.level.front()) * i / points);
        y.push_back(fit.curve.at(x.back()));
    }
    setList(L, "level", counts.level);
    setList(L, "share", share);
    lua_newtable(L);
    setList(L, "x", x);
    setList(L, "y", y);
    lua_setfield(L, -2, "curve");
    return 1;
}

} // namespace

PrincipalComponents componentsAt(lua_State* L, int index, const std::string& place) {
    if (!lua_istable(L, index))
        throw Error(place, "expected what raphe.analysis.pca() returned, got " + shown(L, index));
    index = lua_absindex(L, index);
    const auto field = [&](const char* key) {
        lua_getfield(L, index, key);
        auto tensor = toTensor(L, -1, place + "." + key);
        lua_pop(L, 1);
        return tensor;
    };
    PrincipalComponents result;
    result.mean = field("mean").values;
    const auto axes = field("axes");
    if (axes.shape.size() != 2 || axes.shape[1] != static_cast<std::int64_t>(result.mean.size()))
        throw Error(place + ".axes", fmt::format("expected a tensor (components, {})", result.mean.size()));
    for (auto from = axes.values.begin(); from != axes.values.end(); from += axes.shape[1])
        result.axes.emplace_back(from, from + axes.shape[1]);
    result.variance = field("variance").values;
    if (result.variance.size() != result.axes.size())
        throw Error(place + ".variance", fmt::format("expected {} numbers", result.axes.size()));
    return result;
}

void pushAnalysis(lua_State* L) {
    lua_newtable(L);
    setFunctions(L, {{"pca", edge<pca>},
                     {"project", edge<project>},
                     {"lift", edge<lift>},
                     {"decode", edge<decode>},
                     {"ridge", edge<ridge>},
                     {"predict", edge<predict>},
                     {"r2", edge<r2>},
                     {"psychometric", edge<psychometric>}});
    setDynamics(L);
}

} // namespace raphe::lua
