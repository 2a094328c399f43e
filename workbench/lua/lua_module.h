// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/editing/document.h"
#include "lua/lua_binding.h"
#include "lua/lua_values.h"

#include <memory>
#include <string>

namespace raphe::lua {

/// Makes the module `raphe`: what `require "raphe"` returns, and a global variable.
void openModule(lua_State* L);

/// What an experiment is in Lua: a document open for editing, the script's own or one that is shared with it.
struct DocumentHandle {
    std::shared_ptr<Document> own;
    std::weak_ptr<Document> shared; ///< if there is none of its own
};
template <>
struct ClassOf<DocumentHandle> {
    static constexpr const char* name = "experiment";
};
void openExperiments(lua_State* L);
int loadExperimentFile(lua_State* L); ///< raphe.load
int openDocument(lua_State* L);       ///< raphe.open
int newDocument(lua_State* L);        ///< raphe.new
int openDocumentText(lua_State* L);   ///< raphe.open_text
int makeExperiment(lua_State* L);     ///< raphe.experiment
/// Puts a document on the stack.
int pushDocument(lua_State* L, std::shared_ptr<Document> document);
int pushShared(lua_State* L, std::weak_ptr<Document> document);
/// The same for an experiment that has no document of its own: that of a session, or of a run.
int pushDocument(lua_State* L, const Experiment& experiment);
/// The experiment at `index`: an object, or the name or file of one. @throws Error with every problem
Experiment experimentArgument(lua_State* L, int index, const std::string& place);

void openStudies(lua_State* L);
int openStudy(lua_State* L); ///< raphe.study
/// Put raphe.analysis and raphe.statistics on the stack.
void pushAnalysis(lua_State* L);
void pushStatistics(lua_State* L);
/// Compiles a text as a console does. @throws Error
void compileConsole(lua_State* L, std::string_view text, const std::string& chunkName);
/// Prints all values on the stack, tables with what is in them.
void printValues(lua_State* L);
LuaVocabulary vocabularyOf(lua_State* L);

void openSessions(lua_State* L);
/// Puts a session on the stack.
int pushSession(lua_State* L, std::unique_ptr<Session> session);
SessionOptions sessionOptions(const Options& options);
/// What the options say of seed and precision.
void setSeedAndPrecision(Experiment& experiment, const Options& options, const Registry& registry);
/// Memory that a session of this experiment is about to take. @throws Error if the script may not use so much
double sessionBytes(const Experiment& experiment, const Registry& registry);

/// The list of interventions at `index`. @throws Error at `place`
std::vector<Intervention> interventionsAt(lua_State* L, int index, const std::string& place);

int runFromLua(lua_State* L);       ///< raphe.run
int branchFromLua(lua_State* L);    ///< raphe.branch
int reproduceFromLua(lua_State* L); ///< raphe.reproduce
int openRun(lua_State* L);          ///< raphe.open_run
int listRuns(lua_State* L);         ///< raphe.runs

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
