// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_summary.h"

#include "engine/runs/run_hash.h"
#include "engine/runs/run_store.h"
#include "temporary_directory.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace raphe {
namespace {

using test::sentenceOf;
using test::TemporaryDirectory;
using testing::HasSubstr;

Metrics metricsOf(std::int64_t iteration) {
    const auto value = static_cast<double>(iteration);
    return {iteration, 0.25 * value, {{"reward", std::sin(value)}, {"loss", -1e-17 * value}}};
}

std::vector<NamedTensor> tensors() {
    return {{"agent.w", {{2, 2}, {2, 0.1f, -0.0, 3}, Precision::float32}},
            {"agent.b", {{3}, {2, 0.1, 1e-300}, Precision::float64}}};
}

/// The formula of the run hash, over bytes that are all there at once.
std::string hashOfBytes(const std::vector<Metrics>& metrics, const std::vector<NamedTensor>& weights) {
    std::string bytes;
    const auto add = [&](const auto& value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof value); };
    const auto count = [&](std::size_t value) { add(static_cast<std::int64_t>(value)); };
    const auto text = [&](const std::string& value) {
        count(value.size());
        bytes += value;
    };
    count(metrics.size());
    for (const auto& row : metrics) {
        add(row.iteration);
        count(row.values.size());
        for (const auto& [name, value] : row.values) {
            text(name);
            add(std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value + 0.0); // -0 + 0 is 0
        }
    }
    count(weights.size());
    for (const auto& [name, tensor] : weights) {
        text(name);
        count(tensor.precision == Precision::float32 ? 32 : 64);
        count(tensor.shape.size());
        for (const auto extent : tensor.shape) add(extent);
        count(tensor.values.size() * sizeof(double));
        for (const double value : tensor.values) add(value);
    }
    const auto digest = XXH3_128bits(bytes.data(), bytes.size());
    return fmt::format("{:016x}{:016x}", digest.high64, digest.low64);
}

TEST(RunHash, DependsOnAllButTheSeconds) {
    const std::vector<Metrics> metrics{metricsOf(1), metricsOf(2)};
    const auto hash = runHash(metrics, tensors());
    EXPECT_EQ(hash.size(), 32u);
    auto later = metrics;
    later[1].seconds = 99;
    EXPECT_EQ(runHash(later, tensors()), hash);

    auto changed = metrics;
    changed[1].values[0].second = std::nextafter(changed[1].values[0].second, 1);
    EXPECT_NE(runHash(changed, tensors()), hash);
    changed = metrics;
    changed[0].values[0].first = "rewards";
    EXPECT_NE(runHash(changed, tensors()), hash);
    changed = metrics;
    changed[1].iteration = 3;
    EXPECT_NE(runHash(changed, tensors()), hash);
    auto moved = tensors();
    std::swap(moved[0], moved[1]);
    EXPECT_NE(runHash(metrics, moved), hash);
    moved = tensors();
    moved[0].tensor.shape = {4};
    EXPECT_NE(runHash(metrics, moved), hash);
    moved = tensors();
    moved[1].tensor.values[2] = 0;
    EXPECT_NE(runHash(metrics, moved), hash);
    EXPECT_EQ(runHash({}, {}), runHash({}, {}));
}

TEST(RunHash, IsXxh3OverTheBytesOfMetricsAndTensors) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<Metrics> metrics{
        metricsOf(0), {7, 1, {{"loss", nan}, {"reward", -0.0}, {"x", -nan}}}, {9, 1, {}}};
    EXPECT_EQ(runHash(metrics, tensors()), hashOfBytes(metrics, tensors()));
    EXPECT_EQ(runHash({}, {}), hashOfBytes({}, {}));
}

TEST(RunHash, RefusesAnotherNumberOfIterationsThanAnnounced) {
    RunHash hash(2);
    hash.add(metricsOf(0));
    EXPECT_THAT(sentenceOf([&] { hash.finish({}); }), HasSubstr("while its metrics were read"));
}

class RunSummaryTest : public testing::Test {
protected:
    RunSummary summaryOf(const std::vector<Metrics>& metrics) {
        auto store = RunStore::create(run_, R"({"raphe":1})");
        for (const auto& row : metrics) store.appendMetrics(row);
        store.commit();
        return summarise(RunReader::open(run_), tensors());
    }

    TemporaryDirectory temporary_;
    std::filesystem::path run_ = temporary_ / "run";
};

TEST_F(RunSummaryTest, AveragesTheLastTwentiethOfTheIterations) {
    std::vector<Metrics> metrics;
    for (std::int64_t i = 0; i < 59; ++i) metrics.push_back({i, 0, {{"loss", static_cast<double>(i)}, {"x", 1}}});
    using Values = decltype(RunSummary::metrics);
    EXPECT_EQ(summaryOf(metrics).metrics, (Values{{"loss", 57.5}, {"x", 1}})) << "59 / 20 is 2 iterations";
}

TEST_F(RunSummaryTest, AveragesAtLeastOneIteration) {
    using Values = decltype(RunSummary::metrics);
    EXPECT_EQ(summaryOf({{0, 0, {{"loss", 3}}}, {1, 0, {{"loss", 5}}}}).metrics, (Values{{"loss", 5}}));
}

TEST_F(RunSummaryTest, OfARunWithoutIterationsHasAHashAndNoMetrics) {
    const auto summary = summaryOf({});
    EXPECT_EQ(summary.hash, hashOfBytes({}, tensors()));
    EXPECT_TRUE(summary.metrics.empty());
}

TEST_F(RunSummaryTest, ReadsNumbersThatADatabaseColumnDoesNotKeep) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<Metrics> metrics{metricsOf(1),
                                       {2, 1, {{"loss", nan}, {"reward", -0.0}, {"x", -nan}, {"y", 5e-324}}}};
    EXPECT_EQ(summaryOf(metrics).hash, hashOfBytes(metrics, tensors()));
}

TEST_F(RunSummaryTest, OfManyIterationsEqualsTheFormulaOverAllOfThem) {
    const auto iterations = static_cast<std::int64_t>(3 * RunStore::maxBufferedRows + 7);
    std::vector<Metrics> metrics; // what neither the store nor the summary may hold
    for (std::int64_t i = 0; i < iterations; ++i) metrics.push_back(metricsOf(i));
    const auto summary = summaryOf(metrics);
    EXPECT_EQ(summary.hash, hashOfBytes(metrics, tensors()));

    const std::size_t count = metrics.size() / 20;
    for (std::size_t m = 0; m < 2; ++m) {
        double mean = 0;
        for (std::size_t i = metrics.size() - count; i < metrics.size(); ++i)
            mean += metrics[i].values[m].second / static_cast<double>(count);
        EXPECT_EQ(summary.metrics[m].first, metrics.back().values[m].first);
        EXPECT_EQ(summary.metrics[m].second, mean);
    }
}

} // namespace
} // namespace raphe
