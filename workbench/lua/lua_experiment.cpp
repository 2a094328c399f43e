// SPDX-License-Identifier: Apache-2.0
#include "engine/base/text.h"
#include "engine/document/fields.h"
#include "engine/graph/graph.h"
#include "engine/learning/preflight.h"
#include "lua/lua_module.h"
#include "lua/lua_sandbox.h"

#include <fmt/format.h>

#include <algorithm>

namespace raphe::lua {

namespace fs = std::filesystem;

namespace {

const Registry& registryOf(lua_State* L) { return hostOf(L).plugins.registry(); }

bool isOfStages(const std::string& path) { return path == "stages" || path.starts_with("stages["); }

/// Always with "stages".
Json withStages(const Experiment& experiment) {
    auto document = experiment.toJson();
    if (!document.contains("stages")) document["stages"] = Json::array();
    return document;
}

int set(lua_State* L) {
    auto& experiment = self<Experiment>(L);
    const auto path = textArgument(L, 2, "experiment:set");
    if (isOfStages(path)) {
        auto document = withStages(experiment);
        fields::setAtPlace(document, path, toJson(L, 3, path));
        repairEmptyLists(document);
        experiment.set("stages", document.value("stages", Json::array()), registryOf(L));
    } else {
        experiment.set(path, toJson(L, 3, path, {.emptyIsList = true}), registryOf(L));
    }
    lua_settop(L, 1);
    return 1;
}

Json valueOf(const Experiment& experiment, const std::string& path) {
    if (isOfStages(path)) return fields::valueAtPlace(withStages(experiment), path);
    const auto dot = path.find('.');
    if (dot == std::string::npos) {
        const auto document = experiment.toJson();
        if (document.contains(path)) return document[path];
        std::vector<std::string> known;
        for (const auto& [key, value] : document.items()) known.push_back(key);
        throw Error(path, "the document has no field of this name" + suggestion(path, known));
    }
    std::vector<std::string> names;
    for (const auto& node : experiment.nodes) {
        names.push_back(node.name);
        if (node.name != path.substr(0, dot)) continue;
        const auto key = path.substr(dot + 1);
        if (const auto found = node.params.find(key); found != node.params.end()) return raphe::toJson(found->second);
        std::vector<std::string> known;
        for (const auto& [name, value] : node.params) known.push_back(name);
        throw Error(path, fmt::format("{} has no parameter \"{}\"{}", node.mechanism, key, suggestion(key, known)));
    }
    throw Error(path, "the experiment has no such node" + suggestion(path.substr(0, dot), names));
}
int get(lua_State* L) {
    pushJson(L, valueOf(self<Experiment>(L), textArgument(L, 2, "experiment:get")));
    return 1;
}
int json(lua_State* L) {
    pushJson(L, self<Experiment>(L).toJson());
    return 1;
}
int copy(lua_State* L) {
    pushObject(L, Experiment(self<Experiment>(L)));
    return 1;
}
int check(lua_State* L) {
    const Options options(L, 2, "experiment:check", {"threads"});
    auto session = sessionOptions(options);
    session.checkpoints = true;
    Problems problems;
    const auto found = preflight(self<Experiment>(L), registryOf(L), session, problems);
    problems.throwIfAny();
    Json result{{"nodes", found->graph.nodes().size()},
                {"wires", found->graph.wires().size()},
                {"tensors", found->tensors.size()},
                {"numbers", static_cast<std::int64_t>(std::min(found->numbers(), 9e15))},
                {"trials", found->trials},
                {"steps", found->steps},
                {"closed_loop", found->graph.closedLoop()}};
    result.update(toJson(found->estimate));
    pushJson(L, result);
    return 1;
}
int session(lua_State* L) {
    auto experiment = self<Experiment>(L);
    const Options options(L, 2, "experiment:session", {"seed", "threads", "precision", "executor", "schedule_seed"});
    setSeedAndPrecision(experiment, options, registryOf(L));
    requireMemory(L, sessionBytes(experiment, registryOf(L)), "experiment:session");
    return pushSession(L, Session::create(experiment, registryOf(L), sessionOptions(options)));
}
int toText(lua_State* L) {
    const auto& experiment = self<Experiment>(L);
    pushText(L, fmt::format("experiment {} ({} nodes)", experiment.name, experiment.nodes.size()));
    return 1;
}

} // namespace

void repairEmptyLists(Json& document) {
    const auto repair = [](Json& value) {
        if (value.is_object() && value.empty()) value = Json::array();
    };
    for (const char* key : {"wires", "record", "interventions", "frozen", "stages"})
        if (document.contains(key)) repair(document[key]);
    const auto repairFields = [&](Json& object, const char* key) {
        if (object.is_object() && object.contains(key)) repair(object[key]);
    };
    if (document.contains("stages") && document["stages"].is_array())
        for (auto& stage : document["stages"]) {
            repairFields(stage, "frozen");
            if (stage.is_object() && stage.contains("set") && stage["set"].is_object())
                for (auto& [key, value] : stage["set"].items()) repair(value);
            if (stage.is_object() && stage.contains("schedules") && stage["schedules"].is_object())
                for (auto& [key, schedule] : stage["schedules"].items())
                    for (const char* list : {"at", "values"}) repairFields(schedule, list);
        }
    if (!document.contains("nodes") || !document["nodes"].is_object()) return;
    for (auto& [name, node] : document["nodes"].items())
        if (node.is_object() && node.contains("params") && node["params"].is_object())
            for (auto& [key, value] : node["params"].items()) repair(value);
}

Experiment experimentArgument(lua_State* L, int index, const std::string& place) {
    if (const auto* experiment = testObject<Experiment>(L, index)) return *experiment;
    if (lua_type(L, index) != LUA_TSTRING)
        throw Error(place, "expected an experiment, or the name or file of one, got " + shown(L, index));
    const auto name = textArgument(L, index, place);
    const auto& registry = registryOf(L);
    // A file below the working folder comes first; a bare name may also be one that comes with Raphe.
    const bool bare = name.find('/') == std::string::npos;
    std::error_code error;
    if (!bare || fs::exists(hostOf(L).workingFolder / name, error))
        return loadExperiment(allowedPath(L, name, place).string(), registry);
    const auto names = experimentNames();
    if (std::find(names.begin(), names.end(), name) == names.end())
        throw Error(name, "neither a file nor an experiment that comes with Raphe" + suggestion(name, names));
    auto experiment = loadExperiment((resourceFolder() / "experiments" / (name + ".json")).string(), registry);
    return experiment;
}

int loadExperimentFile(lua_State* L) {
    pushObject(L, experimentArgument(L, 1, "raphe.load"));
    return 1;
}

int makeExperiment(lua_State* L) {
    if (lua_type(L, 1) != LUA_TTABLE)
        throw Error("raphe.experiment", "expected a table {nodes = ..., wires = ...}, got " + shown(L, 1));
    auto document = toJson(L, 1, "");
    if (!document.is_object())
        throw Error("raphe.experiment", "expected a table {nodes = ..., wires = ...}, got a list");
    repairEmptyLists(document);
    if (!document.contains("raphe")) document["raphe"] = 1;
    if (document.contains("base") && document["base"].is_string() &&
        document["base"].get<std::string>().find('/') != std::string::npos)
        throw Error("base", "expected the name of an experiment, without a folder");
    pushObject(L, experimentFromJson(std::move(document), registryOf(L), hostOf(L).workingFolder));
    return 1;
}

void openExperiments(lua_State* L) {
    makeClass(L, ClassOf<Experiment>::name,
              {{"set", edge<set>},
               {"get", edge<get>},
               {"json", edge<json>},
               {"copy", edge<copy>},
               {"check", edge<check>},
               {"session", edge<session>}},
              {{"__gc", destroy<Experiment>}, {"__tostring", edge<toText>}});
}

} // namespace raphe::lua
