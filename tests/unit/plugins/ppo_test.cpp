// SPDX-License-Identifier: Apache-2.0
// The mathematics of rule ppo. The golden files (kinds returns, ppo_loss and kl_controller) were computed independently
// in float64; agreement is up to rounding, |x - y| <= 1e-9 (1 + |y|).
#include "rules/ppo/heads.h"
#include "rules/ppo/kl_controller.h"
#include "rules/ppo/returns.h"
#include "rules/ppo/surrogate.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace raphe::ppo {
namespace {

using Json = nlohmann::json;
using Array = std::vector<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Array values(const Json& tensor) {
    return tensor.is_number() ? Array{tensor.get<double>()} : tensor.at("data").get<Array>();
}

/// Runs `check` on every golden file of the given kind.
void forEachGolden(const std::string& kind, const std::function<void(const Json&)>& check) {
    const char* folder = std::getenv("RAPHE_GOLDEN_DIR");
    const std::filesystem::path path = std::filesystem::path(folder ? folder : RAPHE_GOLDEN_FOLDER) / "nmn";
    int found = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
        std::ifstream stream(entry.path());
        const Json file = Json::parse(stream);
        if (file.at("kind") != kind) continue;
        SCOPED_TRACE(entry.path().filename().string());
        check(file);
        ++found;
    }
    EXPECT_GT(found, 0) << "no golden data of kind " << kind;
}

/// Compares named results with the fields of a golden object, of which none may be left out.
class Fields {
public:
    Fields(const Json& expected, std::string where) : expected_(expected), where_(std::move(where)) {}
    Fields(const Fields&) = delete;
    Fields& operator=(const Fields&) = delete;
    ~Fields() {
        for (const auto& [key, unused] : expected_.items())
            EXPECT_TRUE(seen_.count(key)) << where_ << key << " is not checked";
    }
    void expect(const std::string& key, const Array& actual) {
        const Array golden = values(expected_.at(key));
        seen_.insert(key);
        ASSERT_EQ(actual.size(), golden.size()) << where_ << key;
        for (std::size_t i = 0; i < golden.size(); ++i)
            EXPECT_NEAR(actual[i], golden[i], 1e-9 * (1 + std::abs(golden[i]))) << where_ << key << " at " << i;
    }
    void expect(const std::string& key, double actual) { expect(key, Array{actual}); }

private:
    const Json& expected_;
    std::string where_;
    std::set<std::string> seen_;
};

TEST(PpoReturns, AgreeWithTheGoldenReturns) {
    forEachGolden("returns", [](const Json& file) {
        const Json &config = file.at("config"), &in = file.at("inputs");
        const int steps = config.at("T");
        const std::size_t trials = config.at("B");
        const Array reward = values(in.at("reward")), value = values(in.at("value")),
                    next = values(in.at("next_value")), terminated = values(in.at("terminated")),
                    ended = values(in.at("ended")), mask = values(in.at("mask"));
        Array delta(reward.size()), advantage(delta), lambdaReturn(delta), monteCarlo(delta);
        const ReturnSettings settings{config.at("gamma"), config.at("lambda"), config.at("reward_scale")};
        for (std::size_t b = 0; b < trials; ++b) {
            const TrialColumn<double, double> trial{
                &reward[b], &value[b], &next[b], &terminated[b], &ended[b], steps, static_cast<std::ptrdiff_t>(trials)};
            computeReturns(trial, settings, {&delta[b], &advantage[b], &lambdaReturn[b], &monteCarlo[b]});
        }
        Array normalised = advantage;
        const Moments moments =
            normaliseAdvantages(normalised.data(), normalised.size(), config.at("normalise_epsilon"), mask.data());
        const auto masked = [&](Array x) {
            for (std::size_t i = 0; i < x.size(); ++i) x[i] *= mask[i];
            return x;
        };
        Fields out(file.at("outputs"), "outputs.");
        out.expect("delta", masked(delta));
        out.expect("advantage", masked(advantage));
        out.expect("lambda_return", masked(lambdaReturn));
        out.expect("monte_carlo_return", masked(monteCarlo));
        out.expect("advantage_mean", moments.mean);
        out.expect("advantage_std", moments.deviation);
        out.expect("advantage_normalised", normalised);
    });
}

TEST(PpoReturns, LastStepCountsAsEndedAndUnwantedResultsMayBeNull) {
    const float reward[] = {1, 1}, value[] = {0, 0}, next[] = {0, 10};
    const bool flags[] = {false, false};
    float monteCarlo[2];
    ReturnColumn<float> result;
    result.monteCarlo = monteCarlo;
    computeReturns(TrialColumn<float, bool>{reward, value, next, flags, flags, 2, 1}, {0.5, 1, 2}, result);
    EXPECT_FLOAT_EQ(monteCarlo[1], 7);
    EXPECT_FLOAT_EQ(monteCarlo[0], 5.5F);
}

TEST(PpoReturns, NextValueIsNotReadWhereTerminated) {
    const double reward[] = {3}, value[] = {1}, next[] = {nan};
    const bool ended[] = {true};
    double advantage[1], monteCarlo[1];
    computeReturns(TrialColumn<double, bool>{reward, value, next, ended, ended, 1, 1}, {},
                   {nullptr, advantage, nullptr, monteCarlo});
    EXPECT_EQ(advantage[0], 2);
    EXPECT_EQ(monteCarlo[0], 3);
}

TEST(PpoNormalisation, EqualAdvantagesBecomeZero) {
    std::vector<float> equal(1000, 0.1F);
    const Moments moments = normaliseAdvantages(equal.data(), equal.size(), 1e-6);
    EXPECT_EQ(moments.mean, static_cast<double>(0.1F));
    EXPECT_EQ(moments.deviation, 0);
    for (float x : equal) EXPECT_EQ(x, 0);
}

TEST(PpoNormalisation, LeavesOutInvalidEntries) {
    double x[] = {1, 1e30, 3, infinity};
    const unsigned char valid[] = {1, 0, 1, 0}, none[] = {0, 0, 0, 0};
    const Moments moments = normaliseAdvantages(x, 4, 1e-12, valid);
    EXPECT_EQ(moments.count, 2U);
    EXPECT_EQ(moments.mean, 2);
    EXPECT_EQ(moments.deviation, 1);
    EXPECT_NEAR(x[0], -1, 1e-11);
    EXPECT_NEAR(x[2], 1, 1e-11);
    EXPECT_EQ(x[1], 0);
    EXPECT_EQ(x[3], 0);
    EXPECT_EQ(normaliseAdvantages(x, 4, 1e-6, none).count, 0U);
    EXPECT_EQ(x[0], 0);
}

/// The whole loss of a golden file, put together as a rule does it.
void checkLoss(const Json& file) {
    const Json &config = file.at("config"), &in = file.at("inputs");
    const bool gaussian = config.at("head") == "gaussian", clipping = config.at("surrogate") == "clip";
    ASSERT_TRUE(gaussian || config.at("head") == "categorical");
    const int unitCount = config.at(gaussian ? "action_dim" : "actions");
    const auto units = static_cast<std::size_t>(unitCount);
    const Array advantage = values(in.at("advantage")), mask = values(in.at("mask")), value = values(in.at("value")),
                oldValue = values(in.at("old_value")), target = values(in.at("return"));
    const std::size_t columns = advantage.size(), all = columns * units;
    const Array first = values(in.at(gaussian ? "mean" : "logits")),
                oldFirst = values(in.at(gaussian ? "old_mean" : "old_logits"));
    Array action = values(in.at("action")), second, oldSecond;
    if (gaussian) {
        second = values(in.at("log_variance"));
        oldSecond = values(in.at("old_log_variance"));
    } else {
        Array oneHot(all);
        for (std::size_t c = 0; c < columns; ++c) oneHot[c * units + static_cast<std::size_t>(action[c])] = 1;
        action = oneHot;
    }
    const double entropyWeight = config.at("entropy_coef"), valueWeight = config.at("value_coef"),
                 valueClip = config.at("value_clip");
    const auto setting = [&](const char* key, bool present) { return present ? config.at(key).get<double>() : 0.0; };
    const double clip = setting("clip", clipping), beta = setting("beta", !clipping), eta = setting("eta", !clipping),
                 klTarget = setting("kl_target", !clipping), epsilon = setting("variance_epsilon", gaussian);
    double n = 0;
    for (double m : mask) n += m;

    Array logProbability(columns), oldLogProbability(columns), ratio(columns), surrogate(columns), entropy(columns),
        kl(columns), byLogProbability(columns), byFirst(all), bySecond(all), byValue(columns);
    double policyLoss = 0, klLoss = 0, lossOfValue = 0;
    Diagnostics sums;
    for (std::size_t c = 0; c < columns; ++c) {
        const std::size_t at = c * units;
        const auto evaluate = [&](const auto& now, const auto& old, auto*... adjoints) {
            logProbability[c] = now.logProbability(&action[at]);
            oldLogProbability[c] = old.logProbability(&action[at]);
            entropy[c] = now.entropy();
            kl[c] = now.klFrom(old);
            const auto term = clipping ? clippedSurrogate(logProbability[c], oldLogProbability[c], advantage[c], clip)
                                       : unclippedSurrogate(logProbability[c], oldLogProbability[c], advantage[c]);
            ratio[c] = term.ratio;
            if (mask[c] == 0) return;
            const auto penalty = klPenalty(kl[c], beta, eta, klTarget);
            const auto error = valueLoss(value[c], oldValue[c], target[c], valueClip);
            surrogate[c] = term.value;
            policyLoss += term.value / n;
            klLoss += penalty.value / n;
            lossOfValue += error.value / n;
            sums.add(term, kl[c], entropy[c]);
            byLogProbability[c] = term.gradient / n;
            byValue[c] = valueWeight * error.gradient / n;
            now.addGradient(&action[at], old, {term.gradient / n, -entropyWeight / n, penalty.gradient / n},
                            adjoints...);
        };
        if (gaussian)
            evaluate(Gaussian<double>{&first[at], &second[at], unitCount, epsilon},
                     Gaussian<double>{&oldFirst[at], &oldSecond[at], unitCount, epsilon}, &byFirst[at], &bySecond[at]);
        else
            evaluate(Categorical<double>{&first[at], unitCount}, Categorical<double>{&oldFirst[at], unitCount},
                     &byFirst[at]);
    }
    const Diagnostics means = sums.means();
    Fields out(file.at("outputs"), "outputs."), gradient(file.at("grad"), "grad.");
    out.expect("log_prob", logProbability);
    out.expect("old_log_prob", oldLogProbability);
    out.expect("ratio", ratio);
    out.expect("surrogate", surrogate);
    out.expect("entropy", entropy);
    out.expect("kl", kl);
    out.expect("grad_log_prob", byLogProbability);
    out.expect("policy_loss", policyLoss);
    out.expect("kl_loss", klLoss);
    out.expect("mean_entropy", means.entropy);
    out.expect("mean_kl", means.kl);
    out.expect("approx_kl", means.approximateKl);
    if (clipping) out.expect("clip_fraction", means.outOfRange);
    out.expect("value_loss", lossOfValue);
    out.expect("total_loss", policyLoss + klLoss - entropyWeight * means.entropy + valueWeight * lossOfValue);
    gradient.expect(gaussian ? "mean" : "logits", byFirst);
    if (gaussian) gradient.expect("log_variance", bySecond);
    gradient.expect("value", byValue);
}

TEST(PpoLoss, AgreesWithTheGoldenLosses) { forEachGolden("ppo_loss", checkLoss); }

constexpr double gradientTolerance = 1e-8;

double centralDifference(const std::function<double()>& f, double& x) {
    constexpr double step = 1e-5;
    const double origin = x;
    x = origin + step;
    const double above = f();
    x = origin - step;
    const double below = f();
    x = origin;
    return (above - below) / (2 * step);
}

Array draws(std::mt19937& random, int count) {
    Array x;
    for (int i = 0; i < count; ++i) x.push_back(4.0 * static_cast<double>(random()) / 4294967296.0 - 2.0);
    return x;
}

/// Each part of the gradient alone, and all together, against central differences by every parameter in `parameters`.
template <class Head>
void checkGradient(const Head& now, const Head& old, const Array& action, std::vector<Array*> parameters) {
    for (const auto& g : {HeadGradient<double>{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0.7, -0.2, 1.3}}) {
        std::vector<Array> adjoints(parameters.size(), Array(action.size(), 5.0)); // gradients are added to these
        if constexpr (requires { now.logVariance; })
            now.addGradient(action.data(), old, g, adjoints[0].data(), adjoints[1].data());
        else
            now.addGradient(action.data(), old, g, adjoints[0].data());
        const auto loss = [&] {
            return g.logProbability * now.logProbability(action.data()) + g.entropy * now.entropy() +
                   g.kl * now.klFrom(old);
        };
        for (std::size_t p = 0; p < parameters.size(); ++p)
            for (std::size_t i = 0; i < action.size(); ++i) {
                const double numeric = centralDifference(loss, (*parameters[p])[i]);
                EXPECT_NEAR(adjoints[p][i] - 5, numeric, gradientTolerance * (1 + std::abs(numeric)));
            }
    }
}

TEST(PpoGaussian, GradientsMatchCentralDifferences) {
    std::mt19937 random(3);
    for (double epsilon : {0.0, 1e-6, 0.3})
        for (int units = 1; units < 6; ++units) {
            Array mean = draws(random, units), logVariance = draws(random, units);
            const Array oldMean = draws(random, units), oldLogVariance = draws(random, units);
            checkGradient(Gaussian<double>{mean.data(), logVariance.data(), units, epsilon},
                          Gaussian<double>{oldMean.data(), oldLogVariance.data(), units, epsilon}, draws(random, units),
                          {&mean, &logVariance});
        }
}

TEST(PpoCategorical, GradientsMatchCentralDifferences) {
    std::mt19937 random(4);
    for (int units = 1; units < 6; ++units) {
        Array logits = draws(random, units), action(logits.size());
        const Array oldLogits = draws(random, units);
        action[random() % action.size()] = 1;
        checkGradient(Categorical<double>{logits.data(), units}, Categorical<double>{oldLogits.data(), units}, action,
                      {&logits});
    }
}

TEST(PpoBernoulli, GradientsMatchCentralDifferences) {
    std::mt19937 random(5);
    for (int units = 1; units < 6; ++units) {
        Array logits = draws(random, units), action(logits.size());
        const Array oldLogits = draws(random, units);
        for (auto& a : action) a = static_cast<double>(random() % 2);
        checkGradient(Bernoulli<double>{logits.data(), units}, Bernoulli<double>{oldLogits.data(), units}, action,
                      {&logits});
    }
}

TEST(PpoCategorical, ActionsThatAreNotAllowedCountNowhere) {
    const double logits[] = {0.3, -infinity, -1.2}, oldLogits[] = {-0.1, -infinity, 0.4}, action[] = {0, 0, 1};
    const double few[] = {0.3, -1.2}, oldFew[] = {-0.1, 0.4}, fewAction[] = {0, 1};
    const Categorical<double> now{logits, 3}, old{oldLogits, 3}, nowFew{few, 2}, oldOfFew{oldFew, 2};
    EXPECT_NEAR(now.logProbability(action), nowFew.logProbability(fewAction), 1e-14);
    EXPECT_NEAR(now.entropy(), nowFew.entropy(), 1e-14);
    EXPECT_NEAR(now.klFrom(old), nowFew.klFrom(oldOfFew), 1e-14);
    double adjoint[3] = {}, fewAdjoint[2] = {};
    now.addGradient(action, old, {1, 2, 3}, adjoint);
    nowFew.addGradient(fewAction, oldOfFew, {1, 2, 3}, fewAdjoint);
    EXPECT_NEAR(adjoint[0], fewAdjoint[0], 1e-14);
    EXPECT_EQ(adjoint[1], 0);
    EXPECT_NEAR(adjoint[2], fewAdjoint[1], 1e-14);
}

TEST(PpoBernoulli, IsTheTwoClassCaseOfCategorical) {
    const double logit[] = {0.8}, oldLogit[] = {-0.4}, two[] = {0.8, 0}, oldTwo[] = {-0.4, 0};
    const Bernoulli<double> now{logit, 1}, old{oldLogit, 1};
    const Categorical<double> nowTwo{two, 2}, oldOfTwo{oldTwo, 2};
    const double yes[] = {1}, no[] = {0}, first[] = {1, 0}, second[] = {0, 1};
    EXPECT_NEAR(now.logProbability(yes), nowTwo.logProbability(first), 1e-14);
    EXPECT_NEAR(now.logProbability(no), nowTwo.logProbability(second), 1e-14);
    EXPECT_NEAR(now.entropy(), nowTwo.entropy(), 1e-14);
    EXPECT_NEAR(now.klFrom(old), nowTwo.klFrom(oldOfTwo), 1e-14);
}

TEST(PpoBernoulli, UnitsWithFixedActionsCountNowhere) {
    const double logits[] = {infinity, -infinity}, action[] = {1, 0};
    const Bernoulli<double> head{logits, 2};
    double adjoint[2] = {};
    head.addGradient(action, head, {1, 1, 1}, adjoint);
    EXPECT_EQ(head.logProbability(action), 0);
    EXPECT_EQ(head.entropy(), 0);
    EXPECT_EQ(head.klFrom(head), 0);
    EXPECT_EQ(adjoint[0], 0);
    EXPECT_EQ(adjoint[1], 0);
}

TEST(PpoHeads, ADistributionDoesNotDivergeFromItself) {
    const double x[] = {0.3, -1.5, 900}, y[] = {-2, 0.1, 1};
    const Gaussian<double> gaussian{x, y, 3, 1e-6};
    const Categorical<double> categorical{x, 3};
    const Bernoulli<double> bernoulli{x, 3};
    EXPECT_EQ(gaussian.klFrom(gaussian), 0);
    EXPECT_EQ(categorical.klFrom(categorical), 0);
    EXPECT_EQ(bernoulli.klFrom(bernoulli), 0);
}

TEST(PpoHeads, SmallDivergencesSurviveInFloat) {
    const float mean[] = {1}, logVariance[] = {-1}, oldLogVariance[] = {-1.001F};
    const double d = static_cast<double>(oldLogVariance[0]) - static_cast<double>(logVariance[0]);
    const Gaussian<float> now{mean, logVariance, 1}, old{mean, oldLogVariance, 1};
    EXPECT_NEAR(static_cast<double>(now.klFrom(old)) / (0.5 * (std::expm1(d) - d)), 1, 1e-3);
}

TEST(PpoSurrogate, GradientsMatchCentralDifferences) {
    for (double advantage : {-1.3, 0.0, 0.8})
        for (double moved : {-0.7, -0.1, 0.1, 0.7}) {
            double now = -1 + moved;
            const auto clipped = [&] { return clippedSurrogate(now, -1.0, advantage, 0.2); };
            const auto plain = [&] { return unclippedSurrogate(now, -1.0, advantage); };
            EXPECT_NEAR(clipped().gradient, centralDifference([&] { return clipped().value; }, now), gradientTolerance);
            EXPECT_NEAR(plain().gradient, centralDifference([&] { return plain().value; }, now), gradientTolerance);
            EXPECT_NEAR(plain().approximateKl, std::exp(moved) - 1 - moved, 1e-14);
        }
}

TEST(PpoSurrogate, ClippingStopsOnlyTheMoveThatWentTooFar) {
    const double high = std::log(1.3), low = std::log(0.7), within = std::log(1.1);
    EXPECT_EQ(clippedSurrogate(high, 0.0, 2.0, 0.2).gradient, 0);
    EXPECT_EQ(clippedSurrogate(low, 0.0, -2.0, 0.2).gradient, 0);
    EXPECT_DOUBLE_EQ(clippedSurrogate(high, 0.0, 2.0, 0.2).value, -2.4);
    EXPECT_DOUBLE_EQ(clippedSurrogate(low, 0.0, -2.0, 0.2).value, 1.6);
    EXPECT_DOUBLE_EQ(clippedSurrogate(high, 0.0, -2.0, 0.2).gradient, 2.6);
    EXPECT_DOUBLE_EQ(clippedSurrogate(low, 0.0, 2.0, 0.2).gradient, -1.4);
    EXPECT_DOUBLE_EQ(clippedSurrogate(within, 0.0, 2.0, 0.2).gradient, -2.2);
    EXPECT_TRUE(clippedSurrogate(high, 0.0, -2.0, 0.2).outOfRange);
    EXPECT_FALSE(clippedSurrogate(within, 0.0, 2.0, 0.2).outOfRange);
}

TEST(PpoKlPenalty, GradientMatchesCentralDifferences) {
    for (double kl : {0.0, 0.01, 0.05, 0.4}) {
        const auto term = [&] { return klPenalty(kl, 0.3, 50.0, 0.01); };
        EXPECT_NEAR(term().gradient, centralDifference([&] { return term().value; }, kl), gradientTolerance * 50);
    }
    EXPECT_DOUBLE_EQ(klPenalty(0.02, 0.3, 50.0, 0.01).value, 0.006); // the hinge begins above twice the target
    EXPECT_DOUBLE_EQ(klPenalty(0.12, 0.0, 50.0, 0.01).value, 0.5);
}

TEST(PpoValueLoss, GradientMatchesCentralDifferences) {
    for (double clip : {0.0, 0.2})
        for (double target : {-2.0, 0.1, 2.0})
            for (double start : {-0.9, -0.1, 0.15, 0.9}) {
                double value = start;
                const auto term = [&] { return valueLoss(value, 0.0, target, clip); };
                EXPECT_NEAR(term().gradient, centralDifference([&] { return term().value; }, value), gradientTolerance);
            }
}

TEST(PpoValueLoss, ClippingStopsOnlyTheMoveThatWentTooFar) {
    EXPECT_EQ(valueLoss(0.9, 0.0, 2.0, 0.2).gradient, 0);
    EXPECT_DOUBLE_EQ(valueLoss(0.9, 0.0, 2.0, 0.2).value, 1.8 * 1.8);
    EXPECT_DOUBLE_EQ(valueLoss(0.9, 0.0, -2.0, 0.2).gradient, 5.8);
    EXPECT_DOUBLE_EQ(valueLoss(0.9, 0.0, 2.0).gradient, -2.2);
}

TEST(PpoDiagnostics, SumsOfChunksAddUp) {
    Diagnostics one, two;
    one.add(clippedSurrogate(std::log(1.5F), 0.0F, 1.0F, 0.2F), 0.1F, 2.0F);
    two.add(clippedSurrogate(0.0F, 0.0F, 1.0F, 0.2F), 0.3F, 1.0F);
    one.add(two);
    const Diagnostics means = one.means();
    EXPECT_NEAR(means.kl, 0.2, 1e-7);
    EXPECT_NEAR(means.entropy, 1.5, 1e-7);
    EXPECT_NEAR(means.ratio, 1.25, 1e-7);
    EXPECT_EQ(means.outOfRange, 0.5);
    EXPECT_EQ(means.count, 2);
    EXPECT_EQ(Diagnostics{}.means().kl, 0);
}

TEST(PpoKlController, AgreesWithTheGoldenTransitions) {
    forEachGolden("kl_controller", [](const Json& file) {
        const double target = file.at("config").at("kl_target");
        const auto check = [&](KlController& controller, const Json& step) {
            const double kl = step.at("kl").is_null() ? nan : step.at("kl").get<double>();
            EXPECT_EQ(controller.update(kl, target), step.at("restore").get<bool>()) << step;
            const double beta = step.at("beta_after"), multiplier = step.at("lr_multiplier_after");
            EXPECT_NEAR(controller.beta, beta, 1e-9 * (1 + beta)) << step;
            EXPECT_NEAR(controller.learningRateMultiplier, multiplier, 1e-9 * (1 + multiplier)) << step;
        };
        for (const auto& step : file.at("transitions")) {
            KlController controller;
            controller.beta = step.at("beta");
            controller.learningRateMultiplier = step.at("lr_multiplier");
            check(controller, step);
        }
        const Json& sequence = file.at("sequence");
        KlController controller;
        controller.beta = sequence.at("beta");
        controller.learningRateMultiplier = sequence.at("lr_multiplier");
        for (const auto& step : sequence.at("steps")) check(controller, step);
    });
}

TEST(PpoKlController, StaysWithinItsBounds) {
    KlController controller;
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(controller.update(1, 0.003));
    EXPECT_EQ(controller.beta, 35);
    EXPECT_EQ(controller.learningRateMultiplier, 0.01);
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(controller.update(0, 0.003));
    EXPECT_EQ(controller.beta, 1.0 / 35);
    EXPECT_EQ(controller.learningRateMultiplier, 100);
}

} // namespace
} // namespace raphe::ppo
