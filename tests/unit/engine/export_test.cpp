// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/export.h"

#include "engine/base/npz.h"
#include "temporary_directory.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace raphe {
namespace {

using test::readFile;
using test::sentenceOf;
using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const double nan = std::numeric_limits<double>::quiet_NaN();
const std::vector<NamedTensor> tensors{{"agent.w", {{2, 2}, {1, 0.1, -3, 4}, Precision::float64}},
                                       {"agent.b", {{2}, {5, 6}, Precision::float32}}};
const std::vector<Table> tables{{"metrics", {"iteration", "loss, \"mean\""}, {{1, 0.1}, {2, nan}}}};

TEST(Export, WritesTheTableAsCsvAndTensorsBesideIt) {
    const TemporaryDirectory directory;
    EXPECT_THAT(exportTensors(directory / "run.csv", tensors, tables),
                ElementsAre(directory / "run.csv", directory / "run.agent.w.csv", directory / "run.agent.b.csv"));
    EXPECT_EQ(readFile(directory / "run.csv"),
              "iteration,\"loss, \"\"mean\"\"\"\r\n1,0.10000000000000001\r\n2,nan\r\n");
    EXPECT_EQ(readFile(directory / "run.agent.w.csv"), "1,0.10000000000000001\r\n-3,4\r\n");
    EXPECT_EQ(readFile(directory / "run.agent.b.csv"), "5\r\n6\r\n");
    EXPECT_EQ(directory.entries(), 3u);
}

TEST(Export, WritesATensorThatIsAloneToTheFileItself) {
    const TemporaryDirectory directory;
    exportTensors(directory / "w.csv", {{"agent.w", {{2, 1, 2}, {1, 2, 3, 4}, Precision::float64}}});
    EXPECT_EQ(readFile(directory / "w.csv"), "1,2\r\n3,4\r\n");
    EXPECT_EQ(directory.entries(), 1u);
}

TEST(Export, RefusesCsvFilesThatWouldOverwriteEachOther) {
    const TemporaryDirectory directory;
    EXPECT_THAT(sentenceOf([&] {
                    exportTensors(directory / "run.csv", {{"a/b", {{}, {1}}}, {"a_b", {{}, {2}}}});
                }),
                HasSubstr("run.a_b.csv: two tables or tensors"));
    EXPECT_EQ(directory.entries(), 0u);
}

TEST(Export, WritesColumnsOfTablesAsArraysOfAnNpz) {
    const TemporaryDirectory directory;
    auto finite = tables;
    finite[0].rows[1][1] = 7;
    finite[0].columns[1] = "loss";
    exportTensors(directory / "run.npz", tensors, finite);
    auto expected = tensors;
    expected.push_back({"metrics/iteration", {{2}, {1, 2}, Precision::float64}});
    expected.push_back({"metrics/loss", {{2}, {0.1, 7}, Precision::float64}});
    EXPECT_EQ(readNpz(directory / "run.npz"), expected);
    EXPECT_NO_THROW(exportTensors(directory / "gaps.NPZ", tensors, tables)); // NaN is a missing value here
}

TEST(Export, WritesHdf5WithItsSignatureAndTheSameBytesEachTime) {
    const TemporaryDirectory directory;
    exportTensors(directory / "run.h5", tensors, tables);
    exportTensors(directory / "again.hdf5", tensors, tables);
    EXPECT_THAT(readFile(directory / "run.h5"), StartsWith("\x89HDF\r\n\x1a\n"));
    EXPECT_EQ(readFile(directory / "run.h5"), readFile(directory / "again.hdf5"));
    EXPECT_EQ(directory.entries(), 2u);
}

TEST(Export, RefusesHdf5NamesThatCollide) {
    const TemporaryDirectory directory;
    const auto refusal = [&](const std::string& first, const std::string& second) {
        return sentenceOf([&] { exportTensors(directory / "run.h5", {{first, {{}, {1}}}, {second, {{}, {2}}}}); });
    };
    EXPECT_THAT(refusal("a.b", "a/b"), HasSubstr("two tensors or columns would be stored as \"a/b\""));
    EXPECT_THAT(refusal("a", "a.b"), HasSubstr("\"a\" cannot be a tensor and the group of \"a/b\""));
    EXPECT_THAT(refusal("a..b", "c"), HasSubstr("empty part"));
    EXPECT_EQ(directory.entries(), 0u);
}

TEST(Export, ListsTheAllowedExtensions) {
    const TemporaryDirectory directory;
    for (const auto* name : {"run.mat", "run", "run.npz.txt"})
        EXPECT_THAT(sentenceOf([&] { exportTensors(directory / name, tensors); }),
                    HasSubstr("must end in .npz, .csv, .h5 or .hdf5"));
}

TEST(Export, RefusesTablesAndTensorsOfTheWrongShape) {
    const TemporaryDirectory directory;
    EXPECT_THAT(sentenceOf([&] {
                    exportTensors(directory / "run.csv", {}, {{"t", {"a", "b"}, {{1, 2}, {1}}}});
                }),
                HasSubstr("row 1 of table \"t\" has 1 values, expected 2"));
    EXPECT_THAT(sentenceOf([&] {
                    exportTensors(directory / "run.h5", {{"w", {{3}, {1}}}});
                }),
                HasSubstr("as its shape says"));
    EXPECT_THAT(sentenceOf([&] { exportTensors(directory / "run.h5", {}); }), HasSubstr("nothing to export"));
}

} // namespace
} // namespace raphe
