// SPDX-License-Identifier: Apache-2.0
#include "lua/lua_session.h"
#include "engine/base/npz.h"
#include "engine/base/text.h"
#include "engine/learning/session.h"
#include "lua/lua_sandbox.h"
#include "lua/lua_tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace raphe::lua {

namespace {

struct SnapshotBox {
    SessionSnapshot snapshot;
    Charge charge;
};

} // namespace

template <>
struct ClassOf<SnapshotBox> {
    static constexpr const char* name = "snapshot";
};

namespace {

// -- training ---------------------------------------------------------------------------------------------------------

int train(lua_State* L) {
    auto& session = sessionOf(L);
    auto& box = self<SessionBox>(L);
    const Options options(L, 2, "session:train", {"iterations", "on_iteration"});
    if (box.training)
        throw Error("session:train",
                    "the session is training already; an on_iteration function cannot train it further");
    const auto further = options.integer("iterations", 0, 1'000'000'000);
    const auto end =
        further ? session.iteration() + *further : static_cast<std::int64_t>(session.experiment().iterations);
    if (end > 2'000'000'000) throw Error("session:train.iterations", "a session has at most 2000000000 iterations");
    TrainingCallback callback(L, options.function("on_iteration"));
    struct Busy {
        SessionBox& box;
        ~Busy() {
            box.training = false;
            box.session->clearCancel();
        }
    };
    {
        box.training = true;
        const Busy busy{box};
        const Watcher watcher(hostOf(L), session); // an iteration may be long
        session.trainTo(static_cast<int>(end), &callback);
    }
    poll(L);
    callback.pushLast();
    return 1;
}

// -- open loop --------------------------------------------------------------------------------------------------------

ForwardRequest forwardRequest(lua_State* L, const Options& options) {
    return {namedTensors(L, options, "inputs"), namedTensors(L, options, "initial_states"), options.texts("record")};
}

int forward(lua_State* L) {
    auto& session = sessionOf(L);
    const Options options(L, 2, "session:forward", {"inputs", "record", "initial_states"});
    const auto request = forwardRequest(L, options);
    const auto result = session.forward(request);
    lua_createtable(L, 0, 2);
    pushTensors(L, result.signals);
    lua_setfield(L, -2, "signals");
    pushTensors(L, result.finalStates);
    lua_setfield(L, -2, "states");
    return 1;
}

int gradient(lua_State* L) {
    auto& session = sessionOf(L);
    const Options options(L, 2, "session:gradient",
                          {"inputs", "initial_states", "output", "weights", "outputs", "state_weights"});
    GradientRequest request;
    request.forward = {namedTensors(L, options, "inputs"), namedTensors(L, options, "initial_states"), {}};
    request.outputWeights = namedTensors(L, options, "outputs");
    request.stateWeights = namedTensors(L, options, "state_weights");
    const auto output = options.text("output");
    if (output.has_value() != options.has("weights"))
        throw Error("session:gradient",
                    "\"output\" and \"weights\" belong together: the gradient is that of sum(weights .* output)");
    if (output) {
        options.push("weights");
        request.outputWeights.push_back({*output, toTensor(L, -1, options.place("weights"))});
        lua_pop(L, 1);
    }
    if (request.outputWeights.empty() && request.stateWeights.empty())
        throw Error(
            "session:gradient",
            "say of what: output = \"readout.output\", weights = tensor, or outputs = {[\"readout.output\"] = tensor}");
    const auto result = session.gradient(request);
    pushTensors(L, result.parameters);
    pushTensors(L, result.inputs);
    lua_setfield(L, -2, "inputs");
    pushTensors(L, result.initialStates);
    lua_setfield(L, -2, "initial_states");
    return 1;
}

int trainOn(lua_State* L) {
    auto& session = sessionOf(L);
    if (self<SessionBox>(L).training) throw Error("session:train_on", "the session is training already");
    const Options options(L, 2, "session:train_on", {"inputs"});
    TrainingCallback::pushReport(L, session.iterateOn(namedTensors(L, options, "inputs")));
    return 1;
}
int lossOn(lua_State* L) {
    auto& session = sessionOf(L);
    const Options options(L, 2, "session:loss_on", {"inputs"});
    lua_pushnumber(L, session.lossOn(namedTensors(L, options, "inputs")));
    return 1;
}

int gradcheck(lua_State* L) {
    auto& session = sessionOf(L);
    const Options options(L, 2, "session:gradcheck", {"entries"});
    const int entries = static_cast<int>(options.integer("entries", 1, 100'000).value_or(6));
    const auto report = watched(L, session, [&] { return session.checkGradients(entries); });
    poll(L);
    Json tensors = Json::array();
    for (const auto& t : report.tensors)
        tensors.push_back({{"name", t.name},
                           {"error", t.largestError},
                           {"entries", t.entries},
                           {"largest_gradient", t.largestGradient}});
    pushJson(L, {{"passed", report.passed()}, {"tolerance", report.tolerance}, {"tensors", tensors}});
    return 1;
}

int alignCredit(lua_State* L) {
    auto& session = sessionOf(L);
    const auto credit = textArgument(L, 2, "session:align_credit");
    const auto result = watched(L, session, [&] { return session.alignCredit(credit); });
    poll(L);
    Json tensors = Json::array();
    for (const auto& t : result)
        tensors.push_back(
            {{"name", t.tensor}, {"cosine", t.cosine}, {"norm_ratio", t.normRatio}, {"exact_norm", t.exactNorm}});
    pushJson(L, tensors);
    return 1;
}

// -- weights ----------------------------------------------------------------------------------------------------------

int parameters(lua_State* L) {
    lua_newtable(L);
    lua_Integer i = 0;
    for (const auto& p : sessionOf(L).parameters()) {
        lua_createtable(L, 0, 3);
        pushText(L, p.name);
        lua_setfield(L, -2, "name");
        lua_createtable(L, 2, 0);
        lua_pushinteger(L, p.rows);
        lua_rawseti(L, -2, 1);
        lua_pushinteger(L, p.columns);
        lua_rawseti(L, -2, 2);
        lua_setfield(L, -2, "shape");
        lua_pushboolean(L, p.trainable);
        lua_setfield(L, -2, "trainable");
        lua_rawseti(L, -2, ++i);
    }
    return 1;
}
int get(lua_State* L) {
    pushTensor(L, sessionOf(L).get(textArgument(L, 2, "session:get")));
    return 1;
}
int set(lua_State* L) {
    auto& session = sessionOf(L);
    const auto name = textArgument(L, 2, "session:set");
    session.set(name, toTensor(L, 3, name));
    return 0;
}
int freezeOrNot(lua_State* L, bool frozen) {
    auto& session = sessionOf(L);
    const std::string place = frozen ? "session:freeze" : "session:unfreeze";
    const auto pattern = textArgument(L, 2, place);
    const int count = session.freeze(pattern, frozen);
    if (count == 0) {
        std::vector<std::string> names;
        for (const auto& p : session.parameters()) names.push_back(p.name);
        throw Error(place, "no tensor matches \"" + pattern + "\"" + suggestion(pattern, names));
    }
    lua_pushinteger(L, count);
    return 1;
}
int freeze(lua_State* L) { return freezeOrNot(L, true); }
int unfreeze(lua_State* L) { return freezeOrNot(L, false); }
int resetOptimiser(lua_State* L) {
    sessionOf(L).resetOptimiser();
    return 0;
}

int save(lua_State* L) {
    auto& session = sessionOf(L);
    const auto path = allowedPath(L, textArgument(L, 2, "session:save"), "session:save");
    writeNpz(path, session.weights());
    return 0;
}
/// All or nothing: names and shapes are compared before anything changes.
int load(lua_State* L) {
    auto& session = sessionOf(L);
    const auto given = textArgument(L, 2, "session:load");
    const Options options(L, 3, "session:load", {"partial"});
    const bool partial = options.boolean("partial").value_or(false);
    NpzLimits limits;
    limits.bytes = memoryLeft(hostOf(L));
    const auto tensors = readNpz(allowedPath(L, given, "session:load"), limits);
    const auto own = session.parameters();
    std::vector<std::string> missing, extra;
    const auto named = [](const auto& list, const std::string& name) {
        return std::any_of(list.begin(), list.end(), [&](const auto& item) { return item.name == name; });
    };
    for (const auto& p : own)
        if (!named(tensors, p.name)) missing.push_back(p.name);
    for (const auto& t : tensors)
        if (!named(own, t.name)) extra.push_back(t.name);
    if ((!missing.empty() && !partial) || !extra.empty() || tensors.empty()) {
        std::string sentence = "does not fit this session";
        if (!missing.empty() && !partial) sentence += "; it lacks " + joined(missing);
        if (!extra.empty()) sentence += "; the session has no " + joined(extra);
        if (!missing.empty() && !partial) sentence += "; load a part with {partial = true}";
        throw Error(given, sentence);
    }
    const auto before = session.weights();
    try {
        for (const auto& t : tensors) session.set(t.name, t.tensor);
    } catch (const Error& error) {
        for (const auto& t : before) session.set(t.name, t.tensor);
        throw Error(given, error.what());
    }
    return 0;
}

int snapshot(lua_State* L) {
    auto& session = sessionOf(L);
    double bytes = 0;
    for (const auto& p : session.parameters()) bytes += 4.0 * sizeof(double) * p.rows * p.columns;
    Charge charge(L, bytes + 1000, "session:snapshot");
    pushObject(L, SnapshotBox{session.snapshot(), std::move(charge)});
    return 1;
}
int restore(lua_State* L) {
    auto& session = sessionOf(L);
    if (self<SessionBox>(L).training) throw Error("session:restore", "the session is training");
    const auto* box = testObject<SnapshotBox>(L, 2);
    if (!box) throw Error("session:restore", "expected what session:snapshot() returned, got " + shown(L, 2));
    session.restore(box->snapshot);
    return 0;
}

// -- interventions ----------------------------------------------------------------------------------------------------

int intervene(lua_State* L) {
    auto& session = sessionOf(L);
    if (lua_type(L, 2) != LUA_TTABLE)
        throw Error("session:intervene",
                    "expected a table, e.g. {port = \"modulator.output\", operation = \"clamp\", value = 0}, got " +
                        shown(L, 2));
    auto list = session.interventions();
    list.push_back(interventionFromJson(toJson(L, 2, "session:intervene"), "session:intervene"));
    session.setInterventions(std::move(list));
    return 0;
}
int clearInterventions(lua_State* L) {
    sessionOf(L).setInterventions({});
    return 0;
}
int interventions(lua_State* L) {
    Json list = Json::array();
    for (const auto& i : sessionOf(L).interventions()) list.push_back(raphe::toJson(i));
    pushJson(L, list);
    return 1;
}

// -- facts ------------------------------------------------------------------------------------------------------------

template <int (Session::*Fact)() const>
int fact(lua_State* L) {
    lua_pushinteger(L, (sessionOf(L).*Fact)());
    return 1;
}
int experiment(lua_State* L) { return pushDocument(L, sessionOf(L).experiment()); }
int close(lua_State* L) {
    auto& box = self<SessionBox>(L);
    if (box.training) throw Error("session:close", "the session is training");
    box.session.reset();
    box.charge.reset();
    return 0;
}
int toText(lua_State* L) {
    const auto& box = self<SessionBox>(L);
    pushText(L, box.session ? fmt::format("session of {} after {} iterations", box.session->experiment().name,
                                          box.session->iteration())
                            : std::string("closed session"));
    return 1;
}

} // namespace

// -- training callback ------------------------------------------------------------------------------------------------

void TrainingCallback::pushReport(lua_State* L, const IterationReport& report) {
    pushNumbers(L, report.metrics);
    lua_pushinteger(L, report.iteration);
    lua_setfield(L, -2, "iteration");
    lua_pushnumber(L, report.seconds);
    lua_setfield(L, -2, "seconds");
    if (report.stage >= 0) {
        pushText(L, report.stageName);
        lua_setfield(L, -2, "stage");
    }
    if (report.signals.empty()) return;
    lua_newtable(L);
    for (const auto& [recording, tensor] : report.signals) {
        pushTensor(L, tensor);
        lua_setfield(L, -2, recording.port.text().c_str());
    }
    lua_setfield(L, -2, "signals");
}

void TrainingCallback::pushLast() const { any_ ? pushReport(L_, last_) : lua_newtable(L_); }

namespace {
/// Arguments: the function, the report. Runs protected, so that no Lua error skips the engine's frames.
int callWithReport(lua_State* L) {
    const auto& report = *static_cast<const IterationReport*>(lua_touserdata(L, 2));
    lua_settop(L, 1);
    TrainingCallback::pushReport(L, report);
    lua_call(L, 1, 1);
    return 1;
}
} // namespace

void TrainingCallback::onIteration(Session& session, const IterationReport& report) {
    last_ = report;
    any_ = true;
    if (stopRequested(hostOf(L_))) return session.cancel();
    if (function_ == 0) return;
    if (lua_checkstack(L_, 10) == 0) throw Error("on_iteration", "the stack is full");
    lua_pushcfunction(L_, edge<callWithReport>);
    lua_pushvalue(L_, function_);
    lua_pushlightuserdata(L_, const_cast<IterationReport*>(&report));
    if (lua_pcall(L_, 2, 1, 0) != LUA_OK) {
        const std::string text = lua_type(L_, -1) == LUA_TSTRING ? lua_tostring(L_, -1) : "error in on_iteration";
        throw CallbackFailure(text, luaL_ref(L_, LUA_REGISTRYINDEX));
    }
    if (lua_isboolean(L_, -1) && lua_toboolean(L_, -1) == 0) session.cancel();
    lua_pop(L_, 1);
}

// -- sessions ---------------------------------------------------------------------------------------------------------

SessionOptions sessionOptions(const Options& options) {
    SessionOptions result;
    result.threads = static_cast<int>(options.integer("threads", 1, 1024).value_or(0));
    result.executor = options.text("executor").value_or("tbb");
    result.scheduleSeed = static_cast<std::uint64_t>(options.integer("schedule_seed", 0, LUA_MAXINTEGER).value_or(0));
    return result;
}

void setSeedAndPrecision(Experiment& experiment, const Options& options, const Registry& registry) {
    if (const auto seed = options.integer("seed", 0, LUA_MAXINTEGER)) experiment.set("seed", *seed, registry);
    if (const auto precision = options.text("precision")) experiment.set("precision", *precision, registry);
}

double sessionBytes(const Experiment& experiment, const Registry& registry) {
    const Graph graph(experiment, registry);
    double numbers = 0; // rows x columns are the mechanism's secret; units x units is a fair guess
    for (const auto& node : graph.nodes())
        for (std::size_t i = 0; i < node.portSizes.size(); ++i)
            for (std::size_t o = 0; o < node.portSizes.size(); ++o)
                if (node.declaration().ports[i].kind == PortKind::output && node.kind() == Kind::model &&
                    node.portSizes[i] > 0 && node.portSizes[o] > 0)
                    numbers += static_cast<double>(node.portSizes[i]) * node.portSizes[o];
    return 1e6 + 4 * (experiment.precision == Precision::float32 ? 4 : 8) * numbers;
}

int pushSession(lua_State* L, std::unique_ptr<Session> session) {
    double numbers = 0;
    for (const auto& p : session->parameters()) numbers += static_cast<double>(p.rows) * p.columns;
    Charge charge(L, 1e6 + 4 * (session->experiment().precision == Precision::float32 ? 4 : 8) * numbers, "session");
    pushObject(L, SessionBox{std::move(session), std::optional<Charge>(std::move(charge)), false});
    return 1;
}

void openSessions(lua_State* L) {
    makeClass(L, ClassOf<SessionBox>::name,
              {{"train", edge<train>},
               {"evaluate", edge<evaluateSession>},
               {"play", edge<playSession>},
               {"forward", edge<forward>},
               {"gradient", edge<gradient>},
               {"train_on", edge<trainOn>},
               {"loss_on", edge<lossOn>},
               {"gradcheck", edge<gradcheck>},
               {"align_credit", edge<alignCredit>},
               {"parameters", edge<parameters>},
               {"get", edge<get>},
               {"set", edge<set>},
               {"freeze", edge<freeze>},
               {"unfreeze", edge<unfreeze>},
               {"reset_optimiser", edge<resetOptimiser>},
               {"save", edge<save>},
               {"load", edge<load>},
               {"snapshot", edge<snapshot>},
               {"restore", edge<restore>},
               {"intervene", edge<intervene>},
               {"clear_interventions", edge<clearInterventions>},
               {"interventions", edge<interventions>},
               {"iteration", edge<fact<&Session::iteration>>},
               {"trials", edge<fact<&Session::batchTrials>>},
               {"steps", edge<fact<&Session::steps>>},
               {"threads", edge<fact<&Session::threads>>},
               {"experiment", edge<experiment>},
               {"close", edge<close>}},
              {{"__gc", destroy<SessionBox>}, {"__tostring", edge<toText>}});
    openPlayers(L);
    makeClass(L, ClassOf<SnapshotBox>::name, {}, {{"__gc", destroy<SnapshotBox>}});
}

} // namespace raphe::lua
