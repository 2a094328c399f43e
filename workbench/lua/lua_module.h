// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lua/lua_binding.h"
#include "lua/lua_values.h"

namespace raphe::lua {

/// Makes the module `raphe`: what `require "raphe"` returns, and a global variable.
void openModule(lua_State* L);

void openExperiments(lua_State* L);
int loadExperimentFile(lua_State* L); ///< raphe.load
int makeExperiment(lua_State* L);     ///< raphe.experiment
template <>
struct ClassOf<Experiment> {
    static constexpr const char* name = "experiment";
};
/// The experiment at `index`: an object, or the name or file of one.
Experiment experimentArgument(lua_State* L, int index, const std::string& place);
/// The empty table {} stands for a list or for an object, depending on the field.
void repairEmptyLists(Json& document);

void openSessions(lua_State* L);
/// Puts a session on the stack.
int pushSession(lua_State* L, std::unique_ptr<Session> session);
SessionOptions sessionOptions(const Options& options);
/// A recording of seed and precision in the experiment.
void setSeedAndPrecision(Experiment& experiment, const Options& options, const Registry& registry);
/// Memory that a session of this experiment is about to take. @throws Error if the script may not use so much
double sessionBytes(const Experiment& experiment, const Registry& registry);

int runFromLua(lua_State* L); ///< raphe.run
int openRun(lua_State* L);    ///< raphe.open_run

/// Calls a Lua function (at stack index `function`; 0: none) with the metrics of each iteration, and ends the training
/// when the function returns false or the script shall end.
class TrainingCallback final : public SessionObserver {
public:
    TrainingCallback(lua_State* L, int function) : L_(L), function_(function) {}
    void onIteration(Session& session, const IterationReport& report) override;
    /// Puts the metrics of the last iteration on the stack (an empty table if there was none).
    void pushLast() const;
    static void pushReport(lua_State* L, const IterationReport& report);

private:
    lua_State* L_;
    int function_;
    IterationReport last_;
    bool any_ = false;
};

} // namespace raphe::lua
