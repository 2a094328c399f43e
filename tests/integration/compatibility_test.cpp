// SPDX-License-Identifier: Apache-2.0
// What is said to fit together trains; what is said not to fit says why in one sentence.
#include "engine/learning/compatibility.h"
#include "engine/learning/session.h"
#include "engine/mechanisms/plugin_host.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace raphe::test {
namespace {

PluginHost& plugins() {
    static PluginHost host = [] {
        PluginHost h;
        h.loadFolder(PLUGIN_FOLDER);
        return h;
    }();
    return host;
}

/// With trials short enough to be run by the dozen.
Json shortened(Json document) {
    auto& task = document["nodes"]["task"];
    const auto& declaration = plugins().registry().find(task.at("mechanism"), "task").declaration;
    const auto set = [&](const char* key, Json value) {
        if (declaration.param(key)) task["params"][key] = std::move(value);
    };
    set("context_length", 5);
    set("block_length", 10);
    set("schedule", "10 A, 10 B");
    if (declaration.name != "measure_wait_go") set("steps", 20);
    return document;
}

TEST(Compatibility, OfAllThatIsSaidToFitIsTrue) {
    int fitting = 0;
    std::set<std::string> tasks, models, rules;
    for (const auto& c : combinations(plugins().registry())) {
        if (!c.fits()) {
            EXPECT_EQ(c.reason.find('\n'), std::string::npos) << c.reason;
            EXPECT_GT(c.reason.size(), 20u);
            continue;
        }
        ++fitting;
        tasks.insert(c.task);
        models.insert(c.model);
        rules.insert(c.rule);
        SCOPED_TRACE(c.task + " " + c.model + " " + c.rule);
        try {
            const auto session = Session::create(experimentFromJson(shortened(c.document), plugins().registry()),
                                                 plugins().registry(), {1, "tbb", 0});
            for (int i = 0; i < 2; ++i)
                for (const auto& [name, value] : session->iterate().metrics)
                    EXPECT_TRUE(std::isfinite(value)) << name << " of iteration " << i;
        } catch (const Error& error) {
            ADD_FAILURE() << error.what();
        }
    }
    EXPECT_GT(fitting, 60);
    for (const char* model : {"model.rnn", "model.gru", "model.dense", "model.low_rank_rnn", "model.plastic_rnn"})
        EXPECT_TRUE(models.contains(model)) << model;
    for (const char* rule : {"rule.a2c", "rule.ppo", "rule.supervised", "rule.observe"})
        EXPECT_TRUE(rules.contains(rule)) << rule;
    for (const char* task : {"task.cue_reward", "task.measure_wait_go", "task.biased_target", "task.set_shift"})
        EXPECT_TRUE(tasks.contains(task)) << task;
}

TEST(Compatibility, SaysWhyNot) {
    const auto& r = plugins().registry();
    const auto reason = [&](const char* task, const char* model, const char* rule) {
        return combine(r, task, model, rule).reason;
    };
    EXPECT_EQ(reason("task.measure_wait_go", "model.rnn", "rule.a2c"),
              "rule.a2c learns from actions, and task.measure_wait_go takes none");
    EXPECT_EQ(reason("task.cue_blocks", "model.rnn", "rule.supervised"),
              "task.cue_blocks has no observation that a network could read");
    EXPECT_NE(reason("task.cue_reward", "model.three_factor_layer", "rule.a2c").find("\"modulator\""),
              std::string::npos);
    EXPECT_EQ(reason("task.set_shift", "model.gru", "rule.a2c"), "");
}

} // namespace
} // namespace raphe::test
