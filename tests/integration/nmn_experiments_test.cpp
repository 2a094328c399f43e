// SPDX-License-Identifier: Apache-2.0
// The experiments of the NMN have the published networks.
#include "engine/document/experiment.h"
#include "engine/learning/session.h"
#include "engine/mechanisms/plugin_host.h"

#include <gtest/gtest.h>

#include <string>

namespace raphe::test {
namespace {

/// Table 2.5 of the specification nmn: trainable numbers of actor and critic.
struct Published {
    const char* experiment;
    long actor, critic;
};
constexpr Published published[] = {
    {"nmn_biased_target", 9592, 9541},          {"rnn_biased_target", 9302, 9291},
    {"nmn_windy_target", 78547, 78446},         {"rnn_windy_target", 76057, 76046},
    {"nmn_two_targets", 79207, 79106},          {"rnn_two_targets", 76657, 76646},
    {"nmn_biased_target_small", 9592, 9541},    {"rnn_biased_target_small", 9302, 9291},
    {"nmn_windy_target_sigmoid", 78547, 78446}, {"rnn_two_targets_sigmoid", 76657, 76646},
};

class NmnExperiments : public testing::Test {
protected:
    NmnExperiments() { plugins_.loadFolder(PLUGIN_FOLDER); }

    std::unique_ptr<Session> session(const std::string& name) const {
        return Session::create(loadExperiment(name, plugins_.registry()), plugins_.registry(), {1, "tbb", 0});
    }

    PluginHost plugins_;
};

TEST_F(NmnExperiments, HaveThePublishedNumberOfParameters) {
    for (const auto& expected : published) {
        long actor = 0, critic = 0, others = 0;
        for (const auto& p : session(expected.experiment)->parameters()) {
            long& sum = p.name.starts_with("actor_") ? actor : p.name.starts_with("critic_") ? critic : others;
            sum += static_cast<long>(p.rows) * p.columns;
        }
        EXPECT_EQ(actor, expected.actor) << expected.experiment;
        EXPECT_EQ(critic, expected.critic) << expected.experiment;
        EXPECT_EQ(others, 0) << expected.experiment;
    }
}

TEST_F(NmnExperiments, DeliverThePastWhereTheAuthorsProgramDoes) {
    for (const char* name : {"nmn_biased_target", "nmn_windy_target", "nmn_two_targets_small"}) {
        int late = 0, heads = 0;
        const auto experiment = loadExperiment(name, plugins_.registry());
        for (const auto& wire : experiment.wires) {
            const bool toHidden = wire.to.node.find("_hidden") != std::string::npos && wire.to.port == "signal";
            const bool toMemory = wire.from.text() == "task.observation" && wire.to.node.ends_with("_gru");
            EXPECT_EQ(wire.delay == 1, toHidden || toMemory)
                << name << ": " << wire.from.text() << " -> " << wire.to.text();
            late += wire.delay == 1;
            heads += wire.to.port == "signal" && !toHidden;
        }
        EXPECT_EQ(late, name == std::string("nmn_windy_target") ? 6 : 4) << name;
        EXPECT_EQ(heads, 3) << name;
        const auto made = session(name);
        for (const auto& wire : made->graph().wires()) EXPECT_FALSE(wire.delayed && !wire.explicitDelay) << name;
    }
}

} // namespace
} // namespace raphe::test
