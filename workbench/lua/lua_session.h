// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/session.h"
#include "lua/lua_module.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace raphe::lua {

/// A session as Lua keeps it.
struct SessionBox {
    std::shared_ptr<Session> session; ///< null once closed; players of its trials keep it
    std::optional<Charge> charge;
    bool training = false;
};
template <>
struct ClassOf<SessionBox> {
    static constexpr const char* name = "session";
};

/// The session before the colon. @throws Error if it has been closed
Session& sessionOf(lua_State* L);

/// While the engine works on something long, asks whether the script shall end, and cancels the session then.
class Watcher {
public:
    Watcher(Host& host, Session& session);
    ~Watcher();

private:
    void watch(Host& host);

    Session& session_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool done_ = false;
    std::thread thread_;
};

/// Calls the engine for something that may take long.
template <class Work>
auto watched(lua_State* L, Session& session, Work work) {
    const Watcher watcher(hostOf(L), session);
    return work();
}

/// Tensors by name, and a table of them. @param key  of the options; may be missing
std::vector<NamedTensor> namedTensors(lua_State* L, const Options& options, const char* key);
void pushTensors(lua_State* L, const std::vector<NamedTensor>& tensors);

int evaluateSession(lua_State* L); ///< session:evaluate
int playSession(lua_State* L);     ///< session:play
void openPlayers(lua_State* L);

} // namespace raphe::lua
