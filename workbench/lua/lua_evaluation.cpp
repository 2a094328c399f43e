// SPDX-License-Identifier: Apache-2.0
// Trials that are run without training on them: all at once, or one step at a time.
#include "engine/learning/changed_session.h"
#include "lua/lua_host.h"
#include "lua/lua_session.h"
#include "lua/lua_tensor.h"

#include <fmt/format.h>

#include <chrono>

namespace raphe::lua {

namespace {

/// Trials that Lua runs step by step.
struct PlayerBox {
    std::shared_ptr<Session> session; ///< the player's, which must outlive it
    std::unique_ptr<TrialPlayer> player;
    Charge charge;
};

} // namespace

template <>
struct ClassOf<PlayerBox> {
    static constexpr const char* name = "player";
};

Session& sessionOf(lua_State* L) {
    auto& box = self<SessionBox>(L);
    if (!box.session) throw Error("session", "it has been closed");
    return *box.session;
}

Watcher::Watcher(Host& host, Session& session) : session_(session), thread_([this, &host] { watch(host); }) {}

Watcher::~Watcher() {
    {
        const std::lock_guard lock(mutex_);
        done_ = true;
    }
    changed_.notify_all();
    thread_.join();
    session_.clearCancel();
}

void Watcher::watch(Host& host) {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, std::chrono::milliseconds(50), [this] { return done_; }))
        if (stopRequested(host)) session_.cancel();
}

std::vector<Intervention> interventionsAt(lua_State* L, int index, const std::string& place) {
    const auto list = toJson(L, index, place, {.emptyIsList = true});
    if (!list.is_array()) throw Error(place, "expected a list of interventions");
    std::vector<Intervention> result;
    for (std::size_t i = 0; i < list.size(); ++i)
        result.push_back(interventionFromJson(list[i], fmt::format("{}[{}]", place, i + 1)));
    return result;
}

std::vector<NamedTensor> namedTensors(lua_State* L, const Options& options, const char* key) {
    std::vector<NamedTensor> result;
    options.push(key);
    if (!lua_isnil(L, -1)) {
        if (lua_type(L, -1) != LUA_TTABLE)
            throw Error(options.place(key), "expected a table {[\"node.port\"] = tensor}, got " + shown(L, -1));
        for (const auto& name : textKeys(L, -1, options.place(key))) {
            lua_getfield(L, -1, name.c_str());
            result.push_back({name, toTensor(L, -1, name)});
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
    return result;
}
void pushTensors(lua_State* L, const std::vector<NamedTensor>& tensors) {
    lua_createtable(L, 0, static_cast<int>(tensors.size()));
    for (const auto& [name, tensor] : tensors) {
        pushTensor(L, tensor);
        lua_setfield(L, -2, name.c_str());
    }
}

namespace {

EvaluateRequest requestFrom(lua_State* L, const Options& options) {
    EvaluateRequest request;
    request.trials = static_cast<int>(options.integer("trials", 1, 100'000'000).value_or(0));
    request.stream = static_cast<std::uint32_t>(options.integer("stream", 0, 4'294'967'295).value_or(0));
    if (options.has("interventions")) {
        options.push("interventions");
        request.interventions = interventionsAt(L, -1, options.place("interventions"));
        lua_pop(L, 1);
    }
    request.initialStates = namedTensors(L, options, "initial_states");
    return request;
}

int trialsOf(const Session& session, const EvaluateRequest& request) {
    return request.trials > 0 ? request.trials : session.batchTrials();
}

// -- players ----------------------------------------------------------------------------------------------------------

TrialPlayer& player(lua_State* L) { return *self<PlayerBox>(L).player; }

std::string nameArgument(lua_State* L, const char* function) {
    if (lua_type(L, 2) != LUA_TSTRING) throw Error(function, "expected a name, got " + shown(L, 2));
    return lua_tostring(L, 2);
}

int next(lua_State* L) {
    lua_pushboolean(L, player(L).next() ? 1 : 0);
    return 1;
}
int signal(lua_State* L) {
    pushTensor(L, player(L).signal(nameArgument(L, "player:signal")));
    return 1;
}
int state(lua_State* L) {
    pushTensor(L, player(L).state(nameArgument(L, "player:state")));
    return 1;
}
int states(lua_State* L) {
    const auto names = player(L).states();
    lua_createtable(L, static_cast<int>(names.size()), 0);
    for (std::size_t i = 0; i < names.size(); ++i) {
        lua_pushlstring(L, names[i].data(), names[i].size());
        lua_rawseti(L, -2, static_cast<lua_Integer>(i) + 1);
    }
    return 1;
}
int intervene(lua_State* L) {
    player(L).intervene(interventionsAt(L, 2, "player:intervene"));
    return 0;
}
template <int (TrialPlayer::*Fact)() const>
int fact(lua_State* L) {
    lua_pushinteger(L, (player(L).*Fact)());
    return 1;
}

/// The session's weights under other parameters, if some are given ("set").
std::unique_ptr<Session> changedBy(lua_State* L, const Options& options, const Session& session) {
    if (!options.has("set")) return nullptr;
    options.push("set");
    const auto set = toJson(L, lua_gettop(L), options.place("set"));
    lua_pop(L, 1);
    if (!set.is_object()) throw Error(options.place("set"), "expected a table such as {[\"task.split\"] = \"test\"}");
    const auto& registry = hostOf(L).plugins.registry();
    auto experiment = session.experiment();
    for (const auto& [path, value] : set.items()) experiment.set(path, value, registry);
    auto changed = changedSession(session, experiment, registry, {session.threads(), "tbb", 0});
    changed->setInterventions(session.interventions());
    return changed;
}

} // namespace

int evaluateSession(lua_State* L) {
    const Options options(L, 2, "session:evaluate",
                          {"trials", "record", "interventions", "stream", "set", "initial_states", "states"});
    const auto changed = changedBy(L, options, sessionOf(L));
    auto& session = changed ? *changed : sessionOf(L);
    auto request = requestFrom(L, options);
    request.record = options.texts("record");
    request.states = options.texts("states");
    double bytes = 0;
    const auto& graph = session.graph();
    for (const auto& text : request.record) {
        const auto address = parseAddress(text, options.place("record"));
        const int node = graph.requireNode(address.node, options.place("record"));
        const int port = graph.outputPort(node, address.port, options.place("record"));
        bytes += 2.0 * sizeof(double) * session.steps() * trialsOf(session, request) *
                 graph.nodes()[static_cast<std::size_t>(node)].portSizes[static_cast<std::size_t>(port)];
    }
    requireMemory(L, bytes, "session:evaluate");
    const auto result = watched(L, session, [&] { return session.evaluate(request); });
    poll(L);
    lua_createtable(L, 0, 2);
    pushNumbers(L, result.metrics);
    lua_setfield(L, -2, "metrics");
    lua_newtable(L);
    for (const auto& [name, tensor] : result.signals) {
        pushTensor(L, tensor);
        lua_setfield(L, -2, name.c_str());
    }
    lua_setfield(L, -2, "signals");
    pushTensors(L, result.states);
    lua_setfield(L, -2, "states");
    return 1;
}

int playSession(lua_State* L) {
    auto& session = sessionOf(L);
    const Options options(L, 2, "session:play", {"trials", "interventions", "stream", "initial_states"});
    const auto request = requestFrom(L, options);
    double units = 0; // signals that are known beforehand are held for all steps
    for (const auto& node : session.graph().nodes())
        for (const int size : node.portSizes) units += std::max(size, 0);
    Charge charge(L, 2.0 * sizeof(double) * session.steps() * trialsOf(session, request) * units, "session:play");
    auto made = session.play(request);
    pushObject(L, PlayerBox{self<SessionBox>(L).session, std::move(made), std::move(charge)});
    return 1;
}

void openPlayers(lua_State* L) {
    makeClass(L, ClassOf<PlayerBox>::name,
              {{"next", edge<next>},
               {"signal", edge<signal>},
               {"state", edge<state>},
               {"states", edge<states>},
               {"intervene", edge<intervene>},
               {"step", edge<fact<&TrialPlayer::step>>},
               {"steps", edge<fact<&TrialPlayer::steps>>},
               {"trials", edge<fact<&TrialPlayer::trials>>}},
              {{"__gc", destroy<PlayerBox>}});
}

} // namespace raphe::lua
