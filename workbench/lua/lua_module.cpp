// SPDX-License-Identifier: Apache-2.0
#include "lua/lua_module.h"

#include "engine/analysis/comparison.h"
#include "engine/analysis/figure.h"
#include "engine/base/files.h"
#include "engine/base/npz.h"
#include "engine/base/text.h"
#include "engine/document/json_reader.h"
#include "engine/mechanisms/describe.h"
#include "lua/lua_sandbox.h"
#include "lua/lua_tensor.h"
#include "raphe/random.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace raphe::lua {

template <>
struct ClassOf<Stream> {
    static constexpr const char* name = "random";
};

namespace {

// -- mechanisms -------------------------------------------------------------------------------------------------------

void pushTexts(lua_State* L, const std::vector<std::string>& texts) {
    lua_createtable(L, static_cast<int>(texts.size()), 0);
    lua_Integer i = 0;
    for (const auto& text : texts) {
        pushText(L, text);
        lua_rawseti(L, -2, ++i);
    }
}

int list(lua_State* L) {
    const auto kind = lua_isnoneornil(L, 1) ? std::string() : textArgument(L, 1, "raphe.list");
    const std::vector<std::string> kinds{"task", "tasks", "model", "models", "rule", "rules"};
    if (!kind.empty() && std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
        throw Error("raphe.list", "expected task, model or rule, got \"" + kind + "\"");
    pushTexts(L, hostOf(L).plugins.registry().keys(kind));
    return 1;
}
int describe(lua_State* L) {
    pushJson(
        L, describeJson(
               hostOf(L).plugins.registry().find(textArgument(L, 1, "raphe.describe"), "raphe.describe").declaration));
    return 1;
}
int experiments(lua_State* L) {
    pushTexts(L, experimentNames());
    return 1;
}

// -- files ------------------------------------------------------------------------------------------------------------

int readJsonFile(lua_State* L) {
    JsonLimits limits;
    limits.bytes = std::min(limits.bytes, memoryLeft(hostOf(L)));
    pushJson(L, readJson(allowedPath(L, textArgument(L, 1, "raphe.json.read"), "raphe.json.read"), limits));
    return 1;
}
int writeJsonFile(lua_State* L) {
    const auto path = allowedPath(L, textArgument(L, 1, "raphe.json.write"), "raphe.json.write");
    writeAtomically(path, toJson(L, 2, "raphe.json.write").dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return 0;
}
int encodeJson(lua_State* L) {
    const Options options(L, 2, "raphe.json.encode", {"indent"});
    const int indent = static_cast<int>(options.integer("indent", 0, 16).value_or(-1));
    pushText(L, toJson(L, 1, "raphe.json.encode").dump(indent, ' ', false, Json::error_handler_t::replace));
    return 1;
}
int decodeJson(lua_State* L) {
    pushJson(L, parseJson(textArgument(L, 1, "raphe.json.decode"), "raphe.json.decode"));
    return 1;
}
/// Marks a table as a list, for those that may be empty.
int jsonList(lua_State* L) {
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    if (lua_type(L, 1) != LUA_TTABLE) throw Error("raphe.json.list", "expected a table, got " + shown(L, 1));
    lua_settop(L, 1);
    markAsList(L);
    return 1;
}

int readNpzFile(lua_State* L) {
    NpzLimits limits;
    limits.bytes = memoryLeft(hostOf(L)) / 2;
    const auto tensors = readNpz(allowedPath(L, textArgument(L, 1, "raphe.npz.read"), "raphe.npz.read"), limits);
    lua_newtable(L);
    for (const auto& [name, tensor] : tensors) {
        pushText(L, name);
        pushTensor(L, tensor);
        lua_rawset(L, -3);
    }
    return 1;
}
int writeNpzFile(lua_State* L) {
    const auto path = allowedPath(L, textArgument(L, 1, "raphe.npz.write"), "raphe.npz.write");
    if (lua_type(L, 2) != LUA_TTABLE)
        throw Error("raphe.npz.write", "expected a table {name = tensor}, got " + shown(L, 2));
    std::vector<NamedTensor> tensors;
    for (const auto& name : textKeys(L, 2, "raphe.npz.write")) {
        lua_getfield(L, 2, name.c_str());
        tensors.push_back({name, toTensor(L, -1, name)});
        lua_pop(L, 1);
    }
    writeNpz(path, tensors, NonFinite::allow);
    return 0;
}

// -- figures ----------------------------------------------------------------------------------------------------------

std::string take(Json& from, const char* key) {
    std::string text;
    if (from.contains(key)) {
        if (!from[key].is_string()) throw Error(std::string("raphe.plot.") + key, "expected a text");
        text = from[key].get<std::string>();
        from.erase(key);
    }
    return text;
}

/// The short form: fields of one series, or a list of series, beside labels.
Json onePanel(Json given) {
    Json panel = Json::object();
    const auto title = take(given, "title");
    for (const char* axis : {"x", "y"}) {
        Json description = Json::object();
        for (const char* what : {"label", "unit", "scale"})
            if (auto text = take(given, fmt::format("{}{}", axis, what).c_str()); !text.empty())
                description[what] = text;
        if (!description.empty()) panel[axis] = description;
    }
    if (given.contains("legend")) {
        panel["legend"] = given["legend"];
        given.erase("legend");
    }
    if (given.contains("series")) {
        panel["series"] = given["series"];
        given.erase("series");
        if (!given.empty())
            throw Error("raphe.plot", "there is no argument \"" + given.begin().key() + "\" beside series");
    } else {
        if (!given.contains("y") && !given.contains("values") && !given.contains("lower"))
            throw Error(
                "raphe.plot",
                "expected panels = {...}, series = {...}, runs = {...}, or one series, e.g. x = {...}, y = {...}");
        panel["series"] = Json::array({given});
    }
    for (auto& series : panel["series"]) {
        if (!series.is_object())
            throw Error("raphe.plot.series", "expected a list of series, e.g. {{x = {...}, y = {...}}}");
        if (!series.contains("kind")) series["kind"] = "line";
        if (series.contains("y") && series["y"].is_array() && !series.contains("x")) {
            series["x"] = Json::array();
            for (std::size_t i = 1; i <= series["y"].size(); ++i) series["x"].push_back(i);
        }
    }
    Json description = {{"raphe_figure", 1}};
    if (!title.empty()) description["title"] = title;
    description["panels"] = Json::array({panel});
    return description;
}

/// raphe.plot{...}: draws to `file`; @return the name of the file
int plot(lua_State* L) {
    if (lua_type(L, 1) != LUA_TTABLE)
        throw Error("raphe.plot", "expected a table, e.g. {x = ..., y = ..., file = \"a.svg\"}, got " + shown(L, 1));
    auto given = toJson(L, 1, "raphe.plot", {.emptyIsList = true, .nonFiniteIsNull = true});
    if (!given.is_object())
        throw Error("raphe.plot", "expected named arguments, e.g. {x = ..., y = ..., file = \"a.svg\"}");
    const auto file = take(given, "file");
    if (file.empty()) throw Error("raphe.plot", "say where to: file = \"a.svg\", .png or .pdf");
    const auto path = allowedPath(L, file, "raphe.plot.file");
    const auto onPaper = [&](const char* key) { // not of a line
        if (!given.contains(key) || !(given.contains("runs") || given.contains("panels"))) return 0.0;
        const double size = given[key].is_number() ? given[key].get<double>() : 0;
        if (!(size >= 20 && size <= 2000))
            throw Error(std::string("raphe.plot.") + key, std::string("expected a ") + key + " of 20 to 2000 mm");
        given.erase(key);
        return size;
    };
    const double width = onPaper("width"), height = onPaper("height");
    if (given.contains("runs")) {
        const Options options(L, 1, "raphe.plot",
                              {"runs", "metric", "smooth", "show", "finals", "width", "height", "file"});
        std::vector<std::filesystem::path> folders;
        for (const auto& run : options.texts("runs")) folders.push_back(allowedPath(L, run, "raphe.plot.runs"));
        CurveStyle style;
        style.smoothing = static_cast<int>(options.integer("smooth", 0, 100'000'000).value_or(0));
        style.finals = options.boolean("finals").value_or(false);
        const auto show = options.text("show").value_or("groups");
        if (show != "groups" && show != "runs" && show != "both")
            throw Error("raphe.plot.show", "expected groups, runs or both, got \"" + show + "\"");
        if (show != "groups") style.show = show == "runs" ? CurveStyle::Show::runs : CurveStyle::Show::both;
        given = learningCurves(readCurves(groupRuns(runsIn(folders)), options.text("metric").value_or("")), style);
    } else if (given.contains("panels")) {
        if (!given.contains("raphe_figure")) given["raphe_figure"] = 1;
    } else {
        given = onePanel(std::move(given));
    }
    drawFigure(given, path, width, height);
    pushText(L, file);
    return 1;
}

// -- random numbers ---------------------------------------------------------------------------------------------------

int random(lua_State* L) {
    const auto seed = static_cast<std::uint64_t>(integerArgument(L, 1, "raphe.random", 0, LUA_MAXINTEGER));
    pushObject(L, Stream(seed, addressOf("lua"), 0, 0, 0));
    return 1;
}
int uniform(lua_State* L) {
    auto& stream = self<Stream>(L);
    const double low = lua_isnoneornil(L, 2) ? 0 : numberArgument(L, 2, "random:uniform");
    const double high = lua_isnoneornil(L, 2) ? 1 : numberArgument(L, 3, "random:uniform");
    lua_pushnumber(L, stream.uniform(low, high));
    return 1;
}
int normal(lua_State* L) {
    auto& stream = self<Stream>(L);
    const double mean = lua_isnoneornil(L, 2) ? 0 : numberArgument(L, 2, "random:normal");
    const double deviation = lua_isnoneornil(L, 3) ? 1 : numberArgument(L, 3, "random:normal");
    lua_pushnumber(L, mean + deviation * stream.normal());
    return 1;
}
/// integer(n): 1 to n; integer(low, high): both included.
int integer(lua_State* L) {
    auto& stream = self<Stream>(L);
    constexpr std::int64_t large = std::int64_t{1} << 52;
    const auto first = integerArgument(L, 2, "random:integer", -large, large);
    const auto low = lua_isnoneornil(L, 3) ? 1 : first,
               high = lua_isnoneornil(L, 3) ? first : integerArgument(L, 3, "random:integer", -large, large);
    if (high < low || high - low >= 4'294'967'295)
        throw Error("random:integer",
                    fmt::format("expected a range of 1 to 4294967295 integers, got {} to {}", low, high));
    lua_pushinteger(L, low + stream.integer(static_cast<std::uint32_t>(high - low + 1)));
    return 1;
}
int shuffle(lua_State* L) {
    auto& stream = self<Stream>(L);
    if (lua_type(L, 2) != LUA_TTABLE) throw Error("random:shuffle", "expected a list, got " + shown(L, 2));
    const auto count = static_cast<lua_Integer>(lua_rawlen(L, 2));
    for (auto i = count; i > 1; --i) {
        if (i % 1024 == 0) poll(L);
        const auto j = static_cast<lua_Integer>(stream.integer(static_cast<std::uint32_t>(i))) + 1;
        lua_rawgeti(L, 2, i);
        lua_rawgeti(L, 2, j);
        lua_rawseti(L, 2, i);
        lua_rawseti(L, 2, j);
    }
    lua_settop(L, 2);
    return 1;
}

int clock(lua_State* L) {
    lua_pushnumber(L, std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count());
    return 1;
}

/// Upvalue: the module. An unknown function is an error with a suggestion.
int unknown(lua_State* L) {
    if (lua_type(L, 2) != LUA_TSTRING) return 0;
    const auto names = textKeys(L, 1, "raphe");
    const std::string key = lua_tostring(L, 2);
    throw Error("raphe", "there is no \"" + key + "\" in the module" + suggestion(key, names));
}

} // namespace

void openModule(lua_State* L) {
    openTensors(L);
    openExperiments(L);
    openSessions(L);
    openStudies(L);
    makeClass(
        L, ClassOf<Stream>::name,
        {{"uniform", edge<uniform>}, {"normal", edge<normal>}, {"integer", edge<integer>}, {"shuffle", edge<shuffle>}},
        {{"__gc", destroy<Stream>}});

    lua_newtable(L);
    setFunctions(L, {{"list", edge<list>},
                     {"describe", edge<describe>},
                     {"experiments", edge<experiments>},
                     {"load", edge<loadExperimentFile>},
                     {"open", edge<openDocument>},
                     {"open_text", edge<openDocumentText>},
                     {"new", edge<newDocument>},
                     {"experiment", edge<makeExperiment>},
                     {"run", edge<runFromLua>},
                     {"branch", edge<branchFromLua>},
                     {"reproduce", edge<reproduceFromLua>},
                     {"open_run", edge<openRun>},
                     {"study", edge<openStudy>},
                     {"runs", edge<listRuns>},
                     {"tensor", edge<makeTensor>},
                     {"zeros", edge<makeZeros>},
                     {"plot", edge<plot>},
                     {"random", edge<random>},
                     {"clock", edge<clock>}});
    lua_newtable(L);
    setFunctions(L, {{"read", edge<readJsonFile>},
                     {"write", edge<writeJsonFile>},
                     {"encode", edge<encodeJson>},
                     {"decode", edge<decodeJson>},
                     {"list", edge<jsonList>}});
    pushJsonNull(L);
    lua_setfield(L, -2, "null");
    lua_setfield(L, -2, "json");
    lua_newtable(L);
    setFunctions(L, {{"read", edge<readNpzFile>}, {"write", edge<writeNpzFile>}});
    lua_setfield(L, -2, "npz");
    pushAnalysis(L);
    lua_setfield(L, -2, "analysis");
    pushStatistics(L);
    lua_setfield(L, -2, "statistics");
    lua_getfield(L, LUA_REGISTRYINDEX, "raphe.log");
    lua_setfield(L, -2, "log");
    pushTexts(L, hostOf(L).options.scriptArguments);
    lua_setfield(L, -2, "args");
    lua_pushliteral(L, RAPHE_VERSION);
    lua_setfield(L, -2, "version");

    lua_newtable(L);
    lua_pushcfunction(L, edge<unknown>);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "raphe");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);

    lua_getfield(L, LUA_REGISTRYINDEX, "raphe.required");
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "raphe");
    lua_pop(L, 1);
    lua_setglobal(L, "raphe");
}

} // namespace raphe::lua
