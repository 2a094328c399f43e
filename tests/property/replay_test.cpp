// SPDX-License-Identifier: Apache-2.0
// Stored trials: a replay under unchanged weights shows what was seen when they were lived, wherever it starts. What an
// iteration keeps, takes up again and gives up.
#include "course.h"

#include <gtest/gtest.h>

namespace raphe::test {
namespace {

struct NoisyParams {
    int units = 4;
};
/// h' = 0.8 h + W x + 0.3 noise
template <class T>
class Noisy final : public Model<T> {
public:
    static auto declare() {
        return Declaration<NoisyParams>{"noisy", "1.0.0", "Leaky units with noise"}
            .param("units", &NoisyParams::units, {.help = "Number of units", .min = 1})
            .input("input", "any", {.help = "Input"})
            .output("hidden", "units", {.help = "State"});
    }
    Noisy(const NoisyParams& p, Builder& b)
        : units_(p.units), state_(b.state("hidden", p.units)), hidden_(b.output("hidden", state_)),
          drive_(b, "input", b.weight("input_weight", p.units, b.size("input"), Init::fanIn(b.size("input")))) {}
    void begin(Step<T>& s) const override { drive_.begin(s); }
    void step(Step<T>& s) const override {
        const Value<T> noise = s.tape().constant(units_, s.columns(), T(0)),
                       rate = s.tape().constant(units_, s.columns(), T(0.8));
        for (int c = 0; c < s.columns(); ++c) {
            Stream random = s.random(c);
            for (int r = 0; r < units_; ++r) noise.column(c)[r] = static_cast<T>(0.3 * random.normal());
        }
        s.next(state_, s.emit(hidden_, rate * s.state(state_) + drive_.step(s) + noise));
    }

private:
    int units_;
    State state_;
    Output hidden_;
    Projection<T> drive_;
};

struct RehearsalParams {
    int segment = 4, burnIn = 2, batches = 2;
    double rate = 0.05;
    std::string ends = "keeps";
};
/// Replays what it has stored in several ways and says how far the signals are from those that were lived.
template <class T>
class Rehearsal final : public Rule<T> {
public:
    static auto declare() {
        using P = RehearsalParams;
        return Declaration<P>{"rehearsal", "1.0.0", "Compares replays with what was lived"}
            .param("segment", &P::segment, {.help = "Steps between marks", .min = 1})
            .param("burn_in", &P::burnIn, {.help = "Steps before a mark", .min = 0})
            .param("batches", &P::batches, {.help = "Batches that are kept", .min = 1})
            .param("rate", &P::rate, {.help = "Learning rate"})
            .param("ends", &P::ends,
                   {.help = "What becomes of the update", .choices = {"keeps", "restores", "blends", "fails"}})
            .input("watched", "any", {.help = "What is compared"})
            .input("reward", 1, {.help = "Not used"});
    }
    Rehearsal(const RehearsalParams& p, Builder& b) : p_(p), watched_(b.input("watched")), rows_(b.size("watched")) {
        store_ = b.trials("trials", {.batches = p.batches, .segment = p.segment, .burnIn = p.burnIn});
        place_ = b.field("place", store_);
        all_ = b.group("all", {"watched"});
        copy_ = b.copy("other", all_);
        count_ = b.memory("count", {0, 5});
    }
    void score(Objective<T>&) const override {}

    void iterate(Iteration<T>& it) const override {
        it.collect(store_);
        it.number(count_) += 1;
        const int kept = it.batches(store_), steps = it.steps(), trials = it.trials();
        const auto newest = it.newest(store_);
        for (int c = 0; c < steps * trials; ++c) newest.field(place_)[c] = static_cast<T>(c);
        it.metric("batches", kept);
        for (int i = 0; i < kept; ++i) {
            const auto batch = it.batch(store_, i);
            const std::string suffix = i + 1 == kept ? "" : "_of_older";
            const auto lived = batch.signal(watched_);
            const auto distance = [&](const std::vector<T>& table) {
                double largest = 0;
                for (int t = 0; t < steps; ++t)
                    for (int b = 0; b < trials; ++b)
                        for (int r = 0; r < rows_ && batch.counts(t, b); ++r) {
                            const auto at = static_cast<std::size_t>(batch.column(t, b) * rows_ + r);
                            largest = std::max(largest, std::abs(double(table[at] - lived.data[at])));
                        }
                return largest;
            };
            it.metric("whole" + suffix, distance(replay(it, batch, pieces(batch, i, steps, 0, false))));
            it.metric("stored" + suffix, distance(replay(it, batch, pieces(batch, i, p_.segment, 0, false))));
            it.metric("burnt_in" + suffix, distance(replay(it, batch, pieces(batch, i, p_.segment, p_.burnIn, false))));
            if (!it.streams())
                it.metric("fresh" + suffix, distance(replay(it, batch, pieces(batch, i, steps, 0, true))));
        }
        it.save(copy_);
        train(it, newest, kept - 1);
        train(it, newest, kept - 1);
        const auto whole = pieces(newest, kept - 1, steps, 0, false),
                   cut = pieces(newest, kept - 1, p_.segment, 0, false);
        const auto present = replay(it, newest, whole);
        const auto largest = [&](const std::vector<T>& a, const std::vector<T>& b) {
            double result = 0;
            for (std::size_t k = 0; k < a.size(); ++k) result = std::max(result, std::abs(double(a[k] - b[k])));
            return result;
        };
        it.metric("stale", largest(replay(it, newest, cut), present));
        it.refresh(all_, store_);
        it.metric("refreshed", largest(replay(it, newest, cut), present));
        if (p_.ends == "fails") throw Error("rehearsal", "fails on purpose");
        if (p_.ends == "blends") it.blend(copy_, 0.25);
        if (p_.ends != "keeps") {
            it.restore(copy_);
            it.refresh(all_, store_);
        }
    }

private:
    std::vector<Stretch> pieces(const Batch<T>& batch, int which, int length, int burnIn, bool fresh) const {
        std::vector<Stretch> result;
        for (int b = batch.trials - 1; b >= 0; --b) // in an order of its own
            for (int first = 0; first < batch.lengths[b]; first += length)
                result.push_back(
                    {which, b, first, std::min(length, batch.steps - first), std::min(burnIn, first), fresh});
        return result;
    }
    /// @return the watched signal at the batch's columns, 0 where nothing counted
    std::vector<T> replay(Iteration<T>& it, const Batch<T>& batch, const std::vector<Stretch>& stretches) const {
        std::vector<T> table(static_cast<std::size_t>(batch.steps * batch.trials * rows_));
        it.infer(all_, store_, stretches, [&](Objective<T>& o) {
            for (int t = 0; t < o.steps; ++t)
                for (int b = 0; b < o.trials; ++b) {
                    if (!o.counts(t, b)) continue;
                    const int c = o.column(t, b);
                    std::copy_n(o.input(watched_).column(c), rows_,
                                table.data() + static_cast<int>(o.field(place_, c)) * rows_);
                }
            o.addLoss(0, 1);
        });
        return table;
    }
    void train(Iteration<T>& it, const Batch<T>& batch, int which) const {
        const auto stretches = pieces(batch, which, p_.segment, p_.burnIn, false);
        it.differentiate(all_, store_, stretches, [&](Objective<T>& o) {
            double sum = 0, count = 0;
            for (int t = 0; t < o.steps; ++t)
                for (int b = 0; b < o.trials; ++b)
                    for (int r = 0; r < rows_ && o.counts(t, b); ++r) {
                        const int c = o.column(t, b);
                        const T distance = o.input(watched_).column(c)[r] - T(0.5);
                        sum += double(distance * distance);
                        count += 1;
                        o.input(watched_).gradientColumn(c)[r] += 2 * distance;
                    }
            o.addLoss(sum, count);
        });
        OptimiserParams settings;
        settings.optimiser = "adam";
        settings.learningRate = p_.rate;
        it.update(all_, settings);
        it.memory(count_)[1] *= 2;
    }

    RehearsalParams p_;
    Input watched_;
    int rows_;
    TrialStore store_;
    Field place_;
    Group all_;
    Copy copy_;
    Memory count_;
};

struct BrittleParams {
    int step = 3;
};
/// Passes on its input until its weight is changed.
template <class T>
class Brittle final : public Model<T> {
public:
    static auto declare() {
        return Declaration<BrittleParams>{"brittle", "1.0.0", "Breaks when it is trained"}
            .param("step", &BrittleParams::step, {.help = "Step from which on it is broken then"})
            .input("input", "any", {.help = "Input"})
            .output("output", 1, {.help = "Sum of the input times the weight"});
    }
    Brittle(const BrittleParams& p, Builder& b)
        : step_(p.step), state_(b.state("steps", 1)), input_(b.input("input")), output_(b.output("output")),
          weight_(b.weight("weight", 1, b.size("input"), Init::constant(0.5))) {}
    void step(Step<T>& s) const override {
        const Value<T> W = s.weight(weight_), y = affine(W, s.input(input_)),
                       steps = s.tape().constant(1, s.columns(), T(0));
        for (int c = 0; c < s.columns(); ++c) {
            steps.data[c] = s.state(state_).data[c] + 1;
            if (W.data[0] != T(0.5) && s.state(state_).data[c] >= T(step_))
                y.data[c] = std::numeric_limits<T>::quiet_NaN();
        }
        s.next(state_, steps);
        s.emit(output_, y);
    }

private:
    int step_;
    State state_;
    Input input_;
    Output output_;
    Weight weight_;
};

const Registry& mechanisms() {
    static const Registry all = [] {
        Registry r = registry();
        r.add(entryOf<Noisy>(), "tests");
        r.add(entryOf<Rehearsal>(), "tests");
        r.add(entryOf<Brittle>(), "tests");
        return r;
    }();
    return all;
}

std::unique_ptr<Session> sessionWith(const Json& document, const SessionOptions& options = {1, "tbb", 0}) {
    return Session::create(experimentFromJson(document, mechanisms()), mechanisms(), options);
}

Json rehearsal(const std::string& network, const Json& taskParams, bool closedLoop, Json params) {
    auto document = courseNetwork(network == "noisy" || network == "drawn" ? "rnn" : network, taskParams, closedLoop);
    if (network == "drawn") { // what is drawn is read again
        document["nodes"]["head"] = {{"mechanism", "model.gaussian"}};
        for (const char* wire :
             {"readout.output -> head.mean", "readout.output -> head.log_variance", "head.action -> net.input"})
            document["wires"].push_back(wire);
    }
    if (network == "noisy") {
        document["nodes"]["net"] = {{"mechanism", "model.noisy"}};
        document["nodes"].erase("gate");
        document["wires"].erase(3);
        document["wires"].erase(2);
    }
    document["nodes"]["learner"] = {{"mechanism", "rule.rehearsal"}, {"params", std::move(params)}};
    document["wires"].push_back("readout.output -> learner.watched");
    document["wires"].push_back("net.hidden -> learner.watched");
    document["wires"].push_back("task.reward -> learner.reward");
    return document;
}

class Replay : public testing::TestWithParam<std::tuple<std::string, bool>> {};

TEST_P(Replay, ShowsWhatWasLived) {
    const auto& [network, closedLoop] = GetParam();
    for (const bool stream : {false, true})
        for (const bool truncates : {false, true})
            for (const bool intervened : {false, true}) {
                SCOPED_TRACE(testing::Message()
                             << "stream " << stream << ", truncates " << truncates << ", intervened " << intervened);
                auto document = rehearsal(
                    network, {{"reacts", 0.2}, {"length", 6}, {"spread", 4}, {"truncates", truncates}, {"steps", 11}},
                    closedLoop, {{"ends", "restores"}});
                if (stream) document = asStream(document, 11);
                if (intervened)
                    document["interventions"] = {
                        {{"port", "net.hidden"},
                         {"operation", "perturb"},
                         {"component", 1},
                         {"value", 0.7},
                         {"from", 5},
                         {"to", 9}},
                        {{"port", "net.hidden"}, {"operation", "noise"}, {"value", 0.3}, {"from", 3}},
                        {{"port", "readout.weight"}, {"operation", "noise"}, {"value", 0.1}},
                        {{"port", "readout.output"}, {"operation", "scale"}, {"value", 0.5}, {"from", 2}, {"to", 6}}};
                for (const double mebibytes : {8.0, 1e-4}) {
                    document["memory_mib"] = mebibytes;
                    auto session = sessionWith(document, {2, "tbb", 0});
                    for (int i = 0; i < 3; ++i) {
                        const auto metrics = session->iterate().metrics;
                        EXPECT_EQ(metric(metrics, "batches"), i == 0 ? 1 : 2);
                        for (const auto& [name, value] : metrics)
                            if (name != "batches" && name != "stale") {
                                EXPECT_LE(value, 1e-12) << name << ", iteration " << i;
                            }
                        EXPECT_GT(metric(metrics, "stale"), 1e-6) << "the weights make a difference";
                    }
                }
            }
}

std::vector<std::string> replayed() {
    auto networks = courseNetworks();
    networks.push_back("noisy");
    networks.push_back("drawn");
    return networks;
}
INSTANTIATE_TEST_SUITE_P(Networks, Replay, testing::Combine(testing::ValuesIn(replayed()), testing::Bool()),
                         [](const auto& item) {
                             return std::get<0>(item.param) + (std::get<1>(item.param) ? "_closed" : "_open");
                         });

TEST(Copies, AreTakenUpAgainAndMixedIn) {
    const auto weightsAfter = [](const char* ends) {
        auto session = sessionWith(rehearsal("gru", {{"reacts", 0.2}}, true, {{"ends", ends}}));
        const auto before = weightsOf(*session);
        session->iterate();
        return std::pair{before, weightsOf(*session)};
    };
    const auto [before, kept] = weightsAfter("keeps");
    const auto restored = weightsAfter("restores").second, blended = weightsAfter("blends").second;
    EXPECT_EQ(restored, before);
    for (const auto& [name, start] : before) {
        EXPECT_GT(difference(kept.at(name), start), 1e-3) << name;
        std::vector<double> expected = start;
        for (std::size_t i = 0; i < start.size(); ++i) expected[i] += 0.25 * (kept.at(name)[i] - start[i]);
        EXPECT_LE(difference(blended.at(name), expected), 1e-14) << name;
    }
}

TEST(Transaction, ThatFailsLeavesEverythingAsItWas) {
    for (const bool stream : {false, true}) {
        auto document = rehearsal("plastic_simple", ends, true, Json::object());
        if (stream) document = asStream(document, 8);
        auto failing = document;
        failing["nodes"]["learner"]["params"]["ends"] = "fails";
        auto session = sessionWith(document), broken = sessionWith(failing);
        for (int i = 0; i < 3; ++i) session->iterate();
        const auto before = session->snapshot();
        broken->restore(before);
        EXPECT_EQ(broken->snapshot().tensors, before.tensors);
        for (int i = 0; i < 2; ++i) {
            EXPECT_THROW(broken->iterate(), Error);
            EXPECT_EQ(broken->iteration(), 3);
            const auto after = broken->snapshot();
            ASSERT_EQ(after.tensors.size(), before.tensors.size());
            for (std::size_t k = 0; k < before.tensors.size(); ++k)
                EXPECT_EQ(after.tensors[k], before.tensors[k]) << before.tensors[k].name;
        }
    }
}

TEST(Transaction, OfACheckpointThatDoesNotFitChangesNothing) {
    auto session = sessionWith(asStream(rehearsal("gru", ends, true, Json::object()), 8));
    for (int i = 0; i < 2; ++i) session->iterate();
    const auto before = session->snapshot();
    session->iterate();
    const auto later = session->snapshot();
    for (const auto* missing : {"rule.trials.1.marks", "rule.count", "stream.1.trials", "net.bias"}) {
        auto damaged = before;
        std::erase_if(damaged.tensors, [&](const auto& item) { return item.name == missing; });
        ASSERT_EQ(damaged.tensors.size() + 1, before.tensors.size()) << missing;
        EXPECT_THROW(session->restore(damaged), Error) << missing;
        EXPECT_EQ(session->iteration(), 3);
        EXPECT_EQ(session->snapshot().tensors, later.tensors) << missing;
    }
}

// -- ppo --------------------------------------------------------------------------------------------------------------

Json ppo(const char* state, Json more = Json::object()) {
    auto params = ppoParameters;
    params["segment_state"] = state;
    params["burn_in"] = 2;
    params["surrogate"] = "kl_penalty";
    params["value_replay"] = 3;
    params.update(more);
    return actor("rule.ppo", params, ends);
}

using Trained = std::pair<std::vector<NamedNumbers>, std::vector<NamedTensor>>;
Trained train(Session& session, int iterations) {
    Trained result;
    for (int i = 0; i < iterations; ++i) result.first.push_back(session.iterate().metrics);
    result.second = session.snapshot().tensors;
    return result;
}

class PpoTraining : public testing::TestWithParam<const char*> {};

TEST_P(PpoTraining, IsTheSameForThreadsSchedulesRecordingsAndCheckpoints) {
    const auto document = ppo(GetParam());
    const auto reference = train(*sessionWith(document), 5);
    for (int threads : {2, 3, 4, 7})
        EXPECT_EQ(train(*sessionWith(document, {threads, "threads", 0}), 5), reference) << threads;
    for (std::uint64_t schedule = 0; schedule < 20; ++schedule)
        EXPECT_EQ(train(*sessionWith(document, {1, "shuffled", schedule}), 5), reference) << schedule;
    EXPECT_EQ(train(*Session::create(recordingAll(document), registry(), {2, "tbb", 0}), 5), reference);
    for (int stop = 1; stop < 5; ++stop) {
        auto first = sessionWith(document), second = sessionWith(document);
        auto metrics = train(*first, stop).first;
        second->iterate();
        second->restore(first->snapshot());
        auto rest = train(*second, 5 - stop);
        metrics.insert(metrics.end(), rest.first.begin(), rest.first.end());
        EXPECT_EQ(Trained(metrics, rest.second), reference) << "stopped after " << stop;
    }
}

/// Cancels, or looks, once an iteration is so far.
struct Intruder final : SessionObserver {
    double moment = 0;
    int atIteration = 0;
    std::function<void(Session&)> act;
    std::vector<double> progress;
    bool done = false;
    void onProgress(Session& session, double fraction) override {
        if (session.iteration() != atIteration) return;
        progress.push_back(fraction);
        if (done || fraction < moment) return;
        done = true;
        act(session);
    }
};

TEST_P(PpoTraining, ThatIsCancelledMidwayIsAsBeforeTheIteration) {
    const auto document = ppo(GetParam());
    const auto reference = train(*sessionWith(document), 5);
    for (const double moment : {0.1, 0.2, 0.4, 0.5, 0.8}) {
        auto session = sessionWith(document, {2, "tbb", 0});
        auto metrics = train(*session, 3).first;
        const auto before = session->snapshot();
        Intruder intruder;
        intruder.moment = moment;
        intruder.atIteration = 3;
        intruder.act = [&](Session& s) {
            EXPECT_EQ(s.snapshot().tensors, before.tensors) << "the iteration shows from outside, at " << moment;
            s.cancel();
        };
        EXPECT_FALSE(session->trainTo(5, &intruder));
        ASSERT_TRUE(intruder.done);
        EXPECT_EQ(session->iteration(), 3);
        const auto after = session->snapshot();
        for (std::size_t k = 0; k < before.tensors.size(); ++k)
            EXPECT_EQ(after.tensors[k], before.tensors[k]) << before.tensors[k].name << ", cancelled at " << moment;
        EXPECT_EQ(after.optimiserSteps, before.optimiserSteps);
        session->clearCancel();
        const auto rest = train(*session, 2);
        metrics.insert(metrics.end(), rest.first.begin(), rest.first.end());
        EXPECT_EQ(Trained(metrics, rest.second), reference) << "cancelled at " << moment;
    }
}

TEST_P(PpoTraining, SaysHowFarItIs) {
    auto session = sessionWith(ppo(GetParam()));
    Intruder watcher;
    watcher.moment = 2;
    EXPECT_TRUE(session->trainTo(1, &watcher));
    EXPECT_GE(watcher.progress.size(), 5u);
    EXPECT_TRUE(std::is_sorted(watcher.progress.begin(), watcher.progress.end()));
    EXPECT_EQ(watcher.progress.back(), 1);
}

INSTANTIATE_TEST_SUITE_P(SegmentStates, PpoTraining, testing::Values("stored", "burn_in", "zero", "recompute"),
                         [](const auto& item) { return std::string(item.param); });

TEST(PpoNumbers, ThatAreNotFiniteAreReportedAndGivenUp) {
    const auto complaintOf = [](Session& session) -> std::string {
        const auto before = session.snapshot();
        std::string text = "no complaint";
        try {
            session.iterate();
        } catch (const NumericError& error) {
            text = error.what();
        }
        EXPECT_EQ(session.snapshot().tensors, before.tensors) << text;
        EXPECT_EQ(session.iteration(), before.iteration);
        return text;
    };
    // A signal that breaks once the policy has been changed: in the second epoch.
    for (const char* node : {"spread", "value"}) {
        auto document = ppo("stored", {{"segment", 5}, {"policy_minibatch", 0}, {"value_minibatch", 0}});
        document["nodes"][node] = {{"mechanism", "model.brittle"}};
        auto session = sessionWith(document, {2, "tbb", 0});
        const auto text = complaintOf(*session);
        // Segments of the value are shuffled, so that the first one that is found need not be the first that was lived.
        const std::string where = node == std::string("spread") ? "3 of trial 0 on" : "";
        EXPECT_TRUE(
            text.starts_with(std::string("iteration 0: signal ") + node + ".output is not finite from step " + where))
            << text;
        EXPECT_TRUE(text.ends_with("lower learner's learning rate or set learner.clip_norm")) << text;
    }
    // Weights that an update makes infinite, whichever update it is.
    for (const char* rate : {"policy_learning_rate", "value_learning_rate"})
        for (const int epochs : {1, 3}) {
            auto document = ppo("stored", {{"optimiser", "sgd"},
                                           {"policy_epochs", epochs},
                                           {"value_epochs", epochs},
                                           {"policy_minibatch", 0},
                                           {"value_minibatch", 0},
                                           {"kl_controller", false}});
            document["precision"] = "float32";
            document["nodes"]["learner"]["params"][rate] = 1e300;
            auto session = sessionWith(document);
            const auto text = complaintOf(*session);
            EXPECT_NE(text.find("iteration 0: tensor "), std::string::npos) << rate << ": " << text;
            EXPECT_NE(text.find(" holds a number that is not finite; lower learner's"), std::string::npos) << text;
        }
}

TEST(PpoNumbers, OfATaskThatAreNotFiniteNameTheSignal) {
    auto document = ppo("stored");
    document["nodes"]["task"]["params"]["reacts"] = 1e308; // the place overflows
    document["nodes"]["head"]["params"]["log_variance_offset"] = 4;
    auto session = sessionWith(document);
    const auto before = session->snapshot();
    try {
        for (int i = 0; i < 3; ++i) session->iterate();
        FAIL() << "no complaint";
    } catch (const NumericError& error) {
        EXPECT_NE(std::string(error.what()).find("iteration 0: signal task."), std::string::npos) << error.what();
    }
    EXPECT_EQ(session->snapshot().tensors, before.tensors);
}

} // namespace
} // namespace raphe::test
