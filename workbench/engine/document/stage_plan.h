// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"

#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace raphe {

using NamedNumbers = std::vector<std::pair<std::string, double>>;

/// Evaluations between iterations draw from this stream, so that their trials are the same at each check and are not
/// those of other evaluations.
constexpr std::uint32_t validationStream = std::numeric_limits<std::uint32_t>::max();

/// Where an iteration stands in the stages.
struct StagePosition {
    int stage = 0;
    int iteration = 0; ///< of the stage, from 0
    bool first = false, last = false;
};

/// The stages of an experiment, laid out along the iterations. Immutable.
class StagePlan {
public:
    struct Watched {
        const Watch* watch;
        std::string place; ///< in the document
        std::string key;   ///< the parameter of a plateau; empty: keepBest
        /// @throws Error unless the metric is among these
        void require(const NamedNumbers& metrics) const;
    };

    /// @throws Error with one line per problem of the stages
    StagePlan(const Experiment& experiment, const Registry& registry);

    /// Whether there are no stages: then nothing else here may be asked for.
    bool empty() const { return stages_.empty(); }
    const std::vector<TrainingStage>& stages() const { return stages_; }
    /// Of all stages together.
    int iterations() const { return ends_.empty() ? 0 : ends_.back(); }
    /// @throws Error if all stages have ended by then
    StagePosition at(int iteration) const;
    /// Whether the tensor is not trained in this stage by the stage's own patterns.
    bool freezes(int stage, const std::string& tensor) const;
    /// The rule's parameters in an iteration as far as they depend on its number only.
    ParamValues params(int iteration) const;
    /// Parameters that a stage takes the rule to: where they take a turn, and where plateaus have reduced them.
    std::vector<ParamValues> samples(int stage) const;
    /// What a stage looks at. The plan must outlive them.
    std::vector<Watched> watches(int stage) const;
    /// A number that a schedule of the rule's parameter `key` arrives at, as that parameter takes it.
    ParamValue paramFor(const std::string& key, double value) const;
    /// What a schedule starts with.
    double startOf(int stage, const std::string& key) const;

private:
    std::vector<TrainingStage> stages_;
    std::vector<int> ends_; ///< by stage: the iteration after its last one
    DeclarationData rule_;
    ParamValues base_;
};

/// Follows a training through its stages: what the checks of metrics have decided so far. A session asks it
///
///     before iteration k   position(): the stage, with plan().freezes() and, where it begins, resetOptimiser
///                          params(k): the rule's parameters
///     with its update      record(k, metrics)
///     and then             if due(): one evaluation of validationStream for each of evaluations(), then decide()
///
/// A check that is due waits as long as it has to, also in a checkpoint, so that an evaluation may be cancelled. Equal
/// calls give equal bits, whether or not the state was saved and loaded between them.
class StageRunner {
public:
    struct Best {
        int iteration = 0; ///< after the update of which the weights were best
        double value = 0;
        friend bool operator==(const Best&, const Best&) = default;
    };
    struct Decision {
        bool keep = false;                ///< the weights are the best of the stage so far: keep a copy
        bool takeUp = false;              ///< the stage has ended, and earlier weights were better: take up the copy
        std::optional<Best> best;         ///< of the stage so far; none if there was no finite value
        std::vector<std::string> reduced; ///< parameters that a plateau has reduced
    };

    explicit StageRunner(StagePlan plan);

    const StagePlan& plan() const { return plan_; }
    /// Iterations recorded so far.
    int iteration() const { return iteration_; }
    /// The iteration that was recorded last if its check is due, otherwise the one to come; none after the last stage.
    std::optional<StagePosition> position() const;
    /// The rule's parameters in an iteration, complete.
    ParamValues params(int iteration) const;
    /// Takes the metrics of the iteration that was just done. @pre it is number iteration(), and nothing is due
    /// @throws Error if a metric that the stage looks at is not among them; then nothing has changed
    void record(int iteration, const NamedNumbers& metrics);
    /// Whether a check waits for decide().
    bool due() const { return due_; }
    /// The evaluations that it needs: trials of each (0: one batch).
    std::vector<int> evaluations() const;
    /// @param metrics  of each of evaluations()
    /// @throws Error if a metric that the stage looks at is not among them; then nothing has changed
    Decision decide(const std::vector<NamedNumbers>& metrics);
    /// The best check of the present stage, if its weights were to be kept. The copy is part of a checkpoint while this
    /// is there.
    const std::optional<Best>& best() const { return best_; }

    /// The state as finite numbers by name, for a checkpoint.
    NamedNumbers save() const;
    /// @throws Error unless they are what save() gives for this plan; then nothing has changed
    void load(const NamedNumbers& numbers);

private:
    /// Last values of a metric of training, from the oldest; one that is not finite is NaN.
    using Window = std::deque<double>;
    struct Plateau {
        double value = 0;
        std::optional<double> best;
        int bad = 0; ///< checks without improvement
        int cooldown = 0;
        Window window;
    };
    using Watched = StagePlan::Watched;

    void begin(int stage);
    NamedNumbers layout() const;
    /// The watches of the present stage whose check is due after an iteration.
    std::vector<Watched> dueAfter(const StagePosition& position) const;
    Window& windowOf(const Watched& item) { return item.key.empty() ? window_ : plateaus_.at(item.key).window; }
    /// Takes a value of the metric. @return whether the parameter has been reduced
    static bool reduce(const Schedule& schedule, Plateau& plateau, double value);

    StagePlan plan_;
    int iteration_ = 0;
    bool due_ = false;
    Window window_; ///< of keepBest
    std::optional<Best> best_;
    std::map<std::string, Plateau> plateaus_; ///< by parameter, of the present stage
};

} // namespace raphe
