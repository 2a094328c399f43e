// SPDX-License-Identifier: Apache-2.0
// Documents and hyper-parameters come back from JSON as they went.
#include "engine/document/json_reader.h"
#include "support.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <limits>

namespace raphe::test {
namespace {

std::string anyText() { return *rc::gen::string<std::string>(); }

double anyFinite(double low, double high) {
    if (std::isfinite(low) && std::isfinite(high)) return low + (high - low) * (*rc::gen::inRange(0, 1000001)) * 1e-6;
    const double x = *rc::gen::suchThat(rc::gen::arbitrary<double>(), [](double v) { return std::isfinite(v); });
    if (std::isfinite(low)) return low + std::min(std::abs(x), 1e300);
    if (std::isfinite(high)) return high - std::min(std::abs(x), 1e300);
    return x;
}

/// A value that the declaration allows.
ParamValue anyValue(const ParamInfo& info) {
    switch (info.type) {
    case ParamType::boolean:
        return *rc::gen::arbitrary<bool>();
    case ParamType::integer: {
        const auto low = std::max(info.min, -2147483647.0), high = std::min(info.max, 2147483646.0);
        return *rc::gen::inRange(static_cast<std::int64_t>(low), static_cast<std::int64_t>(high) + 1);
    }
    case ParamType::real:
        return anyFinite(info.min, info.max);
    case ParamType::text:
        return info.choices.empty() ? std::string("any text") : *rc::gen::elementOf(info.choices);
    case ParamType::list: {
        std::vector<double> numbers;
        for (int i = *rc::gen::inRange(0, 5); i > 0; --i) numbers.push_back(anyFinite(info.min, info.max));
        return numbers;
    }
    }
    return false;
}

Experiment anyExperiment() {
    Experiment e = load(*rc::gen::elementOf(experimentNames()));
    e.seed = static_cast<std::uint64_t>(*rc::gen::inRange<std::int64_t>(0, std::numeric_limits<std::int64_t>::max()));
    e.dt = anyFinite(1e-6, 100);
    e.trials = *rc::gen::inRange(0, 1000001);
    e.chunk = *rc::gen::inRange(0, 1000001);
    e.iterations = *rc::gen::inRange(0, 1000000001);
    e.memoryMiB = anyFinite(1e-3, 1e6);
    e.precision = *rc::gen::element(Precision::float32, Precision::float64);
    for (auto& node : e.nodes)
        for (const auto& info : registry().find(node.mechanism, "").declaration.params)
            if (*rc::gen::inRange(0, 3) == 0) node.params[info.key] = anyValue(info);
    for (auto& wire : e.wires)
        if (*rc::gen::inRange(0, 3) == 0) wire.delay = *rc::gen::inRange(0, 2);
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i)
        e.recordings.push_back({{e.nodes[0].name, "observation"},
                                *rc::gen::inRange(1, 1000),
                                *rc::gen::inRange(1, 1000),
                                *rc::gen::inRange(1, 1000)});
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
        Intervention item{{"modulator", "output"},
                          *rc::gen::element(Operation::clamp, Operation::scale, Operation::perturb, Operation::lesion),
                          *rc::gen::inRange(-1, 5),
                          anyFinite(-INFINITY, INFINITY),
                          *rc::gen::inRange(0, 50),
                          -1};
        if (item.operation == Operation::lesion) item.value = 0;
        if (*rc::gen::arbitrary<bool>()) item.to = item.from + *rc::gen::inRange(1, 50);
        e.interventions.push_back(item);
    }
    for (int i = *rc::gen::inRange(0, 3); i > 0; --i) e.frozen.push_back("agent.*");
    return e;
}

TEST(Document, ComesBackFromJsonAsItWent) {
    EXPECT_TRUE(rc::check("experiment -> JSON -> text -> JSON -> experiment", [] {
        const auto experiment = anyExperiment();
        const auto document = experiment.toJson();
        const auto again = experimentFromJson(parseJson(document.dump(), "document"), registry());
        RC_ASSERT(again.toJson().dump() == document.dump());
        RC_ASSERT(again.interventions == experiment.interventions);
        RC_ASSERT(again.nodes.size() == experiment.nodes.size());
        for (std::size_t n = 0; n < again.nodes.size(); ++n)
            RC_ASSERT(again.nodes[n].params == experiment.nodes[n].params);
    }));
}

TEST(Document, EveryDeclaredParameterComesBackFromJson) {
    EXPECT_TRUE(rc::check("value -> JSON -> text -> JSON -> value", [] {
        const auto& declaration = registry().find(*rc::gen::elementOf(registry().keys()), "").declaration;
        RC_PRE(!declaration.params.empty());
        const auto& info = *rc::gen::elementOf(declaration.params);
        const auto value = anyValue(info);
        const Json json = parseJson(raphe::toJson(value).dump(), "value");
        RC_ASSERT(readParam(info, json, "value") == value);
    }));
}

TEST(Document, ReadsAroundItsProblems) {
    const Json document = {
        {"raphe", 1},
        {"dt", -1},
        {"trials", 7},
        {"nodes",
         {{"core", {{"mechanism", "model.rnn"}, {"parms", 1}, {"params", {{"units", "many"}, {"tau", 5}}}}},
          {"gate", {{"mechanism", "model.dens"}, {"params", {{"units", 2}}}}},
          {"head", {{"mechanism", 3}}}}},
        {"wires", {"core.hidden", {{"from", "core.hidden"}, {"to", "gate.input"}, {"dely", 1}, {"delay", 2}}}}};
    Problems problems;
    const auto experiment = experimentFromJson(document, registry(), {}, problems);
    std::vector<std::string> places;
    for (const auto& line : problems.lines()) places.push_back(line.substr(0, line.find(':')));
    EXPECT_EQ(places,
              (std::vector<std::string>{"dt", "nodes.core.parms", "nodes.core.params.units", "nodes.gate.mechanism",
                                        "nodes.head.mechanism", "wires[0]", "wires[1].dely", "wires[1].delay"}));
    EXPECT_EQ(experiment.dt, 1);
    EXPECT_EQ(experiment.trials, 7);
    ASSERT_EQ(experiment.nodes.size(), 3u);
    const auto defaults = registry().find("model.rnn", "").declaration.defaults();
    EXPECT_EQ(experiment.nodes[0].params.at("units"), defaults.at("units"));
    EXPECT_EQ(experiment.nodes[0].params.at("tau"), ParamValue(5.0));
    ASSERT_EQ(experiment.wires.size(), 2u);
    EXPECT_EQ(experiment.wires[1].to.text(), "gate.input");
}

TEST(Document, InterventionComesBackFromJson) {
    EXPECT_TRUE(rc::check("intervention -> JSON -> intervention", [] {
        const auto experiment = anyExperiment();
        for (const auto& i : experiment.interventions)
            RC_ASSERT(interventionFromJson(raphe::toJson(i), "intervention") == i);
    }));
}

TEST(Document, AnyTextIsReadOrRefusedInASentence) {
    EXPECT_TRUE(rc::check("addresses, interventions and assignments", [] {
        const auto text = anyText();
        auto experiment = load("cue_small_A_simple");
        const auto attempt = [&](auto f) {
            try {
                f();
            } catch (const Error& error) {
                RC_ASSERT(!std::string(error.what()).empty());
            }
        };
        attempt([&] { parseAddress(text, "place"); });
        attempt([&] { parseIntervention(text); });
        attempt([&] { experiment.setText(text, registry()); });
    }));
}

} // namespace
} // namespace raphe::test
