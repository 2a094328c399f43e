// SPDX-License-Identifier: Apache-2.0
#include "rules/a2c/a2c.h"
#include "rules/supervised/supervised.h"

#include "model_driver.h"

namespace raphe::test {
namespace {

/// Evaluates a rule on a batch that is cut into chunks, as the engine does.
template <template <class> class C>
class RuleDriver {
public:
    RuleDriver(const ParamValues& changed, std::map<std::string, int> wired, int steps, int trials, int chunk)
        : declaration_(entryOf<C>().declaration), steps_(steps), trials_(trials), chunk_(chunk) {
        auto values = declaration_.defaults();
        for (const auto& [key, value] : changed) values.at(key) = value;
        std::vector<bool> isWired;
        for (const auto& port : declaration_.ports) {
            isWired.push_back(wired.count(port.name) == 1);
            sizes_.push_back(isWired.back() ? wired[port.name] : 0);
        }
        Builder builder(declaration_, sizes_, isWired, 1);
        rule_ = std::make_unique<C<double>>(C<double>::declare().fill(values), builder);
        Stream random(13, 0, 0, 0, 0);
        for (int size : sizes_) {
            signals.emplace_back(static_cast<std::size_t>(size * steps * trials));
            adjoints.emplace_back(signals.back().size());
            for (auto& x : signals.back()) x = random.normal();
        }
    }

    /// The undivided loss, over all chunks; fills `adjoints` (batch layout), `weight` and `metrics`. The first
    /// evaluation freezes what stopGradient() marks, replays see those numbers.
    double evaluate(bool replay) {
        double loss = 0;
        weight = 0;
        metrics.clear();
        frozen_.resize(static_cast<std::size_t>((trials_ + chunk_ - 1) / chunk_));
        for (int first = 0, index = 0; first < trials_; first += chunk_, ++index) {
            Tape<double> scratch;
            Objective<double> o;
            o.steps = steps_;
            o.trials = std::min(chunk_, trials_ - first);
            o.stride = chunk_;
            o.firstTrial = first;
            o.batchTrials = trials_;
            o.scratch = &scratch;
            auto& frozen = frozen_[static_cast<std::size_t>(index)];
            if (!replay) frozen.clear();
            o.frozen = &frozen;
            o.replay = replay;
            std::vector<std::vector<double>> values(sizes_.size()), gradients(sizes_.size());
            for (std::size_t p = 0; p < sizes_.size(); ++p) {
                values[p].assign(static_cast<std::size_t>(sizes_[p] * steps_ * chunk_),
                                 1e6); // fill-up columns must not count
                gradients[p].resize(values[p].size());
                forEach(p, first, o.trials,
                        [&](std::size_t inChunk, std::size_t inBatch) { values[p][inChunk] = signals[p][inBatch]; });
                const bool present = sizes_[p] > 0;
                o.inputs.push_back(
                    present ? Value<double>{&scratch, values[p].data(), gradients[p].data(), sizes_[p], steps_ * chunk_}
                            : Value<double>{});
                o.batch.push_back(present && rule_->needsBatch()
                                      ? Value<double>{&scratch, signals[p].data(), nullptr, sizes_[p], steps_ * trials_}
                                      : Value<double>{});
            }
            rule_->objective(o);
            loss += o.loss;
            weight += o.lossWeight;
            for (const auto& m : o.metrics) {
                metrics[m.name].first += m.sum;
                metrics[m.name].second += m.count;
            }
            for (std::size_t p = 0; p < sizes_.size(); ++p)
                forEach(p, first, o.trials, [&](std::size_t inChunk, std::size_t inBatch) {
                    adjoints[p][inBatch] = gradients[p][inChunk];
                });
        }
        return loss;
    }
    std::vector<double>& signal(const char* port) { return signals[static_cast<std::size_t>(declaration_.port(port))]; }
    const std::vector<double>& adjoint(const char* port) {
        return adjoints[static_cast<std::size_t>(declaration_.port(port))];
    }

    void expectGradients(std::initializer_list<const char*> ports) {
        evaluate(false);
        const auto expected = adjoints;
        for (const char* port : ports) {
            auto& numbers = signal(port);
            const auto& gradient = expected[static_cast<std::size_t>(declaration_.port(port))];
            for (std::size_t i = 0; i < numbers.size(); ++i) {
                const double old = numbers[i], h = 1e-6;
                numbers[i] = old + h;
                const double up = evaluate(true);
                numbers[i] = old - h;
                const double down = evaluate(true);
                numbers[i] = old;
                EXPECT_NEAR(gradient[i], (up - down) / (2 * h), 1e-6 * std::max(1.0, std::abs(gradient[i])))
                    << port << ", entry " << i;
            }
        }
    }

    std::vector<std::vector<double>> signals, adjoints;
    double weight = 0;
    std::map<std::string, std::pair<double, double>> metrics;

private:
    template <class F>
    void forEach(std::size_t port, int first, int count, F f) {
        const int rows = sizes_[port];
        for (int t = 0; t < steps_; ++t)
            for (int b = 0; b < count; ++b)
                for (int r = 0; r < rows; ++r)
                    f(static_cast<std::size_t>((t * chunk_ + b) * rows + r),
                      static_cast<std::size_t>((t * trials_ + first + b) * rows + r));
    }
    DeclarationData declaration_;
    int steps_, trials_, chunk_;
    std::vector<int> sizes_;
    std::unique_ptr<C<double>> rule_;
    std::vector<std::vector<double>> frozen_;
};

TEST(Supervised, HasTheRightGradientForAllMasks) {
    for (int mask : {0, 1, 2}) {
        std::map<std::string, int> wired{{"prediction", 2}, {"target", 2}};
        if (mask) wired["mask"] = mask;
        RuleDriver<Supervised> d({}, wired, 4, 5, 2);
        d.expectGradients({"prediction", "target"});
    }
}

TEST(Supervised, IsTheMaskedMeanOfSquaredErrors) {
    RuleDriver<Supervised> d({}, {{"prediction", 2}, {"target", 2}, {"mask", 1}}, 2, 1, 1);
    d.signal("prediction") = {1, 2, 3, 4};
    d.signal("target") = {1, 0, 0, 4};
    d.signal("mask") = {1, 0.5};
    EXPECT_DOUBLE_EQ(d.evaluate(false), 4 + 0.5 * 9);
    EXPECT_DOUBLE_EQ(d.weight, 3); // a mask of one unit counts both channels
    EXPECT_DOUBLE_EQ(d.metrics["final_error"].first / d.metrics["final_error"].second, 4.5);
}

TEST(Supervised, HasTheRightGradientOfEveryLoss) {
    for (const char* loss : {"half_squared", "cross_entropy"})
        for (const bool masked : {false, true}) {
            std::map<std::string, int> wired{{"prediction", 3}, {"target", 3}};
            if (masked) wired["mask"] = 1;
            RuleDriver<Supervised> d({{"loss", std::string(loss)}}, wired, 4, 5, 2);
            d.expectGradients({"prediction", "target"});
        }
}

TEST(Supervised, CrossEntropyIsThatOfTheClassesThatCompete) {
    RuleDriver<Supervised> d({{"loss", std::string("cross_entropy")}},
                             {{"prediction", 3}, {"target", 3}, {"classes", 3}}, 1, 2, 1);
    d.signal("prediction") = {1, 2, 900, 3, 3, 1};
    d.signal("target") = {1, 0, 0, 0, 1, 0};
    d.signal("classes") = {1, 1, 0, 1, 1, 1};
    EXPECT_NEAR(d.evaluate(false), std::log(1 + std::exp(1.0)) + std::log(2 + std::exp(-2.0)), 1e-12);
    EXPECT_DOUBLE_EQ(d.weight, 2);
    EXPECT_DOUBLE_EQ(d.metrics["accuracy"].first, 0) << "the first is wrong, of a tie the first unit counts";
    EXPECT_EQ(d.adjoint("prediction")[2], 0) << "a class that does not compete is left alone";
}

TEST(Supervised, HalfTheSumOfSquaresIsAMeanOverTrials) {
    RuleDriver<Supervised> d({{"loss", std::string("half_squared")}}, {{"prediction", 2}, {"target", 2}}, 1, 2, 1);
    d.signal("prediction") = {1, 2, 3, 4};
    d.signal("target") = {0, 0, 0, 0};
    EXPECT_DOUBLE_EQ(d.evaluate(false), 15);
    EXPECT_DOUBLE_EQ(d.weight, 2);
}

TEST(Supervised, RefusesPortsOfOtherSizes) {
    using D = RuleDriver<Supervised>;
    const ParamValues entropy{{"loss", std::string("cross_entropy")}};
    EXPECT_THROW(D(entropy, {{"prediction", 3}, {"target", 3}, {"mask", 3}}, 1, 1, 1), Error);
    EXPECT_THROW(D(entropy, {{"prediction", 3}, {"target", 3}, {"classes", 2}}, 1, 1, 1), Error);
    EXPECT_THROW(D({}, {{"prediction", 3}, {"target", 3}, {"classes", 3}}, 1, 1, 1), Error);
    EXPECT_THROW(D({}, {{"prediction", 2}, {"target", 3}}, 1, 1, 1), Error);
    EXPECT_THROW(D({}, {{"prediction", 3}, {"target", 3}, {"mask", 2}}, 1, 1, 1), Error);
}

RuleDriver<A2c> a2c(const char* baseline, int chunk, double concentration = 0.3) {
    RuleDriver<A2c> d(
        {{"value_baseline", std::string(baseline)}, {"concentration_weight", concentration}, {"value_weight", 0.2}},
        {{"logits", 3}, {"value", 1}, {"action", 3}, {"reward", 1}}, 6, 5, chunk);
    auto& action = d.signal("action");
    for (std::size_t c = 0; c < action.size() / 3; ++c)
        for (std::size_t i = 0; i < 3; ++i) action[3 * c + i] = i == (c * 7 + c / 4) % 3 ? 1 : 0;
    return d;
}

// The policy term is checked with the advantage held fixed, the value term is not.
TEST(A2c, HasTheRightGradient) {
    for (const char* baseline : {"episode", "first_episode"}) {
        auto d = a2c(baseline, 2);
        d.expectGradients({"logits", "value"});
    }
}

TEST(A2c, DoesNotDependOnHowTheBatchIsCut) {
    for (const char* baseline : {"episode", "first_episode"}) {
        auto whole = a2c(baseline, 5), cut = a2c(baseline, 2);
        EXPECT_NEAR(whole.evaluate(false), cut.evaluate(false), 1e-12);
        EXPECT_EQ(whole.weight, cut.weight);
        for (std::size_t p = 0; p < whole.adjoints.size(); ++p)
            for (std::size_t i = 0; i < whole.adjoints[p].size(); ++i)
                EXPECT_NEAR(whole.adjoints[p][i], cut.adjoints[p][i], 1e-12);
    }
}

TEST(A2c, FirstEpisodeTrainsTheValueOfTheFirstTrialOnly) {
    auto d = a2c("first_episode", 2);
    d.evaluate(false);
    const auto& adjoint = d.adjoint("value");
    for (std::size_t i = 0; i < adjoint.size(); ++i) EXPECT_EQ(adjoint[i] != 0, i % 5 == 0);
}

// One trial of two steps, worked out by hand: p = (1/2, 1/2), R = (1 + 0.9 * 2, 2), v = (0.8, 1).
TEST(A2c, AgreesWithASmallExample) {
    RuleDriver<A2c> d({{"value_weight", 0.5}, {"concentration_weight", 0.1}},
                      {{"logits", 2}, {"value", 1}, {"action", 2}, {"reward", 1}}, 2, 1, 1);
    d.signal("logits") = {0, 0, 5, 5};
    d.signal("value") = {0.8, 1};
    d.signal("action") = {1, 0, 0, 1};
    d.signal("reward") = {1, 2};
    const double advantage[] = {2.8 - 0.8, 2 - 1.0};
    const double policy = std::log(2.0) * (advantage[0] + advantage[1]);
    EXPECT_NEAR(d.evaluate(false), policy + 0.5 * (4 + 1) + 0.1 * (0.5 + 0.5), 1e-12);
    EXPECT_EQ(d.weight, 2);
    const std::vector<double> logits{2 * (0.5 - 1), 2 * 0.5, 0.5, 0.5 - 1}, value{-2.0, -1.0};
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(d.adjoint("logits")[i], logits[i], 1e-12);
    for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(d.adjoint("value")[i], value[i], 1e-12);
    EXPECT_EQ(d.metrics["reward"], std::make_pair(3.0, 1.0));
}

TEST(A2c, HasThePublishedDefaults) {
    const auto data = entryOf<A2c>().declaration;
    EXPECT_EQ(std::get<double>(data.param("learning_rate")->initial), 1e-4);
    EXPECT_EQ(std::get<double>(data.param("epsilon")->initial), 1e-6);
    EXPECT_EQ(std::get<double>(data.param("clip_norm")->initial), 2.0);
    EXPECT_EQ(std::get<double>(data.param("discount")->initial), 0.9);
}

} // namespace
} // namespace raphe::test
