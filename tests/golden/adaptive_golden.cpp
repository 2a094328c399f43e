// SPDX-License-Identifier: Apache-2.0
#include "adaptive_golden.h"

#include "engine/learning/session.h"
#include "engine/mechanisms/registry.h"
#include "support/golden_json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

namespace raphe::test {
namespace {

using Numbers = std::vector<double>;

/// Nested lists of numbers, the last index fastest.
Numbers flat(const Json& json) {
    if (!json.is_array()) return {json.is_boolean() ? double(json.get<bool>()) : json.get<double>()};
    Numbers result;
    for (const auto& item : json) {
        const auto part = flat(item);
        result.insert(result.end(), part.begin(), part.end());
    }
    return result;
}

/// (rows, columns) with the last index fastest to its transpose.
Numbers transposed(const Numbers& values, std::size_t columns) {
    Numbers result;
    for (std::size_t c = 0; c < columns; ++c)
        for (std::size_t i = c; i < values.size(); i += columns) result.push_back(values[i]);
    return result;
}

Numbers oneHot(const Numbers& choices, int count) {
    Numbers result(choices.size() * static_cast<std::size_t>(count));
    for (std::size_t t = 0; t < choices.size(); ++t)
        result[t * static_cast<std::size_t>(count) + static_cast<std::size_t>(choices[t])] = 1;
    return result;
}

/// An experiment of one trial whose signals are given.
class Bench {
public:
    Bench(Experiment experiment, const Registry& registry, int steps)
        : experiment_(std::move(experiment)), registry_(registry), steps_(steps) {
        experiment_.precision = Precision::float64;
        experiment_.trials = experiment_.chunk = 1;
    }

    void set(const std::string& node, const std::string& key, ParamValue value) {
        for (auto& spec : experiment_.nodes)
            if (spec.name == node) {
                spec.params[key] = std::move(value);
                return;
            }
        FAIL() << "no node " << node;
    }
    /// A port that is only given: the output of a layer that never runs.
    void source(const std::string& name, int units, const std::string& from, const std::string& to,
                const std::string& port, const Numbers& values) {
        auto params = registry_.find("model.dense", name).declaration.defaults();
        params["units"] = std::int64_t{units};
        experiment_.nodes.push_back({name, "model.dense", params});
        experiment_.wires.push_back({{"task", from}, {name, "input"}, {}});
        experiment_.wires.push_back({{name, "output"}, {to, port}, {}});
        give(name + ".output", units, values);
    }
    void give(const std::string& port, int units, Numbers values) {
        request_.inputs.push_back({port, {{steps_, 1, units}, std::move(values), Precision::float64}});
    }
    void start(const std::string& state, std::vector<std::int64_t> shape, Numbers values) {
        shape.insert(shape.begin(), 1);
        request_.initialStates.push_back({state, {std::move(shape), std::move(values), Precision::float64}});
    }

    void run(const std::vector<std::string>& record) {
        request_.record = record;
        session_ = Session::create(experiment_, registry_, {1, "tbb", 0});
        result_ = session_->forward(request_);
    }
    /// A signal of so many units from step `from` on.
    Numbers signal(const std::string& port, int from = 0) const {
        for (const auto& item : result_.signals)
            if (item.name == port) {
                const auto units = item.tensor.shape[2];
                return {item.tensor.values.begin() + from * units, item.tensor.values.end()};
            }
        throw Error(port, "is not recorded");
    }
    Numbers state(const std::string& name) const {
        for (const auto& item : result_.finalStates)
            if (item.name == name) return item.tensor.values;
        throw Error(name, "is no state");
    }

private:
    Experiment experiment_;
    const Registry& registry_;
    int steps_;
    ForwardRequest request_;
    std::unique_ptr<Session> session_;
    ForwardResult result_;
};

void expectClose(Numbers ours, const Numbers& theirs, const std::string& what, double bound) {
    EXPECT_LE(relativeError(ours, theirs), bound) << what;
}

/// What a state that is seen at the start of a step was after the step before: all but the last step.
Numbers butLast(const Numbers& values, std::size_t units = 1) {
    return {values.begin(), values.end() - static_cast<std::ptrdiff_t>(units)};
}

} // namespace

void checkGoNoGo(const Json& file, const Registry& registry) {
    const double bound = file.at("tolerance");
    int number = 0;
    for (const auto& item : file.at("cases")) {
        const auto name = fmt::format("case {}: ", number++);
        const auto& p = item.at("params");
        const int steps = item.at("T"), n = item.at("n_per_stimulus");
        const auto number_ = [&](const char* key) { return p.at(key).get<double>(); };
        const auto visual = flat(item.at("visual")), auditory = flat(item.at("auditory"));
        auto observation = flat(item.at("noise"));
        for (int t = 0; t < steps; ++t)
            for (int i = 0; i < 4 * n; ++i) {
                const int stimulus = i / n;
                const auto step = static_cast<std::size_t>(t);
                const bool shown = stimulus < 2 ? visual[step] == stimulus : auditory[step] == stimulus - 2;
                double& x = observation[step * static_cast<std::size_t>(4 * n) + static_cast<std::size_t>(i)];
                x = (x + (shown ? 1 : 0)) / std::sqrt(2.0 * n);
            }
        Bench bench(loadExperiment("gonogo_da_na", registry), registry, steps);
        bench.set("task", "schedule", fmt::format("{} A", steps));
        bench.set("task", "per_stimulus", std::int64_t{n});
        bench.set("actor", "learning_rate", number_("alpha_actor"));
        bench.set("critic", "learning_rate", number_("alpha_critic"));
        for (const auto& [node, units] : {std::pair{"actor", 2}, std::pair{"critic", 1}}) {
            bench.set(node, "inputs", std::int64_t{4 * n});
            bench.set(node, "expose_weights", true);
            (void)units;
        }
        bench.set("locus_coeruleus", "rate_fast", number_("rate_fast"));
        bench.set("locus_coeruleus", "rate_slow", number_("rate_slow"));
        bench.set("locus_coeruleus", "slow_start", number_("slow0"));
        bench.set("locus_coeruleus", "theta", number_("theta"));
        bench.set("locus_coeruleus", "refractory", std::int64_t(number_("refractory")));
        bench.set("locus_coeruleus", "warmup", std::int64_t(number_("warmup")));
        bench.set("locus_coeruleus", "burst", number_("na_burst"));
        bench.set("locus_coeruleus", "decay_time", number_("tau_na"));
        const bool acts = p.at("na_enabled");
        bench.set("bank", "effects",
                  fmt::format("temperature linear NA base {} gain {}; learning_rate linear NA base 1 gain {}",
                              1 / number_("beta"), acts ? number_("k_beta") / number_("beta") : 0.0,
                              acts ? number_("k_eta") : 0.0));
        const auto& trace = item.at("trace");
        const auto action = flat(trace.at("action"));
        bench.give("task.observation", 4 * n, observation);
        bench.give("task.reward", 1, flat(trace.at("reward")));
        bench.give("choice.action", 2, oneHot(action, 2));
        bench.run({"choice.probability", "critic.output", "dopamine.error", "bank.temperature", "bank.learning_rate",
                   "locus_coeruleus.noradrenaline", "locus_coeruleus.expected_surprise",
                   "locus_coeruleus.recent_surprise", "locus_coeruleus.burst", "actor.weights", "critic.weights"});

        Numbers go, beta, eta, entropy;
        const auto probability = bench.signal("choice.probability"), temperature = bench.signal("bank.temperature"),
                   rate = bench.signal("bank.learning_rate"), u = flat(item.at("u"));
        for (std::size_t t = 0; t < static_cast<std::size_t>(steps); ++t) {
            const double stop = probability[2 * t], act = probability[2 * t + 1];
            go.push_back(act);
            beta.push_back(1 / temperature[t]);
            eta.push_back(rate[t] * number_("alpha_actor"));
            entropy.push_back(-act * std::log2(act + 1e-12) - stop * std::log2(stop + 1e-12));
            EXPECT_EQ(u[t] < act, action[t] == 1) << name << "choice " << t;
        }
        expectClose(go, flat(trace.at("policy_go")), name + "policy", bound);
        expectClose(entropy, flat(trace.at("entropy")), name + "entropy", bound);
        expectClose(beta, flat(trace.at("beta_eff")), name + "beta", bound);
        expectClose(eta, flat(trace.at("eta_eff")), name + "eta", bound);
        expectClose(bench.signal("critic.output"), flat(trace.at("value")), name + "value", bound);
        expectClose(bench.signal("dopamine.error"), flat(trace.at("delta")), name + "delta", bound);
        expectClose(bench.signal("locus_coeruleus.burst"), flat(trace.at("burst")), name + "burst", 0);
        if (acts)
            expectClose(bench.signal("locus_coeruleus.noradrenaline"), flat(trace.at("na_used")), name + "NA", bound);
        expectClose(bench.signal("locus_coeruleus.noradrenaline", 1), butLast(flat(trace.at("na_after"))),
                    name + "NA after", bound);
        expectClose(bench.signal("locus_coeruleus.recent_surprise", 1), butLast(flat(trace.at("surprise_fast"))),
                    name + "S_fast", bound);
        expectClose(bench.signal("locus_coeruleus.expected_surprise", 1), butLast(flat(trace.at("surprise_slow"))),
                    name + "S_slow", bound);
        for (const auto& snapshot : item.at("snapshots")) {
            const int after = snapshot.at("after_trial");
            const auto of = [&](const char* port, std::size_t units) {
                const auto all = bench.signal(port, after);
                return Numbers(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(units));
            };
            const auto D = static_cast<std::size_t>(4 * n);
            expectClose(of("actor.weights", 2 * D), flat(snapshot.at("W_actor")), name + "W_actor", bound);
            expectClose(of("critic.weights", D), flat(snapshot.at("W_critic")), name + "W_critic", bound);
        }
    }
}

namespace {

/// The shipped experiment of a kind of agent.
std::string experimentOf(const std::string& type) {
    if (type == "eps_greedy") return "bandit_epsilon_greedy";
    if (type == "garivier_ducb") return "bandit_garivier_ucb";
    if (type == "thompson_gaussian") return "bandit_thompson";
    return "bandit_" + type;
}

} // namespace

void checkBandit(const Json& file, const Registry& registry) {
    const double bound = file.at("tolerance");
    const int steps = file.at("T"), k = file.at("n_arms"), K = file.at("n_members");
    const auto arms = static_cast<std::size_t>(k);
    const auto& table = file.at("table");
    for (const auto& agent : file.at("agents")) {
        const auto type = agent.at("type").get<std::string>();
        const auto& p = agent.at("params");
        const auto& init = agent.at("init");
        const auto& trace = agent.at("trace");
        const auto number = [&](const char* key) { return p.at(key).get<double>(); };
        const auto what = [&](const char* thing) { return type + ": " + thing; };
        Bench bench(loadExperiment(experimentOf(type), registry), registry, steps);
        bench.set("task", "arms", std::int64_t{k});
        bench.set("task", "contexts", std::int64_t{1});
        bench.set("task", "context_length", std::int64_t{steps});
        bench.set("values", "arms", std::int64_t{k});
        bench.set("policy", "arms", std::int64_t{k});
        const bool ensemble = type.starts_with("ri_") || type.starts_with("eq4_"), quantile = type == "quantile",
                   oracle = type.ends_with("oracle");
        if (oracle) bench.set("oracle", "arms", std::int64_t{k});
        bench.give("task.reward", 1, flat(trace.at("reward")));
        bench.give("task.mean", k, flat(table.at("mean")));
        bench.give("task.deviation", k, flat(table.at("sd")));
        bench.give("policy.action", k, oneHot(flat(trace.at("action")), k));
        const int members = ensemble ? K : 1;
        if (ensemble) {
            bench.set("values", "members", std::int64_t{K});
            bench.source("mask", K, "mean", "values", "mask", flat(table.at("mask")));
        }
        if (type.starts_with("ri_")) {
            bench.set("values", "unexpected_scale", number("m"));
            bench.set("values", "unexpected_rate", number("ri_rate"));
            bench.set("values", "moment", std::string(p.at("direct").get<bool>() ? "direct" : "raw"));
            bench.set("policy", "form",
                      std::string(p.at("double_softmax").get<bool>() ? "double_softmax" : "boltzmann"));
            bench.set("bank", "effects",
                      fmt::format("learning_rate ratio NA ACh; temperature linear NA base {} gain {} low 1e-8",
                                  number("stim"), oracle ? 1.0 : number("scale")));
            ASSERT_EQ(number("alpha_offset"), 0);
        }
        if (type.starts_with("eq4_")) {
            bench.set("values", "reliability_rate", number("var_rate"));
            bench.set("noradrenaline", "effects",
                      fmt::format("temperature linear NA base {} gain {}", number("eps"), number("scale")));
            bench.set("values", "random_rates", false);
            if (p.at("random_rates").get<bool>())
                bench.source("rates", K, "mean", "values", "member_rate", flat(table.at("member_rate")));
        }
        if (p.contains("alpha")) bench.set("values", "learning_rate", number("alpha"));
        if (type == "boltzmann") bench.set("policy", "temperature", number("temperature"));
        if (type == "eps_greedy") bench.set("policy", "epsilon", number("epsilon"));
        if (p.contains("rho")) bench.set("policy", "rho", number("rho"));
        if (p.contains("gamma")) bench.set("policy", "discount", number("gamma"));
        if (p.contains("discount_all_arms"))
            bench.set("policy", "discount_all_arms", p.at("discount_all_arms").get<bool>());
        if (p.contains("xi")) bench.set("policy", "xi", number("xi"));
        if (p.contains("B")) bench.set("policy", "bound", number("B"));
        if (type == "thompson_gaussian") bench.source("noise", k, "mean", "policy", "noise", flat(table.at("normal")));
        if (quantile) {
            const int n = p.at("n_quantiles");
            bench.set("values", "quantiles", std::int64_t{n});
            ASSERT_EQ(number("f_alpha"), 1);
            ASSERT_EQ(number("f_beta"), 1);
            Numbers evenly;
            for (int j = 0; j < n; ++j)
                for (int a = 0; a < k; ++a)
                    evenly.push_back(number("init_low") + (number("init_high") - number("init_low")) * j / (n - 1));
            bench.start("values.quantile", {n, k}, evenly);
            bench.start("values.estimator", {n, k}, transposed(flat(init.at("w")), static_cast<std::size_t>(n)));
            bench.start("values.begun", {1}, {1});
        } else {
            if (init.contains("q"))
                bench.start("values.value", {members, k},
                            transposed(flat(init.at("q")), static_cast<std::size_t>(members)));
            if (init.contains("v"))
                bench.start("values.second_moment", {members, k},
                            transposed(flat(init.at("v")), static_cast<std::size_t>(members)));
            if (init.contains("V")) bench.start("values.reliability", {k}, flat(init.at("V")));
            if (init.contains("D2")) bench.start("values.squared_error", {1}, flat(init.at("D2")));
            bench.start("values.begun", {1}, {1});
        }
        std::vector<std::string> record{"policy.probability", "values.value"};
        if (ensemble) record.insert(record.end(), {"values.unexpected", "values.expected", "values.reliability"});
        if (quantile) record.insert(record.end(), {"values.epistemic", "values.aleatoric"});
        if (type.starts_with("ri_")) record.insert(record.end(), {"bank.learning_rate", "bank.temperature"});
        if (quantile || type.starts_with("eq4_"))
            record.insert(record.end(), {"acetylcholine.learning_rate", "noradrenaline.temperature"});
        bench.run(record);

        expectClose(bench.signal("policy.probability"), flat(trace.at("policy")), what("policy"), bound);
        if (type == "garivier_ducb") {
            const auto sums = bench.state("policy.sums"), counts = bench.state("policy.counts");
            const auto q = flat(trace.at("q"));
            for (std::size_t a = 0; a < arms; ++a)
                EXPECT_NEAR(sums[a] / counts[a], q[q.size() - arms + a], bound) << what("q") << a;
        } else {
            expectClose(bench.signal("values.value", 1), butLast(flat(trace.at("q")), arms), what("q"), bound);
        }
        if (type.starts_with("ri_")) {
            expectClose(bench.signal("bank.learning_rate"), flat(trace.at("alpha")), what("alpha"), bound);
            expectClose(bench.signal("bank.temperature"), flat(trace.at("temperature")), what("temperature"), bound);
            Numbers D2, moment;
            for (double u : bench.signal("values.unexpected", 1)) D2.push_back(u / number("m") * u / number("m"));
            for (double e : bench.signal("values.expected", 1)) moment.push_back(e * e);
            expectClose(D2, butLast(flat(trace.at("D2"))), what("D2"), bound);
            expectClose(moment, butLast(flat(trace.at("v_mean"))), what("v"), bound);
        }
        if (quantile || type.starts_with("eq4_")) {
            const auto rates = bench.signal("acetylcholine.learning_rate"), action = flat(trace.at("action"));
            Numbers used;
            for (std::size_t t = 0; t < action.size(); ++t)
                used.push_back(rates[t * arms + static_cast<std::size_t>(action[t])]);
            expectClose(used, flat(trace.at("alpha")), what("alpha"), bound);
            expectClose(bench.signal("noradrenaline.temperature"), flat(trace.at("temperature")), what("temperature"),
                        bound);
        }
        if (type.starts_with("eq4_"))
            expectClose(bench.signal("values.reliability", 1), butLast(flat(trace.at("V")), arms), what("V"), bound);
        if (quantile) {
            expectClose(bench.signal("values.epistemic", 1), butLast(flat(trace.at("epistemic")), arms),
                        what("epistemic"), bound);
            expectClose(bench.signal("values.aleatoric", 1), butLast(flat(trace.at("std")), arms), what("std"), bound);
        }
        const std::vector<std::pair<const char*, const char*>> finals{{"q", "values.value"},
                                                                      {"v", "values.second_moment"},
                                                                      {"theta", "values.quantile"},
                                                                      {"w", "values.estimator"}};
        for (const auto& [key, state] : finals)
            if (agent.at("final_state").contains(key)) {
                const auto theirs = flat(agent["final_state"][key]);
                expectClose(transposed(bench.state(state), arms), theirs, what(key), bound);
            }
    }
}

namespace {

void checkYuDayan(const Json& file, const Registry& registry, double bound) {
    const auto& p = file.at("params");
    const int steps = static_cast<int>(file.at("valid").size());
    Bench bench(loadExperiment("cue_validity", registry), registry, steps);
    bench.set("task", "validity", std::vector<double>{0.5});
    bench.set("task", "block_length", std::int64_t{steps});
    bench.set("inference", "hazard", p.at("hazard").get<double>());
    bench.set("inference", "confidence", p.at("lambda0").get<double>());
    ASSERT_EQ(p.at("lambda0"), p.at("lambda_reset"));
    bench.set("inference", "refractory", p.at("refractory").get<std::int64_t>());
    bench.set("inference", "valid_trials", p.at("n_valid0").get<double>());
    bench.set("inference", "trials", p.at("n0").get<double>());
    bench.set("inference", "lowest", p.at("gamma_min").get<double>());
    bench.set("inference", "highest", p.at("gamma_max").get<double>());
    bench.set("inference", "chance", p.at("p_chance").get<double>());
    bench.give("task.valid", 1, flat(file.at("valid")));
    const std::vector<std::pair<const char*, const char*>> names{{"ACh", "acetylcholine"},   {"NE", "noradrenaline"},
                                                                 {"threshold", "threshold"}, {"switch", "switch"},
                                                                 {"lambda_", "belief"},      {"gamma", "validity"}};
    std::vector<std::string> record;
    for (const auto& [key, port] : names) record.push_back(std::string("inference.") + port);
    bench.run(record);
    for (const auto& [key, port] : names)
        expectClose(bench.signal(std::string("inference.") + port), flat(file.at("trace").at(key)), key, bound);
}

} // namespace

void checkNeuromodulatorBank(const Json& file, const Registry& registry) {
    const double bound = file.at("tolerance");
    checkYuDayan(file.at("yu_dayan"), registry, bound);
    const auto& bank = file.at("bank");
    const auto sources = flat(bank.at("sources"));
    const int steps = static_cast<int>(bank.at("sources").size());
    const auto channels = bank.at("channels").size();

    const std::map<std::string, std::string> targets{{"alpha", "learning_rate"}, {"beta", "inverse_temperature"},
                                                     {"eta", "plasticity"},      {"gain", "gain"},
                                                     {"gamma", "discount"},      {"temp", "temperature"}};
    std::string channelText, effectText;
    for (const auto& c : bank.at("channels"))
        channelText += fmt::format(
            "{} baseline {} tau_tonic {} w_tonic {} tau_phasic {} w_phasic {} threshold {} phasic_gain {} low {} high "
            "{}; ",
            c.at("name").get<std::string>(), c.at("baseline").get<double>(), c.at("tau_tonic").get<double>(),
            c.at("w_tonic").get<double>(), c.at("tau_phasic").get<double>(), c.at("w_phasic").get<double>(),
            c.at("threshold").get<double>(), c.at("phasic_gain").get<double>(), c.at("lo").get<double>(),
            c.at("hi").get<double>());
    for (const auto& e : bank.at("effects")) {
        effectText += fmt::format("{} {} {}", targets.at(e.at("target")), e.at("form").get<std::string>(),
                                  e.at("a").get<std::string>());
        if (e.contains("b")) effectText += " " + e["b"].get<std::string>();
        const std::vector<std::pair<const char*, const char*>> settings{
            {"base", "base"},   {"gain", "gain"}, {"K", "half"}, {"n", "exponent"},
            {"eps", "epsilon"}, {"lo", "low"},    {"hi", "high"}};
        for (const auto& [theirs, ours] : settings)
            if (e.contains(theirs)) effectText += fmt::format(" {} {}", ours, e[theirs].get<double>());
        effectText += "; ";
    }
    const Json document = {
        {"raphe", 1},
        {"nodes",
         {{"task",
           {{"mechanism", "task.switching_bandit"},
            {"params", {{"arms", channels}, {"contexts", 1}, {"context_length", steps}}}}},
          {"bank",
           {{"mechanism", "model.neuromodulator_bank"},
            {"params", {{"channels", channelText}, {"effects", effectText}}}}},
          {"policy", {{"mechanism", "model.bandit_policy"}, {"params", {{"arms", channels}}}}}}},
        {"wires", {"task.mean -> bank.source", "bank.level -> policy.value", "policy.action -> task.action"}}};
    Bench bench(experimentFromJson(document, registry), registry, steps);
    bench.give("task.mean", static_cast<int>(channels), sources);
    bench.give("policy.action", static_cast<int>(channels),
               oneHot(Numbers(static_cast<std::size_t>(steps)), static_cast<int>(channels)));
    std::vector<std::string> record{"bank.level"};
    for (const auto& [key, port] : targets) record.push_back("bank." + port);
    bench.run(record);
    const auto level = transposed(bench.signal("bank.level"), channels);
    for (std::size_t c = 0; c < channels; ++c) {
        const auto name = bank["channels"][c].at("name").get<std::string>();
        const auto begin = level.begin() + static_cast<std::ptrdiff_t>(c) * steps;
        expectClose({begin, begin + steps}, flat(bank.at("levels").at(name)), name, bound);
    }
    for (const auto& [key, port] : targets)
        expectClose(bench.signal("bank." + port), flat(bank.at("hyperparameters").at(key)), key, bound);
}

} // namespace raphe::test
