// SPDX-License-Identifier: Apache-2.0
#include "engine/studies/study_plan.h"

#include "engine/learning/preflight.h"
#include "engine/runs/hash.h"
#include "raphe/random.h"

#include <fmt/format.h>

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
        for (int i = 0; i < study.samples; ++i) {
            Stream random(study.sampleSeed, addressOf("study"), 0, static_cast<std::uint32_t>(i), 0);
            points.emplace_back();
            for (const auto& axis : study.axes)
                points.back().emplace_back(axis.path,
                                           axis.values[random.integer(static_cast<std::uint32_t>(axis.values.size()))]);
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
        at(place + "set." + path, problems, [&, &p = path, &v = value] { experiment.set(p, v, registry); });
    experiment.interventions.insert(experiment.interventions.end(), change.interventions.begin(),
                                    change.interventions.end());
}

} // namespace

std::string identityOf(const Experiment& experiment, const Registry& registry) {
    auto document = experiment.toJson();
    for (const char* key : {"name", "doc", "canvas"}) document.erase(key);
    Hash hash;
    hash.add("raphe run 1").add(document.dump());
    for (const auto& node : experiment.nodes)
        hash.add(node.mechanism).add(registry.find(node.mechanism, node.name).declaration.version);
    return hash.text().substr(0, 16);
}

std::string groupName(const StudyRun& run) {
    auto name = run.variant;
    for (const auto& [path, value] : run.point) name += fmt::format(", {} = {}", path, value.dump());
    return name;
}

std::vector<StudyRun> planOf(const Study& study, const Registry& registry) {
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
        for (const auto& point : points) {
            auto experiment = *base;
            for (const auto& [path, value] : point)
                at("axes." + path, problems, [&, &p = path, &v = value] { experiment.set(p, v, registry); });
            const auto where = "variants." + groupName({{}, variant.name, point, 0, {}});
            check(where, problems, experiment, registry);
            for (const auto& measure : study.measures)
                if (measure.evaluated && problems.empty())
                    at("measures." + measure.name, problems,
                       [&] { check(where, problems, evaluationOf(experiment, measure, registry), registry); });
            if (!problems.empty()) break;
            for (const auto seed : study.seeds) {
                experiment.seed = seed;
                runs.push_back({identityOf(experiment, registry), variant.name, point, seed, experiment});
            }
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
    }
    changed.interventions.insert(changed.interventions.end(), measure.interventions.begin(),
                                 measure.interventions.end());
    return measure.set.empty() && measure.interventions.empty() ? changed
                                                                : experimentFromJson(changed.toJson(), registry);
}

} // namespace raphe
