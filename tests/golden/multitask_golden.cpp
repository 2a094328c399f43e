// SPDX-License-Identifier: Apache-2.0
#include "multitask_golden.h"

#include "engine/learning/session.h"
#include "support/golden_json.h"
#include "tasks/element_finder/element_finder.h"
#include "tasks/multitask/multitask.h"
#include "unit/plugins/task_driver.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

namespace raphe::test {
namespace {

using namespace multitask;
using Numbers = std::vector<double>;

constexpr double rounding = 1e-10;
constexpr double singlePrecision = 1e-6;

std::size_t at(int i) { return static_cast<std::size_t>(i); }

const Paradigm& paradigmNamed(Family family, const std::string& name) {
    for (const auto& paradigm : paradigmsOf(family))
        if (paradigm.name == name) return paradigm;
    throw Error(name, "is no task of this family");
}

/// What a trial shows: numbers by step and port, ports one after the other.
Numbers shownBy(TaskDriver<Multitask>& driver, Trial trial, const std::vector<const char*>& ports) {
    Numbers result;
    driver.begin(0);
    for (int t = 0; t < trial.steps; ++t, driver.act()) {
        driver.observe(trial);
        for (const auto* port : ports) result.insert(result.end(), driver.port(port).begin(), driver.port(port).end());
    }
    return result;
}

void expectClose(const Numbers& ours, const Numbers& theirs, const std::string& what, double bound = rounding) {
    EXPECT_LE(relativeError(ours, theirs), bound) << what;
}

} // namespace

void checkMultitaskGenerator(const Json& file) {
    int number = 0;
    for (const auto& item : file.at("items")) {
        const auto name = item.at("task").get<std::string>();
        const auto label = fmt::format("trial {} ({}): ", number++, name);
        const bool decision = item.contains("theta1");
        const auto& paradigm = paradigmNamed(Family::fourTasks, name);
        const int steps = item.at("T");
        const auto first = stretched(item.at("durations").get<Numbers>(), steps);
        const auto& given = item.at("first_sample");
        EXPECT_EQ(first.front(), given.at(decision ? "stim1_on" : "stim_on").get<int>()) << label;
        EXPECT_EQ(first.back(), given.at("go").get<int>()) << label;

        Draw draw;
        draw.timing = {first[0], first[1], first[1], first.back(), first.back(), steps};
        draw.angle[0] = item.at(decision ? "theta1" : "theta");
        if (decision) {
            draw.angle[1] = item.at("theta2");
            const double k = item.at("coherence");
            for (auto& pair : draw.strength) pair[0] = 1 + k, pair[1] = 1 - k;
        }
        auto trial = makeTrial(paradigm, draw, Encoding::pair);
        EXPECT_EQ(trial.stimuli[0].off, given.at(decision ? "stim1_off" : "stim_off").get<int>()) << label;
        const std::string tasks = decision ? "dm_1 dm_2" : "";
        TaskDriver<Multitask> driver({{"tasks", tasks}, {"steps", std::int64_t{steps}}});
        for (std::size_t c = 0; !decision && c < file.at("context_order").size(); ++c)
            if (file["context_order"][c] == name) trial.context = static_cast<int>(c);
        if (decision) trial.context = name == "dm_1" ? 0 : 1;
        expectClose(shownBy(driver, trial, {"observation", "context"}), readTensor(item.at("inputs")).values,
                    label + "inputs");
        expectClose(shownBy(driver, trial, {"target"}), readTensor(item.at("outputs")).values, label + "outputs");
    }
}

void checkMultitaskTestTrials(const Json& file) {
    const int steps = file.at("T");
    TaskDriver<Multitask> driver({{"steps", std::int64_t{steps}}});
    int number = 0;
    for (const auto& item : file.at("items")) {
        const auto name = item.at("task").get<std::string>();
        const auto label = fmt::format("trial {} ({}): ", number++, name);
        Draw draw;
        draw.timing = {item.at("stim_on"), item.at("stim_off"), 0, 0, item.at("go"), steps};
        draw.angle[0] = std::atan2(item.at("sin_in").get<double>(), item.at("cos_in").get<double>());
        auto trial = makeTrial(paradigmNamed(Family::fourTasks, name), draw, Encoding::pair);
        EXPECT_EQ(trial.stimuli[0].off, item.at("stim_off").get<int>()) << label;
        Numbers inputs, outputs;
        for (int t = 0; t < steps; ++t) {
            const bool shown = t >= item.at("stim_on").get<int>() && t < item.at("stim_off").get<int>(),
                       answers = t >= item.at("go").get<int>();
            inputs.push_back(answers ? 0 : 1);
            inputs.push_back(shown ? item.at("sin_in").get<double>() : 0);
            inputs.push_back(shown ? item.at("cos_in").get<double>() : 0);
            for (std::size_t c = 0; c < file.at("context_order").size(); ++c) {
                inputs.push_back(file["context_order"][c] == name ? 1 : 0);
                if (inputs.back() == 1) trial.context = static_cast<int>(c);
            }
            outputs.push_back(answers ? 0 : file.at("fixation_target").get<double>());
            outputs.push_back(answers ? item.at("sin_out").get<double>() : 0);
            outputs.push_back(answers ? item.at("cos_out").get<double>() : 0);
        }
        expectClose(shownBy(driver, trial, {"observation", "context"}), inputs, label + "inputs", singlePrecision);
        expectClose(shownBy(driver, trial, {"target"}), outputs, label + "outputs", singlePrecision);
    }
}

namespace {

/// (steps, channels) of lists of [start, stop, value].
Numbers fromSegments(const Json& channels, int steps) {
    Numbers result(at(steps) * channels.size());
    for (std::size_t c = 0; c < channels.size(); ++c)
        for (const auto& run : channels[c])
            for (int t = run.at(0); t < run.at(1).get<int>(); ++t)
                result[at(t) * channels.size() + c] = run.at(2).get<double>();
    return result;
}

} // namespace

void checkYangDriscoll(const Json& file) {
    int number = 0;
    for (const auto& item : file.at("items")) {
        const auto name = item.at("rule").get<std::string>(), code = item.at("encoding").get<std::string>();
        const auto label = fmt::format("trial {} ({}, {}): ", number++, code, name);
        const bool ring = code == "ring32";
        const auto family = ring ? Family::yang : Family::driscoll;
        const auto& p = item.at("params");
        Draw draw;
        draw.timing = {p.at("stim1_on"), p.at("stim1_off"), p.at("stim2_on"), p.at("stim2_off"), p.at("go"), p.at("T")};
        for (const int i : {0, 1}) {
            draw.angle[i] = p.at(i == 0 ? "loc1" : "loc2");
            draw.modality[i] = p.at(i == 0 ? "mod1" : "mod2").get<int>() - 1;
            for (const int m : {0, 1}) draw.strength[m][i] = p.at("strength").at(at(m)).at(at(i));
        }
        draw.match = p.at("match") == 1;
        auto trial = makeTrial(paradigmNamed(family, name), draw, ring ? Encoding::ring : Encoding::pair);
        const auto& rules = file.at("rules").at(code);
        ASSERT_EQ(rules.size(), paradigmsOf(family).size());
        for (std::size_t c = 0; c < rules.size(); ++c) {
            EXPECT_EQ(rules[c], paradigmsOf(family)[c].name);
            if (rules[c] == name) trial.context = static_cast<int>(c);
        }
        TaskDriver<Multitask> driver({{"family", std::string(ring ? "yang" : "driscoll")},
                                      {"encoding", std::string(ring ? "ring" : "pair")},
                                      {"step_duration", item.at("dt").get<double>()}});
        const int steps = item.at("T");
        ASSERT_LE(steps, driver.task().steps()) << label;
        expectClose(shownBy(driver, trial, {"observation", "context"}), fromSegments(item.at("input_segments"), steps),
                    label + "inputs");
        expectClose(shownBy(driver, trial, {"target"}), fromSegments(item.at("target_segments"), steps),
                    label + "targets");
        auto mask = fromSegments(item.at("mask_segments"), steps);
        expectClose(shownBy(driver, trial, {"mask"}), mask, label + "mask");
        for (double& m : mask) m *= m;
        expectClose(shownBy(driver, trial, {"error_weight"}), mask, label + "error weight");
        const double answer = item.at("y_loc_final");
        EXPECT_EQ(trial.responds, answer >= 0) << label;
        if (!trial.responds) continue;
        EXPECT_NEAR(std::remainder(trial.angle - answer, 2 * M_PI), 0, rounding) << label << "answer";
    }
}

void checkElementFinder(const Json& file) {
    const int length = file.at("seq_len"), bound = file.at("bound");
    TaskDriver<ElementFinder> driver({{"length", std::int64_t{length}}, {"bound", std::int64_t{bound}}});
    const auto elements = readTensor(file.at("sequence")).values, inputs = readTensor(file.at("inputs")).values;
    ASSERT_EQ(driver.task().steps(), length + 1);
    double squares = 0;
    for (std::size_t b = 0; b < file.at("query").size(); ++b) {
        ElementFinderTrial trial;
        trial.query = file["query"][b];
        for (std::size_t i = 0; i < at(length); ++i)
            trial.elements.push_back(static_cast<int>(elements[b * at(length) + i]));
        driver.begin(0);
        for (int t = 0; t <= length; ++t, driver.act()) {
            driver.observe(trial);
            const auto label = fmt::format("trial {}, step {}", b, t);
            EXPECT_EQ(driver.port("observation")[0], inputs[b * at(length + 1) + at(t)]) << label;
            EXPECT_EQ(driver.port("mask")[0], t == length ? 1 : 0) << label;
        }
        EXPECT_EQ(driver.port("target")[0], file.at("targets").at(b).get<double>()) << "trial " << b;
        squares += driver.port("target")[0] * driver.port("target")[0];
    }
    EXPECT_NEAR(squares / static_cast<double>(file["query"].size()), file.at("constant_zero_mse").get<double>(),
                rounding);
    EXPECT_NEAR(bound * (bound + 1) / 3.0, file.at("chance_mse_expected").get<double>(), rounding);
}

void checkPercentCorrect(const Json& file, const Registry& registry) {
    int number = 0;
    for (const auto& item : file.at("items"))
        for (const bool authors : {false, true}) {
            const auto label = fmt::format("trial {} ({}, {}), {}", number++, item.at("task").get<std::string>(),
                                           item.at("mode").get<std::string>(), authors ? "authors" : "strict");
            auto target = readTensor(item.at("target_output")), answer = readTensor(item.at("model_output"));
            const auto steps = target.shape[0], units = target.shape[1];
            const Json source = {{"mechanism", "model.dense"}, {"params", {{"units", units}}}};
            const Json document = {
                {"raphe", 1},
                {"precision", "float64"},
                {"trials", 1},
                {"nodes",
                 {{"task", {{"mechanism", "task.probe"}, {"params", {{"inputs", 1}, {"steps", steps}}}}},
                  {"answer", source},
                  {"target", source},
                  {"judge",
                   {{"mechanism", "model.angle_judge"}, {"params", {{"criterion", authors ? "authors" : "strict"}}}}}}},
                {"wires",
                 {"task.observation -> answer.input", "task.observation -> target.input",
                  "answer.output -> judge.answer", "target.output -> judge.target"}}};
            const auto session = Session::create(experimentFromJson(document, registry), registry, {1, "tbb", 0});
            ForwardRequest request;
            request.inputs = {{"answer.output", reshaped(answer, {steps, 1, units})},
                              {"target.output", reshaped(target, {steps, 1, units})}};
            request.record = {"judge.correct"};
            const auto signal = session->forward(request).signals.at(0).tensor.values;
            EXPECT_EQ(signal.back(),
                      item.at(authors ? "correct_authors_arctan" : "correct_strict_driscoll").get<double>())
                << label;
            // The go of the specification is that of the fixation input, ours that of the target.
            for (std::size_t t = 0; t < at(static_cast<int>(steps)); ++t)
                EXPECT_EQ(item.at("fixation_input").at(t).get<double>() < 0.5, target.values[t * at(int(units))] < 0.5)
                    << label;
        }
}

} // namespace raphe::test
