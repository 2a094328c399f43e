// SPDX-License-Identifier: Apache-2.0
#include "engine/studies/study_plan.h"

#include "engine/document/stage_lengths.h"
#include "engine/learning/changed_session.h"
#include "engine/learning/preflight.h"
#include "engine/runs/hash.h"
#include "raphe/random.h"

#include <fmt/format.h>

#include <set>

namespace raphe {

namespace {

using Point = std::vector<std::pair<std::string, Json>>;

std::vector<Point> pointsOf(const Study& study) {
    std::vector<Point> points;
    if (study.axes.empty()) return {{}};
    if (study.sampling == Sampling::zip) {
        for (std::size_t i = 0; i < study.axes.front().values.size(); ++i) {
            points.emplace_back();
            for (const auto& axis : study.axes) points.back().emplace_back(axis.path, axis.values[i]);
        }
    } else if (study.sampling == Sampling::random) {
        std::set<std::vector<std::size_t>> drawn; // a point that comes again is not taken again
        for (std::uint32_t i = 0; points.size() < static_cast<std::size_t>(study.samples); ++i) {
            Stream random(study.sampleSeed, addressOf("study"), 0, i, 0);
            std::vector<std::size_t> places;
            for (const auto& axis : study.axes)
                places.push_back(random.integer(static_cast<std::uint32_t>(axis.values.size())));
            if (!drawn.insert(places).second) continue;
            points.emplace_back();
            for (std::size_t k = 0; k < places.size(); ++k)
                points.back().emplace_back(study.axes[k].path, study.axes[k].values[places[k]]);
        }
    } else {
        points.emplace_back();
        for (const auto& axis : study.axes) { // the last axis changes fastest
            std::vector<Point> longer;
            if (points.size() * axis.values.size() > 100'000)
                throw Error(
                    "axes." + axis.path,
                    "the grid has more than 100000 points; take fewer values, or \"sampling\": {\"random\": 20}");
            for (const auto& point : points)
                for (const auto& value : axis.values) {
                    longer.push_back(point);
                    longer.back().emplace_back(axis.path, value);
                }
            points = std::move(longer);
        }
    }
    return points;
}

/// Problems of a variant, with its place before their own.
template <class Step>
void at(const std::string& place, Problems& problems, Step&& step) {
    Problems own;
    own.collect(step);
    for (const auto& line : own.lines()) problems.add(Error(place + ": " + line));
}

/// The identities of the runs of an experiment that differ in their seed, quickly: the text is made once.
class Identity {
public:
    Identity(const Experiment& experiment, const Registry& registry) {
        Json before = Json::object(), after = Json::object();
        bool passed = false;
        const auto document = experiment.toJson();
        for (const auto& [key, value] : document.items()) {
            if (key == "seed") passed = true;
            if (key != "seed" && key != "name" && key != "doc" && key != "canvas")
                (passed ? after : before)[key] = value;
        }
        before_ = before.dump();
        before_.back() = before.empty() ? ' ' : ',';
        if (before.empty()) before_.pop_back();
        after_ = after.dump();
        after_.front() = ',';
        if (after.empty()) after_.erase(0, 1);
        for (const auto& node : experiment.nodes)
            mechanisms_.emplace_back(node.mechanism, registry.find(node.mechanism, node.name).declaration.version);
    }
    std::string of(std::uint64_t seed) const {
        Hash hash;
        hash.add("raphe run 1").add(fmt::format("{}\"seed\":{}{}", before_, seed, after_));
        for (const auto& [mechanism, version] : mechanisms_) hash.add(mechanism).add(version);
        return hash.text().substr(0, 16);
    }

private:
    std::string before_, after_; ///< of the seed, in the document's text
    std::vector<std::pair<std::string, std::string>> mechanisms_;
};

/// A run of a study ends with its stages. @throws Error
void requireAllStages(const Experiment& experiment) {
    const auto sum = iterationsOf(experiment.stages);
    if (experiment.stages.empty() || experiment.iterations == sum) return;
    std::string stages;
    for (const auto& stage : experiment.stages)
        stages += fmt::format("{}{} {}", stages.empty() ? "" : ", ", stage.name, stage.iterations);
    throw Error("iterations",
                fmt::format("{} would end the training before its stages do, which have {} ({}); \"iterations\" of the "
                            "study itself (--iterations) shortens all stages in proportion",
                            experiment.iterations, sum, stages));
}

/// See Study::iterations.
void lengthen(Experiment& experiment, int iterations, const Registry& registry) {
    if (experiment.stages.empty()) return experiment.set("iterations", iterations, registry);
    experiment.stages = inProportion(std::move(experiment.stages), iterations);
    experiment.iterations = iterations;
}

/// As Experiment::set(), but the one stage of a training has as many iterations as the training.
void setIn(Experiment& experiment, const std::string& path, const Json& value, const Registry& registry) {
    const bool ofStage = path == "iterations" && experiment.stages.size() == 1;
    experiment.set(ofStage ? "stages[0].iterations" : path, value, registry);
}

/// Everything that can be known of an experiment before it is made.
void check(const std::string& place, Problems& problems, const Experiment& experiment, const Registry& registry) {
    at(place, problems, [&] {
        Problems own;
        preflight(experiment, registry, {}, own);
        own.throwIfAny();
    });
}

Json documentOf(const Study& study, const StudyVariant& variant) {
    const auto& name = variant.change.experiment.empty() ? study.base.experiment : variant.change.experiment;
    const auto path = findBase(name, study.folder);
    auto document = readExtended(path);
    for (const auto* change : {&study.base, &variant.change})
        if (!change->document.empty()) {
            Json patch = change->document;
            patch["base"] = name; // so that the patch is taken as that of a variant
            document = extended(std::move(document), std::move(patch));
        }
    if (!document.contains("name")) document["name"] = path.stem().string();
    return document;
}

void apply(const StudyChange& change, Experiment& experiment, const Registry& registry, const std::string& place,
           Problems& problems) {
    for (const auto& [path, value] : change.set)
        at(place + "set." + path, problems, [&, &p = path, &v = value] { setIn(experiment, p, v, registry); });
    experiment.interventions.insert(experiment.interventions.end(), change.interventions.begin(),
                                    change.interventions.end());
}

} // namespace

Experiment StudyRun::experiment() const {
    auto complete = *setting;
    complete.seed = seed;
    return complete;
}

std::string identityOf(const Experiment& experiment, const Registry& registry) {
    return Identity(experiment, registry).of(experiment.seed);
}

std::string groupName(const StudyRun& run) {
    auto name = run.variant;
    for (const auto& [path, value] : run.point) name += fmt::format(", {} = {}", path, value.dump());
    return name;
}

std::vector<StudyRun> planOf(const Study& study, const Registry& registry, PlanChecks checks) {
    Problems problems;
    std::vector<StudyRun> runs;
    std::vector<Point> points;
    problems.collect([&] { points = pointsOf(study); });
    if (points.size() * study.variants.size() * study.seeds.size() > 100'000)
        problems.add("study", fmt::format("{} runs are too many; a study has at most 100000",
                                          points.size() * study.variants.size() * study.seeds.size()));
    problems.throwIfAny();
    for (const auto& variant : study.variants) {
        const auto place = "variants." + variant.name;
        std::optional<Experiment> base;
        at(place, problems, [&] { base = experimentFromJson(documentOf(study, variant), registry, study.folder); });
        if (!base) continue;
        apply(study.base, *base, registry, "", problems);
        apply(variant.change, *base, registry, place + ".", problems);
        if (study.iterations > 0) at(place, problems, [&] { lengthen(*base, study.iterations, registry); });
        for (const auto& point : points) {
            auto experiment = *base;
            for (const auto& [path, value] : point)
                at("axes." + path, problems, [&, &p = path, &v = value] { setIn(experiment, p, v, registry); });
            const auto where = "variants." + groupName({{}, variant.name, point, 0, {}});
            if (problems.empty()) at(where, problems, [&] { requireAllStages(experiment); });
            if (checks == PlanChecks::every || &point == &points.front()) {
                check(where, problems, experiment, registry);
                for (const auto& measure : study.measures)
                    if (measure.evaluated && problems.empty())
                        at("measures." + measure.name, problems,
                           [&] { check(where, problems, evaluationOf(experiment, measure, registry), registry); });
            }
            if (!problems.empty()) break;
            const auto setting = std::make_shared<const Experiment>(std::move(experiment));
            const Identity identity(*setting, registry);
            for (const auto seed : study.seeds) runs.push_back({identity.of(seed), variant.name, point, seed, setting});
        }
    }
    problems.throwIfAny();
    return runs;
}

Experiment evaluationOf(const Experiment& experiment, const StudyMeasure& measure, const Registry& registry) {
    auto changed = experiment;
    if (!measure.set.empty()) {
        // Another set of trials may have another size.
        changed.trials = measure.trials;
        for (const auto& [path, value] : measure.set) changed.set(path, value, registry);
        changed = withTrialsOfTask(std::move(changed), experiment.trials, registry);
    }
    changed.interventions.insert(changed.interventions.end(), measure.interventions.begin(),
                                 measure.interventions.end());
    return measure.set.empty() && measure.interventions.empty() ? changed
                                                                : experimentFromJson(changed.toJson(), registry);
}

} // namespace raphe
