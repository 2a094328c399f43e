// SPDX-License-Identifier: Apache-2.0
// raphe.study: the runs of a study document, as `raphe study` has them.
#include "engine/studies/local_executor.h"
#include "engine/studies/study_results.h"
#include "lua/lua_module.h"
#include "lua/lua_sandbox.h"

namespace raphe::lua {

/// A study with its runs and its folder.
struct StudyHandle {
    std::unique_ptr<Study> study;
    std::vector<StudyRun> plan;
    StudyFolder folder;
};
template <>
struct ClassOf<StudyHandle> {
    static constexpr const char* name = "study";
};

namespace {

/// s:run{workers =, cores =, retry =}: does what is missing; returns how many runs are done, failed, waiting.
int run(lua_State* L) {
    auto& handle = self<StudyHandle>(L);
    Host& host = hostOf(L);
    const Options options(L, 2, "study:run", {"workers", "cores", "retry"});
    LocalOptions local;
    local.workers = static_cast<int>(options.integer("workers", 1, 1024).value_or(0));
    local.cores = static_cast<int>(options.integer("cores", 1, 1024).value_or(0));
    local.retry = options.boolean("retry").value_or(false);
    local.stop = [&host] { return stopRequested(host); };
    const auto result = runLocally(*handle.study, handle.plan, handle.folder, host.plugins.registry(), local);
    poll(L);
    lua_newtable(L);
    for (const auto& [key, value] : {std::pair{"total", result.total},
                                     {"done", result.done},
                                     {"failed", result.failed},
                                     {"elsewhere", result.elsewhere},
                                     {"waiting", result.waiting}}) {
        lua_pushinteger(L, static_cast<lua_Integer>(value));
        lua_setfield(L, -2, key);
    }
    return 1;
}
/// s:results(): runs, groups, comparisons and bars, as `raphe study table --json` prints them.
int results(lua_State* L) {
    auto& handle = self<StudyHandle>(L);
    const auto rows = rowsOf(*handle.study, handle.plan, handle.folder);
    poll(L);
    pushJson(L, resultsJson(*handle.study, rows));
    return 1;
}
/// s:folder_of(id): the run's folder, for raphe.open_run.
int folderOf(lua_State* L) {
    pushText(L, self<StudyHandle>(L).folder.run(textArgument(L, 2, "study:folder_of")).string());
    return 1;
}

} // namespace

void openStudies(lua_State* L) {
    makeClass(L, ClassOf<StudyHandle>::name,
              {{"run", edge<run>}, {"results", edge<results>}, {"folder_of", edge<folderOf>}},
              {{"__gc", destroy<StudyHandle>}});
}

int openStudy(lua_State* L) {
    const auto& registry = hostOf(L).plugins.registry();
    const Options options(L, 2, "raphe.study", {"out", "seeds", "iterations", "set"});
    StudyOverrides overrides;
    if (const auto seeds = options.integer("seeds", 1, 10'000)) overrides.seeds = static_cast<int>(*seeds);
    if (const auto iterations = options.integer("iterations", 1, 1'000'000'000))
        overrides.iterations = static_cast<int>(*iterations);
    if (options.has("set")) {
        options.push("set");
        const auto set = toJson(L, lua_gettop(L), options.place("set"));
        for (const auto& [path, value] : set.items()) overrides.set.emplace_back(path, value);
        lua_pop(L, 1);
    }
    auto study = std::make_unique<Study>();
    if (lua_istable(L, 1)) {
        *study = studyFromJson(overridden(toJson(L, 1, "raphe.study"), overrides), hostOf(L).workingFolder);
    } else {
        const auto path = findStudy(textArgument(L, 1, "raphe.study"));
        if (std::filesystem::exists(textArgument(L, 1, "raphe.study"))) allowedPath(L, path.string(), "raphe.study");
        *study = loadStudy(path.string(), overrides);
    }
    auto plan = planOf(*study, registry);
    const auto folder = options.text("out").value_or("studies/" + study->name);
    pushObject(
        L, StudyHandle{std::move(study), std::move(plan), StudyFolder(allowedPath(L, folder, options.place("out")))});
    return 1;
}

} // namespace raphe::lua
