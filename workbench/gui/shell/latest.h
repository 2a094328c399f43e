// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/shell/background.h"

#include <functional>
#include <optional>

namespace raphe {

/// Computes one thing after the other on another thread. What is asked for while one is under way replaces what has not
/// begun yet, so that the answer that counts is always the one to the last question, and questions never pile up.
template <class Request, class Result>
class Latest {
public:
    using Compute = std::function<Result(const Request&)>;
    using Done = std::function<void(const Request&, Result)>;
    using Failed = std::function<void(const QString& why)>;

    /// @param receiver  once it is gone, nothing more is told
    Latest(QObject* receiver, Done done, Failed failed)
        : receiver_(receiver), done_(std::move(done)), failed_(std::move(failed)) {}

    /// @param compute  called on another thread
    void ask(Request request, Compute compute) {
        waiting_ = std::pair(std::move(request), std::move(compute));
        if (!busy_) begin();
    }
    /// Forgets what was asked for: no answer to it is told.
    void drop() {
        waiting_.reset();
        ++generation_;
    }
    bool busy() const { return busy_; }

private:
    void begin() {
        const Request request = std::move(waiting_->first);
        Compute compute = std::move(waiting_->second);
        waiting_.reset();
        busy_ = true;
        inBackground<Result>(
            receiver_, [request, compute = std::move(compute)] { return compute(request); },
            [this, request, generation = generation_](Result result) {
                finish(generation, [&] { done_(request, std::move(result)); });
            },
            [this, generation = generation_](const QString& why) { finish(generation, [&] { failed_(why); }); });
    }
    template <class Tell>
    void finish(int generation, Tell tell) {
        busy_ = false;
        if (generation == generation_) tell();
        if (waiting_ && !busy_) begin();
    }

    QObject* receiver_;
    Done done_;
    Failed failed_;
    std::optional<std::pair<Request, Compute>> waiting_;
    bool busy_ = false;
    int generation_ = 0;
};

} // namespace raphe
