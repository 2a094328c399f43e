// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/branch.h"
#include "engine/runs/reproduce.h"
#include "engine/runs/run.h"
#include "engine/runs/run_filter.h"
#include "engine/runs/run_index.h"
#include "engine/runs/run_reader.h"
#include "engine/runs/run_table.h"
#include "lua/lua_sandbox.h"
#include "lua/lua_session.h"
#include "lua/lua_tensor.h"

namespace raphe::lua {

namespace {

std::string folderUpvalue(lua_State* L) { return textArgument(L, lua_upvalueindex(1), "run"); }

/// run.session{threads = n, checkpoint = i}: the run's weights, as a session.
int sessionOfFolder(lua_State* L) {
    // run:session{...} means the same as run.session{...}
    bool method = false;
    if (lua_type(L, 1) == LUA_TTABLE) {
        lua_settop(L, 2);
        method = lua_getfield(L, 1, "session") == LUA_TFUNCTION;
        lua_pop(L, 1);
    }
    const Options options(L, method ? 2 : 1, "run:session", {"threads", "executor", "schedule_seed", "checkpoint"});
    const auto checkpoint = options.integer("checkpoint", -1, 1'000'000'000);
    return pushSession(
        L, sessionOfRun(folderUpvalue(L), hostOf(L).plugins.registry(), sessionOptions(options), checkpoint));
}
/// run:signals("agent.hidden"): what was recorded, a list of {iteration =, tensor =}.
int signalsOfFolder(lua_State* L) {
    const auto port = textArgument(L, lua_gettop(L), "run:signals");
    lua_newtable(L);
    lua_Integer i = 0;
    for (const auto& signal : RunReader::open(folderUpvalue(L)).signals(port)) {
        poll(L);
        lua_createtable(L, 0, 2);
        lua_pushinteger(L, signal.iteration);
        lua_setfield(L, -2, "iteration");
        pushTensor(L, signal.tensor);
        lua_setfield(L, -2, "tensor");
        lua_rawseti(L, -2, ++i);
    }
    return 1;
}

void setClosure(lua_State* L, const std::filesystem::path& folder, const char* name, lua_CFunction function) {
    pushText(L, folder.string());
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name);
}

/// The table that raphe.run and raphe.branch return.
int pushOutcome(lua_State* L, const RunOutcome& outcome) {
    lua_createtable(L, 0, 6);
    pushText(L, outcome.folder.string());
    lua_setfield(L, -2, "run");
    pushText(L, outcome.hash);
    lua_setfield(L, -2, "run_hash");
    pushNumbers(L, outcome.metrics);
    lua_setfield(L, -2, "metrics");
    lua_pushnumber(L, outcome.seconds);
    lua_setfield(L, -2, "seconds");
    lua_pushinteger(L, outcome.iterations);
    lua_setfield(L, -2, "iterations");
    lua_pushboolean(L, outcome.completed);
    lua_setfield(L, -2, "completed");
    return 1;
}

} // namespace

int runFromLua(lua_State* L) {
    Host& host = hostOf(L);
    const Options options(L, 2, "raphe.run",
                          {"out", "iterations", "seed", "threads", "precision", "executor", "schedule_seed",
                           "checkpoint_every", "resume", "copy_of", "on_iteration"});
    auto experiment = experimentArgument(L, 1, "raphe.run");
    setSeedAndPrecision(experiment, options, host.plugins.registry());
    requireMemory(L, sessionBytes(experiment, host.plugins.registry()), "raphe.run");
    RunOptions request;
    if (const auto out = options.text("out"))
        request.folder = allowedPath(L, *out, options.place("out"));
    else
        allowedPath(L, "runs", "raphe.run");
    if (const auto iterations = options.integer("iterations", 0, 1'000'000'000))
        request.iterations = static_cast<int>(*iterations);
    if (const auto every = options.integer("checkpoint_every", 1, 1'000'000'000))
        request.checkpointEvery = static_cast<int>(*every);
    if (const auto original = options.text("copy_of"))
        request.copyOf = allowedPath(L, *original, options.place("copy_of"));
    request.resume = options.boolean("resume").value_or(false);
    request.session = sessionOptions(options);
    TrainingCallback callback(L, options.function("on_iteration"));
    const auto outcome = runExperiment(
        experiment, host.plugins, request, &callback,
        [&host](Session& session, const std::filesystem::path&) { return std::make_shared<Watcher>(host, session); });
    poll(L);
    return pushOutcome(L, outcome);
}

int branchFromLua(lua_State* L) {
    Host& host = hostOf(L);
    const auto trunk = allowedPath(L, textArgument(L, 1, "raphe.branch"), "raphe.branch");
    const Options options(L, 2, "raphe.branch",
                          {"at", "set", "interventions", "iterations", "out", "threads", "executor", "schedule_seed"});
    const auto& registry = host.plugins.registry();
    auto experiment = experimentOfRun(trunk, registry);
    if (options.has("set")) {
        options.push("set");
        const auto set = toJson(L, lua_gettop(L), options.place("set"));
        for (const auto& [path, value] : set.items()) experiment.set(path, value, registry);
        lua_pop(L, 1);
    }
    if (const auto iterations = options.integer("iterations", 0, 1'000'000'000))
        experiment.set("iterations", *iterations, registry);
    if (options.has("interventions")) {
        options.push("interventions");
        for (auto& item : interventionsAt(L, lua_gettop(L), options.place("interventions")))
            experiment.interventions.push_back(std::move(item));
        lua_pop(L, 1);
    }
    const auto at = options.integer("at", 0, 1'000'000'000);
    if (!at) throw Error(options.place("at"), "say after how many iterations the branch begins");
    requireMemory(L, sessionBytes(experiment, registry), "raphe.branch");
    RunOptions request;
    if (const auto out = options.text("out"))
        request.folder = allowedPath(L, *out, options.place("out"));
    else
        allowedPath(L, "runs", "raphe.branch");
    request.session = sessionOptions(options);
    const auto outcome = branchRun(
        trunk, experiment, static_cast<int>(*at), host.plugins, request, nullptr,
        [&host](Session& session, const std::filesystem::path&) { return std::make_shared<Watcher>(host, session); });
    poll(L);
    return pushOutcome(L, outcome);
}

int reproduceFromLua(lua_State* L) {
    Host& host = hostOf(L);
    const auto folder = allowedPath(L, textArgument(L, 1, "raphe.reproduce"), "raphe.reproduce");
    const Options options(L, 2, "raphe.reproduce", {"threads", "executor", "schedule_seed"});
    const auto found = reproduce(
        folder, host.plugins, sessionOptions(options), nullptr,
        [&host](Session& session, const std::filesystem::path&) { return std::make_shared<Watcher>(host, session); });
    poll(L);
    lua_newtable(L);
    lua_pushboolean(L, found.same);
    lua_setfield(L, -2, "same");
    const auto set = [&](const char* key, const std::string& text) {
        if (text.empty()) return;
        pushText(L, text);
        lua_setfield(L, -2, key);
    };
    set("sentence", found.sentence());
    set("run_hash", found.hash);
    set("metric", found.metric);
    set("signal", found.signal);
    set("tensor", found.tensor);
    if (found.iteration >= 0) {
        lua_pushinteger(L, found.iteration);
        lua_setfield(L, -2, "iteration");
    }
    if (found.tracedAfter >= 0) {
        lua_pushinteger(L, found.tracedAfter);
        lua_setfield(L, -2, "traced_after");
    }
    if (found.step >= 0) {
        lua_pushinteger(L, found.step);
        lua_setfield(L, -2, "step");
    }
    return 1;
}

int openRun(lua_State* L) {
    const auto folder = allowedPath(L, textArgument(L, 1, "raphe.open_run"), "raphe.open_run");
    const auto reader = RunReader::open(folder);
    const auto metrics = reader.metrics();
    lua_newtable(L);
    lua_newtable(L); // metrics: a list for each name
    const auto column = [&](const std::string& name, auto value) {
        lua_createtable(L, static_cast<int>(std::min<std::size_t>(metrics.size(), 1'000'000)), 0);
        lua_Integer i = 0;
        for (const auto& item : metrics) {
            value(item);
            lua_rawseti(L, -2, ++i);
        }
        lua_setfield(L, -2, name.c_str());
    };
    column("iteration", [&](const Metrics& item) { lua_pushinteger(L, item.iteration); });
    column("seconds", [&](const Metrics& item) { lua_pushnumber(L, item.seconds); });
    if (!metrics.empty())
        for (std::size_t m = 0; m < metrics.front().values.size(); ++m)
            column(metrics.front().values[m].first,
                   [&](const Metrics& item) { lua_pushnumber(L, item.values.at(m).second); });
    lua_setfield(L, -2, "metrics");
    pushDocument(L, experimentOfRun(folder, hostOf(L).plugins.registry()));
    lua_setfield(L, -2, "experiment");
    lua_newtable(L);
    for (const auto& [key, value] : reader.provenance()) {
        pushText(L, value);
        lua_setfield(L, -2, key.c_str());
    }
    lua_setfield(L, -2, "provenance");
    pushJson(L, reader.checkpoints());
    lua_setfield(L, -2, "checkpoints");
    setClosure(L, folder, "session", edge<sessionOfFolder>);
    setClosure(L, folder, "signals", edge<signalsOfFolder>);
    return 1;
}

/// raphe.runs(folder, filter): stored runs, by folder.
int listRuns(lua_State* L) {
    const auto given = lua_isnoneornil(L, 1) ? std::string("runs") : textArgument(L, 1, "raphe.runs");
    const auto folder = allowedPath(L, given, "raphe.runs");
    const RunFilter filter(lua_isnoneornil(L, 2) ? std::string() : textArgument(L, 2, "raphe.runs"));
    if (!std::filesystem::is_directory(folder)) throw Error("raphe.runs", "there is no folder \"" + given + "\"");
    RunIndex index(folder);
    const auto all = index.refresh([L](const RunIndex::Progress&) { poll(L); });
    const auto chosen = filter(all);
    if (const auto doubt = filter.doubt(all); !doubt.empty() && chosen.empty()) throw Error("filter", doubt);
    lua_newtable(L);
    lua_Integer i = 0;
    for (const auto& run : chosen) {
        poll(L);
        pushJson(L, runAsJson(*run));
        lua_rawseti(L, -2, ++i);
    }
    return 1;
}

} // namespace raphe::lua
