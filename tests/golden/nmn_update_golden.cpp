// SPDX-License-Identifier: Apache-2.0
#include "nmn_update_golden.h"

#include "engine/learning/session.h"
#include "engine/mechanisms/registry.h"
#include "nmn_network.h"
#include "rules/ppo/ppo.h"
#include "support/golden_json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

namespace raphe::test {
namespace {

/// Of the specification, for what follows from updates and for what does not.
constexpr double updateTolerance = 1e-7, tolerance = 1e-9;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// -- what a file prescribes -------------------------------------------------------------------------------------------

/// A (steps, trials, ...) tensor.
class History {
public:
    History() = default;
    explicit History(Tensor tensor) : tensor_(std::move(tensor)) {}
    explicit History(const Json& json) : History(readTensor(json)) {}

    std::int64_t steps() const { return tensor_.shape[0]; }
    std::int64_t trials() const { return tensor_.shape[1]; }
    std::int64_t units() const {
        return static_cast<std::int64_t>(tensor_.values.size()) / std::max<std::int64_t>(1, steps() * trials());
    }
    const double* of(std::int64_t step, std::int64_t trial) const {
        return &tensor_.values.at(at((step * trials() + trial) * units()));
    }
    const std::vector<double>& values() const { return tensor_.values; }

private:
    Tensor tensor_;
};

/// Indices of actions one-hot, as ports carry them.
Tensor oneHot(const Tensor& indices, std::int64_t choices) {
    Tensor result{{indices.shape[0], indices.shape[1], choices},
                  std::vector<double>(indices.values.size() * at(choices)),
                  Precision::float64};
    for (std::size_t i = 0; i < indices.values.size(); ++i)
        result.values[i * at(choices) + static_cast<std::size_t>(indices.values[i])] = 1;
    return result;
}

/// One iteration: what happens to the agent, in which order segments are taken, and what was seen of the updates.
struct Script {
    History observation, context, action, reward;
    History terminated, truncated, finalObservation, finalContext, finalUsed; ///< of streams
    std::vector<std::vector<int>> policyOrder, valueOrder;                    ///< by epoch: numbers of segments

    struct Update {
        Summary summary;
        double norm;
    };
    std::vector<Update> policyUpdates, valueUpdates;

    bool streams() const { return !terminated.values().empty(); }
    End end(std::int64_t step, std::int64_t trial) const {
        if (!streams()) return End::none;
        if (*terminated.of(step, trial) != 0) return End::terminated;
        return *truncated.of(step, trial) != 0 ? End::truncated : End::none;
    }
};
using SharedScript = std::shared_ptr<Script>;

// -- mechanisms that follow it ----------------------------------------------------------------------------------------

struct ScriptedTaskParams {
    int observation = 1, context = 1, action = 1, steps = 0;
};

struct ScriptedTrial {
    std::uint32_t number = 0;
    int begun = 0; ///< step of the script
    int next = 0;  ///< where the next trial of the stream begins, if this one has ended; else 0
};

/// Shows what the script says, gives its rewards, and ends trials where it does.
template <class T>
class ScriptedTask final : public TaskOf<T, ScriptedTrial> {
public:
    static auto declare() {
        using P = ScriptedTaskParams;
        return Declaration<P>{"scripted", "1.0.0", "A task that follows a script"}
            .param("observation", &P::observation, {.help = "Units of the observation", .min = 1})
            .param("context", &P::context, {.help = "Units of the context", .min = 1})
            .param("action", &P::action, {.help = "Units of the action", .min = 1})
            .param("steps", &P::steps, {.help = "Steps of a trial; 0: the script ends it", .min = 0})
            .input("action", "action", {.help = "The script's own", .read = Read::end})
            .output("observation", "observation", {.help = "Of the script"})
            .output("context", "context", {.help = "Of the script"})
            .output("next_action", "action", {.help = "What shall be done in this step"})
            .output("reward", 1, {.help = "Of the script", .read = Read::end});
    }
    ScriptedTask(const ScriptedTaskParams& params, Builder& b, SharedScript script)
        : params_(params), script_(std::move(script)), taken_(b.input("action")), observation_(b.output("observation")),
          context_(b.output("context")), action_(b.output("next_action")), reward_(b.output("reward")) {}

    int steps() const override { return params_.steps; }
    void begin(ScriptedTrial& trial, std::uint32_t number, Stream&) const override {
        trial.number = number % static_cast<std::uint32_t>(script().observation.trials()); // others fill up a chunk
        trial.begun = std::exchange(trial.next, 0);
    }
    void observe(ScriptedTrial& trial, TaskStep<T>& s) const override {
        const int t = trial.begun + s.step();
        // Asked what follows a step after which the trial does not go on, or not yet.
        if (s.step() > 0 && (t == script().observation.steps() || script().end(t - 1, trial.number) != End::none)) {
            EXPECT_EQ(*script().finalUsed.of(t - 1, trial.number), 1) << "step " << t - 1 << ", trial " << trial.number;
            copy(script().finalObservation, t - 1, trial, s.output(observation_));
            copy(script().finalContext, t - 1, trial, s.output(context_));
            return;
        }
        copy(script().observation, t, trial, s.output(observation_));
        copy(script().context, t, trial, s.output(context_));
        copy(script().action, t, trial, s.output(action_));
    }
    void act(ScriptedTrial& trial, TaskStep<T>& s) const override {
        const int t = trial.begun + s.step();
        for (int i = 0; i < params_.action; ++i)
            EXPECT_EQ(s.input(taken_)[i], script().action.of(t, trial.number)[i]) << "step " << t;
        copy(script().reward, t, trial, s.output(reward_));
        const End end = script().end(t, trial.number);
        if (end != End::none) trial.next = t + 1;
        if (end == End::terminated) s.terminate();
        if (end == End::truncated) s.truncate();
    }

private:
    const Script& script() const { return *script_; }
    static void copy(const History& from, int step, const ScriptedTrial& trial, T* to) {
        std::copy_n(from.of(step, trial.number), from.units(), to);
    }

    ScriptedTaskParams params_;
    SharedScript script_;
    Input taken_;
    Output observation_, context_, action_, reward_;
};

struct GivenActionParams {
    int units = 1;
};

/// The action that is asked for, as if it had been drawn.
template <class T>
class GivenAction final : public Model<T> {
public:
    static auto declare() {
        using P = GivenActionParams;
        return Declaration<P>{"given_action", "1.0.0", "Takes the action it is given"}
            .param("units", &P::units, {.help = "Units of the action", .min = 1})
            .input("action", "units", {.help = "What shall be done"})
            .output("action_taken", "units", {.help = "The same", .sampled = true});
    }
    GivenAction(const GivenActionParams&, Builder& b) : given_(b.input("action")), taken_(b.output("action_taken")) {}
    void step(Step<T>& s) const override { s.emit(taken_, s.input(given_)); }

private:
    Input given_;
    Output taken_;
};

/// Rule ppo in its own words, with the script's order of segments.
template <class T>
class ScriptedPpo final : public Ppo<T> {
public:
    static auto declare() { return Ppo<T>::declare(); }
    ScriptedPpo(const PpoParams& params, Builder& b, SharedScript script)
        : Ppo<T>(params, b), script_(std::move(script)) {}

protected:
    void arrange(std::vector<Stretch>& segments, Stream&, bool policy, int epoch) const override {
        const auto& orders = policy ? script_->policyOrder : script_->valueOrder;
        ASSERT_LT(epoch, static_cast<int>(orders.size()));
        const auto& order = orders[at(epoch)];
        ASSERT_EQ(order.size(), segments.size());
        auto numbered = segments; // segment by segment, in each those of all trials, of the oldest batch first
        std::sort(numbered.begin(), numbered.end(), [](const Stretch& a, const Stretch& b) {
            return std::tie(a.first, a.batch, a.trial) < std::tie(b.first, b.batch, b.trial);
        });
        for (std::size_t i = 0; i < order.size(); ++i) segments[i] = numbered.at(at(order[i]));
    }
    void observed(const Summary& summary, double norm, bool policy) const override {
        (policy ? script_->policyUpdates : script_->valueUpdates).push_back({summary, norm});
    }

private:
    SharedScript script_;
};

/// The entry of a mechanism that also takes the script.
template <template <class> class C>
MechanismEntry scripted(const SharedScript& script, const std::string& name) {
    const auto declaration = C<double>::declare();
    MechanismEntry entry;
    entry.declaration = declaration.data(C<double>::kind);
    entry.declaration.name = name;
    entry.makeFloat = [=](const ParamValues& values, Builder& b) -> std::unique_ptr<Mechanism<float>> {
        return std::make_unique<C<float>>(declaration.fill(values), b, script);
    };
    entry.makeDouble = [=](const ParamValues& values, Builder& b) -> std::unique_ptr<Mechanism<double>> {
        return std::make_unique<C<double>>(declaration.fill(values), b, script);
    };
    return entry;
}

// -- the comparison ---------------------------------------------------------------------------------------------------

void expectClose(const std::vector<double>& ours, const std::vector<double>& theirs, const std::string& what,
                 double bound) {
    ASSERT_EQ(ours.size(), theirs.size()) << what;
    for (std::size_t i = 0; i < ours.size(); ++i)
        ASSERT_NEAR(ours[i], theirs[i], bound * (1 + std::abs(theirs[i]))) << what << ", entry " << i;
}

double number(const NamedNumbers& metrics, const std::string& name) {
    for (const auto& [key, value] : metrics)
        if (key == name) return value;
    throw Error(name, "is not among the metrics");
}

/// How the engine is asked to work, which must make no difference.
struct Variant {
    double memory;    ///< MiB: in one span, or in checkpointed segments
    int chunk;        ///< trials of a sweep
    bool interrupted; ///< go on from a checkpoint after every iteration
};

class UpdateCheck {
public:
    UpdateCheck(const Json& file, const Registry& registry, const Variant& variant)
        : file_(file), config_(file.at("config")), registry_(registry), variant_(variant),
          script_(std::make_shared<Script>()), document_(emptyDocument()),
          joint_(config_.value("joint_optimiser", false)), categorical_(config_.value("head", "") == "categorical") {
        registry_.add(scripted<ScriptedTask>(script_, "scripted"), "tests");
        registry_.add(scripted<ScriptedPpo>(script_, "scripted_ppo"), "tests");
        registry_.add(entryOf<GivenAction>(), "tests");
        buildTask();
        actor_ = std::make_unique<NmnNetwork>(config_.at("actor"), document_, "actor_", false);
        critic_ = std::make_unique<NmnNetwork>(config_.at("critic"), document_, "critic_", false);
        buildRule();
    }

    void run() {
        *script_ = scriptOf(joint_ ? file_ : file_.at("iterations").at(0)); // a session begins a trial when it is made
        session_ = session();
        actor_->assign(*session_, file_.at("actor_params"));
        critic_->assign(*session_, file_.at("critic_params"));
        if (joint_) return checkIteration(file_);
        for (const auto& iteration : file_.at("iterations")) {
            SCOPED_TRACE("iteration " + std::to_string(session_->iteration()));
            checkIteration(iteration);
            if (!variant_.interrupted) continue;
            const auto snapshot = session_->snapshot();
            session_ = session();
            session_->restore(snapshot);
        }
    }

private:
    std::unique_ptr<Session> session() const {
        return Session::create(experimentFromJson(document_, registry_), registry_, {2, "tbb", 0});
    }

    void buildTask() {
        const auto& heads = config_.at("actor").at("heads");
        choices_ = heads.at(categorical_ ? "logits" : "mean");
        document_["trials"] = config_.at("episodes");
        document_["chunk"] = variant_.chunk;
        document_["memory_mib"] = variant_.memory;
        if (joint_) {
            document_["streams"] = true;
            document_["steps"] = config_.at("T");
        }
        addNode(document_, "task", "task.scripted",
                {{"observation", config_["actor"].at("x_dim")},
                 {"context", config_["actor"].at("c_dim")},
                 {"action", choices_},
                 {"steps", joint_ ? Json(0) : config_.at("T")}});
        addNode(document_, "given", "model.given_action", {{"units", choices_}});
        addWire(document_, "task.next_action", "given.action");
        addWire(document_, "given.action_taken", "task.action");
    }

    void buildRule() {
        Json params = {{"head", categorical_ ? "categorical" : "gaussian"},
                       {"surrogate", config_.at("surrogate")},
                       {"variance_epsilon", config_.at("variance_epsilon")},
                       {"discount", config_.at("gamma")},
                       {"lambda", config_.at("lambda")},
                       {"reward_scale", config_.at("reward_scale")},
                       {"advantage_epsilon", config_.at("normalise_epsilon")},
                       {"segment", config_.at("segment")},
                       {"segment_state", config_.at("burn_in") > 0 ? "burn_in" : "stored"},
                       {"burn_in", config_.at("burn_in")},
                       {"epsilon", config_.at("adam_epsilon")}};
        if (joint_)
            params.update({{"optimisation", "joint"},
                           {"time_limit", "bootstrap"},
                           {"value_target", "lambda_return"},
                           {"clip", config_.at("clip")},
                           {"entropy_coefficient", config_.at("entropy_coef")},
                           {"value_coefficient", config_.at("value_coef")},
                           {"clip_norm", config_.at("max_grad_norm")},
                           {"policy_learning_rate", config_.at("lr")},
                           {"policy_epochs", config_.at("epochs")},
                           {"policy_minibatch", config_.at("minibatch")}});
        else
            params.update({{"optimisation", "separate"},
                           {"time_limit", "terminal"},
                           {"value_target", "monte_carlo"},
                           {"kl_weight", config_.at("beta")},
                           {"hinge_weight", config_.at("eta")},
                           {"kl_target", config_.at("kl_target")},
                           {"kl_controller", true},
                           {"train_steps", config_.at("train_steps")},
                           {"policy_minibatch", 0},
                           {"policy_epochs", config_.at("policy_epochs")},
                           {"policy_learning_rate", config_.at("policy_lr")},
                           {"value_replay", config_.at("value_replay")},
                           {"value_minibatch", config_.at("value_minibatch")},
                           {"value_epochs", config_.at("value_epochs")},
                           {"value_learning_rate", config_.at("value_lr")}});
        addNode(document_, "learner", "rule.scripted_ppo", params);
        const auto headPorts =
            categorical_ ? std::vector<std::string>{"logits"} : std::vector<std::string>{"mean", "log_variance"};
        for (const auto& port : headPorts) addWire(document_, actor_->outputs().at(port).front(), "learner." + port);
        addWire(document_, "given.action_taken", "learner.action");
        addWire(document_, critic_->outputs().at("value").front(), "learner.value");
        addWire(document_, "task.reward", "learner.reward");
    }

    Script scriptOf(const Json& iteration) const {
        const auto& inputs = iteration.at("inputs");
        Script result;
        result.observation = History(inputs.at("x"));
        result.context = History(inputs.at("c"));
        const auto action = readTensor(inputs.at("action"));
        result.action = History(categorical_ ? oneHot(action, choices_) : action);
        result.reward = History(inputs.at("reward"));
        if (!joint_) {
            result.valueOrder = iteration.at("value_permutations").get<std::vector<std::vector<int>>>();
            return result;
        }
        result.terminated = History(inputs.at("terminated"));
        result.truncated = History(inputs.at("truncated"));
        result.finalObservation = History(inputs.at("final_x"));
        result.finalContext = History(inputs.at("final_c"));
        result.finalUsed = History(inputs.at("final_used"));
        std::vector<int> taken;
        for (const auto& minibatch : iteration.at("minibatches"))
            for (int segment : minibatch.at("segments").get<std::vector<int>>()) taken.push_back(segment);
        const auto epochs = config_.at("epochs").get<std::size_t>(), segments = taken.size() / epochs;
        for (std::size_t e = 0; e < epochs; ++e) {
            const auto first = taken.begin() + static_cast<std::ptrdiff_t>(e * segments);
            result.policyOrder.emplace_back(first, first + static_cast<std::ptrdiff_t>(segments));
        }
        return result;
    }

    void checkIteration(const Json& iteration) {
        *script_ = scriptOf(iteration);
        const auto report = session_->iterate();
        checkBatch(iteration);
        if (joint_)
            checkMinibatches(iteration);
        else
            checkSeparateUpdates(iteration, report.metrics);
        checkWeights(*actor_, iteration.at("actor_params_after"));
        checkWeights(*critic_, iteration.at("critic_params_after"));
    }

    /// What the rule made of the trials before it changed anything: steps that it trains on.
    void checkBatch(const Json& iteration) const {
        const auto snapshot = session_->snapshot();
        const auto stored = [&](const std::string& name) {
            const std::vector<double>* newest = nullptr;
            for (const auto& item : snapshot.tensors) // of several batches the newest is the last
                if (item.name.starts_with("rule.trials.") && item.name.ends_with("." + name))
                    newest = &item.tensor.values;
            if (!newest) throw Error(name, "is not among the stored trials");
            return *newest;
        };
        auto value = readTensor(iteration.at("value")).values;
        value.resize(std::min(value.size(), stored("signal.value").size()));
        const double bound = session_->iteration() > 1 ? updateTolerance : tolerance;
        expectClose(stored("signal.value"), value, "value", bound);
        expectClose(stored("field.advantage"), readTensor(iteration.at("advantage_normalised")).values, "advantage",
                    bound);
        expectClose(stored("field.return"), readTensor(iteration.at("return")).values, "return", bound);
        if (!joint_) return;
        auto advantage = stored("field.return"); // A + V
        for (std::size_t i = 0; i < advantage.size(); ++i) advantage[i] -= value[i];
        expectClose(advantage, readTensor(iteration.at("advantage")).values, "advantage before it is normalised",
                    bound);
        expectClose(logProbabilities(stored), readTensor(iteration.at("old_log_prob")).values, "log probability",
                    bound);
    }

    /// Of the stored actions, with what the policy said when they were taken. @param stored  signals by name
    template <class Stored>
    std::vector<double> logProbabilities(const Stored& stored) const {
        const auto actions = stored("signal.action");
        const auto first = stored(categorical_ ? "signal.logits" : "signal.mean");
        const auto second = categorical_ ? first : stored("signal.log_variance");
        std::vector<double> result;
        for (std::size_t i = 0; i < actions.size(); i += at(choices_)) {
            const double *action = actions.data() + i, *p = first.data() + i, *q = second.data() + i;
            result.push_back(categorical_ ? ppo::Categorical<double>{p, choices_}.logProbability(action)
                                          : ppo::Gaussian<double>{p, q, choices_}.logProbability(action));
        }
        return result;
    }

    void checkMinibatches(const Json& iteration) const {
        const auto& updates = script_->policyUpdates;
        const auto& expected = iteration.at("minibatches");
        ASSERT_EQ(updates.size(), expected.size());
        for (std::size_t i = 0; i < updates.size(); ++i) {
            const auto what = "minibatch " + std::to_string(i) + ": ";
            const auto& summary = updates[i].summary;
            for (const char* name : {"policy_loss", "value_loss", "entropy"})
                expectClose({summary.metric(name)}, {expected[i].at(name).get<double>()}, what + name, updateTolerance);
            expectClose({summary.loss}, {expected[i].at("loss").get<double>()}, what + "loss", updateTolerance);
            expectClose({updates[i].norm}, {expected[i].at("grad_norm").get<double>()}, what + "norm of the gradient",
                        updateTolerance);
        }
    }

    void checkSeparateUpdates(const Json& iteration, const NamedNumbers& metrics) const {
        expectClose(losses(script_->policyUpdates), iteration.at("policy_loss_per_epoch").get<std::vector<double>>(),
                    "losses of the policy", updateTolerance);
        expectClose(losses(script_->valueUpdates), iteration.at("value_loss_per_minibatch").get<std::vector<double>>(),
                    "losses of the value", updateTolerance);
        for (const auto& [ours, theirs] :
             {std::pair{"kl", "kl"}, {"kl_weight", "beta_after"}, {"learning_rate_multiplier", "lr_multiplier_after"}})
            expectClose({number(metrics, ours)}, {iteration.at(theirs).get<double>()}, theirs, updateTolerance);
        EXPECT_EQ(number(metrics, "restored") != 0, iteration.at("restored").get<bool>());
    }

    static std::vector<double> losses(const std::vector<Script::Update>& updates) {
        std::vector<double> result;
        for (const auto& update : updates) result.push_back(update.summary.loss);
        return result;
    }

    void checkWeights(const NmnNetwork& network, const Json& params) const {
        std::size_t compared = 0;
        for (const auto& [ours, theirs] : network.tensors()) {
            expectClose(session_->get(ours).values, rowsBelow(tensorsOf(params, theirs)).values, ours + " afterwards",
                        updateTolerance);
            compared += theirs.size();
        }
        EXPECT_EQ(compared, params.size()) << "some parameters have no counterpart";
    }

    const Json& file_;
    const Json& config_;
    Registry registry_;
    Variant variant_;
    SharedScript script_;
    Json document_;
    bool joint_, categorical_;
    int choices_ = 0; ///< units of the action
    std::unique_ptr<NmnNetwork> actor_, critic_;
    std::unique_ptr<Session> session_;
};

} // namespace

void checkNmnUpdate(const Json& file, const Registry& registry) {
    const int trials = file.at("config").at("episodes");
    for (const auto& variant : {Variant{1000, trials, false}, Variant{1e-5, 1, false}, Variant{1000, 2, true}}) {
        SCOPED_TRACE(
            fmt::format("memory {}, chunk {}, interrupted {}", variant.memory, variant.chunk, variant.interrupted));
        UpdateCheck(file, registry, variant).run();
    }
}

} // namespace raphe::test
