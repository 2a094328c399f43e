// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/scripting/script_runner.h"

#include "gui/shell/gui_thread.h"
#include "raphe/error.h"

#include <QRegularExpression>

namespace raphe {
namespace {

constexpr std::size_t mostWaiting = std::size_t{1} << 20; ///< bytes of output; a script that writes more waits
constexpr std::size_t atOnce = std::size_t{1} << 17;      ///< bytes that are shown per tick
constexpr int cancelled = 130;

} // namespace

ScriptMistake mistakeOf(const QString& message) {
    static const QRegularExpression form{QStringLiteral("^([^\\n]*?):(\\d{1,9}): (.*)$"),
                                         QRegularExpression::DotMatchesEverythingOption};
    const auto match = form.match(message);
    if (!match.hasMatch()) return {{}, 0, message};
    return {match.captured(1), match.captured(2).toInt(), match.captured(3)};
}

ScriptRunner::ScriptRunner(const PluginHost& plugins, QObject* parent) : QObject(parent), plugins_(plugins) {
    timer_.setInterval(30);
    connect(&timer_, &QTimer::timeout, this, [this] { drain(false); });
}

ScriptRunner::~ScriptRunner() {
    stop();
    if (thread_.joinable()) thread_.join();
}

std::unique_ptr<LuaHost> ScriptRunner::makeHost(const Script& script) {
    LuaOptions options;
    options.scriptArguments = script.arguments;
    options.runFolder = script.runs;
    options.out = options.log = [this](std::string_view text) { write(text); };
    options.interrupted = [this] { return stopping_.load(std::memory_order_relaxed); };
    options.withShared = [this](const std::function<void()>& work) { gate_.call(work); };
    return std::make_unique<LuaHost>(plugins_, std::move(options));
}

void ScriptRunner::runScript(Script script) {
    host_.reset();
    start(std::move(script), false);
}
void ScriptRunner::runConsole(Script chunk) { start(std::move(chunk), true); }

void ScriptRunner::start(Script script, bool console) {
    running_ = true;
    stopping_ = false;
    gate_.setOpen(true);
    code_ = 0;
    error_.clear();
    timer_.start();
    thread_ = std::thread([this, script = std::move(script), console] {
        work(script, console);
        onGuiThread(this, [this] { finish(); });
    });
}

void ScriptRunner::work(const Script& script, bool console) {
    try {
        if (!host_) host_ = makeHost(script);
        host_->share("e", script.document);
        if (console)
            code_ = host_->runConsole(script.text, script.name);
        else
            code_ = host_->runText(script.text, script.name, script.file.parent_path());
    } catch (const std::exception& error) {
        if (!stopping_) error_ = error.what();
    }
}

void ScriptRunner::stop() {
    if (!running_) return;
    stopping_ = true;
    gate_.setOpen(false);
    room_.notify_all();
}

void ScriptRunner::write(std::string_view text) {
    std::unique_lock lock(mutex_);
    // Looked at from time to time, because stop() does not take the lock.
    while (written_.size() > mostWaiting && !stopping_) room_.wait_for(lock, std::chrono::milliseconds(20));
    if (!stopping_) written_ += text;
}

void ScriptRunner::drain(bool all) {
    std::string part;
    {
        const std::lock_guard lock(mutex_);
        if (all || written_.size() <= atOnce) {
            part.swap(written_);
        } else {
            part = written_.substr(0, atOnce);
            written_.erase(0, atOnce);
        }
    }
    room_.notify_all();
    if (!part.empty()) Q_EMIT output(decoder_(part));
}

void ScriptRunner::finish() {
    thread_.join();
    timer_.stop();
    drain(true);
    running_ = false;
    const int code = stopping_ && error_.empty() ? cancelled : code_;
    Q_EMIT ended(code, QString::fromStdString(error_));
}

} // namespace raphe
