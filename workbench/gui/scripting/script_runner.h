// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/mechanisms/plugin_host.h"
#include "gui/scripting/document_gate.h"
#include "lua/lua_host.h"

#include <QObject>
#include <QStringDecoder>
#include <QTimer>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace raphe {

/// A sentence about a line of a script.
struct ScriptMistake {
    QString file;
    int line = 0; ///< from 1; 0: it has no place
    QString sentence;
};
/// "script.lua:12: sentence"
ScriptMistake mistakeOf(const QString& message);

/// Runs Lua on a thread of its own. Public functions are for the GUI's thread and do not wait for the script, except
/// the destructor, which stops it.
class ScriptRunner final : public QObject {
    Q_OBJECT

public:
    struct Script {
        std::string text, name;             ///< what stands in messages for a file's name
        std::filesystem::path file;         ///< if it has one: beside it, others are found
        std::vector<std::string> arguments; ///< raphe.args
        std::weak_ptr<Document> document;   ///< the global variable e
        std::filesystem::path runs;         ///< a folder that it may use beside the working folder
    };
    explicit ScriptRunner(const PluginHost& plugins, QObject* parent = nullptr);
    ~ScriptRunner() override;

    bool running() const { return running_; }
    /// Runs a script in a fresh state. @pre not running
    void runScript(Script script);
    /// Runs what was typed into a console, in a state that is kept. @pre not running
    void runConsole(Script chunk);
    void stop();

Q_SIGNALS:
    void output(const QString& text);
    void ended(int code, const QString& error); ///< 130: was stopped; an error has a sentence

private:
    void start(Script script, bool console);
    void work(const Script& script, bool console);
    void write(std::string_view text);
    void drain(bool all);
    void finish();
    std::unique_ptr<LuaHost> makeHost(const Script& script);

    const PluginHost& plugins_;
    DocumentGate gate_;
    std::unique_ptr<LuaHost> host_; ///< used by the script's thread while it runs
    std::thread thread_;
    bool running_ = false;
    std::atomic<bool> stopping_{false};
    int code_ = 0;
    std::string error_;

    std::mutex mutex_; ///< of what follows
    std::condition_variable room_;
    std::string written_;
    QTimer timer_;
    QStringDecoder decoder_{QStringDecoder::Utf8};
};

} // namespace raphe
