// SPDX-License-Identifier: Apache-2.0
#include "engine/base/npz.h"

#include "temporary_directory.h"

#include <gmock/gmock.h>
#include <zip.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace raphe {
namespace {

using test::sentenceOf;
using test::TemporaryDirectory;
using testing::HasSubstr;

const std::vector<NamedTensor> examples{
    {"agent.recurrent_weight", {{2, 3}, {1, 2, 3, 4, 5, 6.5}, Precision::float64}},
    {"agent.bias", {{3}, {0.5, -0.0, 1e-40}, Precision::float64}},
    {"metrics/loss", {{1}, {0.1f}, Precision::float32}},
    {"scalar", {{}, {7}, Precision::float64}},
    {"empty", {{0, 4}, {}, Precision::float32}},
    {"cube-é", {{2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7}, Precision::float32}},
};

struct RawEntry {
    std::string name, bytes;
    int method = ZIP_CM_STORE;
};

/// An archive as any program could have made it.
void writeArchive(const std::filesystem::path& path, const std::vector<RawEntry>& entries) {
    int code = 0;
    auto* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
    ASSERT_NE(archive, nullptr);
    for (const auto& entry : entries) {
        auto* source = zip_source_buffer(archive, entry.bytes.data(), entry.bytes.size(), 0);
        const auto index = zip_file_add(archive, entry.name.c_str(), source, ZIP_FL_ENC_UTF_8);
        ASSERT_GE(index, 0);
        zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), entry.method, 0);
    }
    ASSERT_EQ(zip_close(archive), 0);
}

template <class T>
std::string npy(const std::string& header, const std::vector<T>& values) {
    std::string bytes("\x93NUMPY\x01\0", 8);
    bytes += static_cast<char>(header.size() & 0xff);
    bytes += static_cast<char>(header.size() >> 8);
    bytes += header;
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
    return bytes;
}

template <class T>
std::string npy(const std::string& type, bool fortran, const std::string& shape, const std::vector<T>& values) {
    return npy("{'descr': '" + type + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape +
                   ", }\n",
               values);
}

class Npz : public testing::Test {
protected:
    Tensor readOne(const std::string& bytes, int method = ZIP_CM_STORE) {
        writeArchive(file_, {{"x.npy", bytes, method}});
        const auto tensors = readNpz(file_);
        return tensors.at(0).tensor;
    }
    std::string refusal(const std::vector<RawEntry>& entries, const NpzLimits& limits = {}) {
        writeArchive(file_, entries);
        return sentenceOf([&] { readNpz(file_, limits); });
    }
    std::string refusal(const std::string& bytes) { return refusal({{"x.npy", bytes}}); }

    TemporaryDirectory directory_;
    std::filesystem::path file_ = directory_ / "a.npz";
};

TEST_F(Npz, ReturnsWhatWasWritten) {
    writeNpz(file_, examples);
    EXPECT_EQ(readNpz(file_), examples);
    EXPECT_TRUE(std::signbit(readNpz(file_)[1].tensor.values[1]));
    EXPECT_EQ(directory_.entries(), 1u);
}

TEST_F(Npz, GivesEqualBytesForEqualTensors) {
    writeNpz(file_, examples);
    writeNpz(directory_ / "b.npz", examples);
    EXPECT_EQ(test::readFile(file_), test::readFile(directory_ / "b.npz"));
}

TEST_F(Npz, WritesAnArchiveWithoutTensors) {
    writeNpz(file_, {});
    EXPECT_TRUE(readNpz(file_).empty());
}

TEST_F(Npz, ReadsEveryDocumentedType) {
    EXPECT_EQ(readOne(npy<float>("<f4", false, "(2,)", {0.1f, 2})), (Tensor{{2}, {0.1f, 2}, Precision::float32}));
    EXPECT_EQ(readOne(npy<double>("<f8", false, "(2, 1)", {0.1, 2})), (Tensor{{2, 1}, {0.1, 2}, Precision::float64}));
    EXPECT_EQ(readOne(npy<std::int32_t>("<i4", false, "(1,)", {-5})), (Tensor{{1}, {-5}, Precision::float64}));
    EXPECT_EQ(readOne(npy<std::int64_t>("<i8", false, "()", {1LL << 53})),
              (Tensor{{}, {9007199254740992.0}, Precision::float64}));
    EXPECT_EQ(readOne(npy<char>("|b1", false, "(2,)", {1, 0})), (Tensor{{2}, {1, 0}, Precision::float64}));
}

TEST_F(Npz, ReadsFortranOrderAndDeflatedEntries) {
    // [[1, 2, 3], [4, 5, 6]] by columns.
    EXPECT_EQ(readOne(npy<double>("<f8", true, "(2, 3)", {1, 4, 2, 5, 3, 6}), ZIP_CM_DEFLATE),
              (Tensor{{2, 3}, {1, 2, 3, 4, 5, 6}, Precision::float64}));
    EXPECT_EQ(readOne(npy<double>("<f8", true, "(2, 2, 2)", {0, 4, 2, 6, 1, 5, 3, 7})),
              (Tensor{{2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7}, Precision::float64}));
}

TEST_F(Npz, RefusesNumbersThatAreNotFiniteWithTheirPlace) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THAT(sentenceOf([&] {
                    writeNpz(file_, {{"agent.w", {{2}, {1, nan}, Precision::float64}}});
                }),
                HasSubstr("tensor \"agent.w\" holds nan at index 1"));
    EXPECT_THAT(sentenceOf([&] {
                    writeNpz(file_, {{"agent.w", {{1}, {1e200}, Precision::float32}}});
                }),
                HasSubstr("holds inf at index 0"));
    EXPECT_EQ(directory_.entries(), 0u);
    EXPECT_THAT(refusal(npy<double>("<f8", false, "(2,)", {1, nan})), HasSubstr("array \"x\": holds nan at index 1"));
    EXPECT_THAT(refusal(npy<float>("<f4", false, "(1,)", {-std::numeric_limits<float>::infinity()})),
                HasSubstr("holds -inf at index 0"));
}

TEST_F(Npz, RefusesIntegersAndBytesThatItCannotHold) {
    EXPECT_THAT(refusal(npy<std::int64_t>("<i8", false, "(1,)", {(1LL << 53) + 1})),
                HasSubstr("beyond 2^53 at index 0"));
    EXPECT_THAT(refusal(npy<std::int64_t>("<i8", false, "(1,)", {std::numeric_limits<std::int64_t>::min()})),
                HasSubstr("beyond 2^53"));
    EXPECT_THAT(refusal(npy<char>("|b1", false, "(1,)", {2})), HasSubstr("neither true nor false"));
}

TEST_F(Npz, RefusesTypesThatItDoesNotRead) {
    EXPECT_THAT(refusal(npy<double>(">f8", false, "(1,)", {1})), HasSubstr("has the type \">f8\""));
    EXPECT_THAT(refusal(npy<char>("|O", false, "(1,)", {1})), HasSubstr("astype('float64')"));
    EXPECT_THAT(refusal(npy<double>("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", {1})),
                HasSubstr("a structured type"));
}

TEST_F(Npz, RefusesHeadersThatAreNotExactlyOurDictionary) {
    for (const std::string header :
         {"", "{", "{}", "{'descr': '<f8'}", "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} x",
          "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'more': 1}",
          "{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}",
          "{'descr': '<f8', 'fortran_order': Maybe, 'shape': (1,)}",
          "{'descr': '<f8', 'fortran_order': False, 'shape': (1)}",
          "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
          "{'descr': '<f8', 'fortran_order': False, 'shape': 1}",
          "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1}",
          "{'descr': '<f8', 'fortran_order': False, 'shape': (1e0,)}",
          "{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,)}",
          "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)"})
        EXPECT_THAT(refusal(npy<double>(header, {1})), HasSubstr(".npy header is not valid")) << header;
}

TEST_F(Npz, RefusesShapesThatDoNotFitTheEntryBeforeAllocating) {
    for (const std::string shape : {"(2,)", "()", "(999999999999999999,)", "(4294967296, 4294967296)", "(0,)",
                                    "(999999999999999999, 999999999999999999, 0)"})
        EXPECT_THAT(refusal(npy<double>("<f8", false, shape, {1, 2, 3})), HasSubstr("does not fit the 24 bytes"))
            << shape;
    EXPECT_THAT(refusal(npy<double>("<f8", false, "(9999999999999999999,)", {1})), HasSubstr("an extent is too large"));
    std::string many;
    for (int i = 0; i < 33; ++i) many += "1, ";
    EXPECT_THAT(refusal(npy<double>("<f8", false, "(" + many + ")", {1})), HasSubstr("more than 32 dimensions"));
}

TEST_F(Npz, RefusesArchivesBeyondTheLimits) {
    const auto array = npy<double>("<f8", false, "(3,)", {1, 2, 3});
    EXPECT_THAT(refusal({{"a.npy", array}, {"b.npy", array}}, {.bytes = 47}),
                HasSubstr("all tensors together exceed 47 bytes"));
    EXPECT_THAT(refusal({{"a.npy", array}, {"b.npy", array}}, {.entries = 1}),
                HasSubstr("has 2 entries, expected at most 1"));
    // One byte on disk, eight in memory.
    EXPECT_THAT(refusal({{"a.npy", npy("|b1", false, "(6,)", std::vector<char>(6))}}, {.bytes = 47}),
                HasSubstr("exceed 47 bytes"));
}

TEST_F(Npz, RefusesAnArchiveThatClaimsMoreThanDeflateCanHold) {
    writeArchive(file_, {{"x.npy", npy("<f8", false, "(20000,)", std::vector<double>(20000)), ZIP_CM_DEFLATE}});
    auto bytes = test::readFile(file_);
    const auto central = bytes.rfind("PK\x01\x02");
    ASSERT_NE(central, std::string::npos);
    const std::uint32_t size = 0xF0000000u;
    std::memcpy(bytes.data() + central + 24, &size, 4);
    test::writeFile(file_, bytes);
    EXPECT_THAT(sentenceOf([&] { readNpz(file_); }), HasSubstr("claims 4026531840 bytes"));
}

TEST_F(Npz, RefusesNamesThatAreUnsafeOrRepeated) {
    const auto array = npy<double>("<f8", false, "(1,)", {1});
    for (const std::string name :
         {"../x.npy", "/x.npy", "a//b.npy", "a/./b.npy", "a\\b.npy", "C:x.npy", "a\nb.npy", ".npy"})
        EXPECT_THAT(refusal({{name, array}}), HasSubstr("rename the array")) << name;
    EXPECT_THAT(refusal({{"readme.txt", array}}), HasSubstr("is not a .npy array"));
    EXPECT_THAT(sentenceOf([&] { writeNpz(file_, {examples[0], examples[0]}); }), HasSubstr("two tensors are called"));
    EXPECT_THAT(sentenceOf([&] { writeNpz(file_, {{"../up", examples[0].tensor}}); }), HasSubstr("rename the tensor"));
    EXPECT_THAT(sentenceOf([&] {
                    writeNpz(file_, {{"w", {{3}, {1, 2}, Precision::float64}}});
                }),
                HasSubstr("one value an entry"));

    // libzip does not write two entries of one name, so rename one in the bytes.
    writeArchive(file_, {{"aa.npy", array}, {"ab.npy", array}});
    auto bytes = test::readFile(file_);
    for (auto at = bytes.find("ab.npy"); at != std::string::npos; at = bytes.find("ab.npy")) bytes[at + 1] = 'a';
    test::writeFile(file_, bytes);
    EXPECT_THAT(sentenceOf([&] { readNpz(file_); }), HasSubstr("the array \"aa\" appears twice"));
}

TEST_F(Npz, NoticesAChangedValueByTheChecksumOfTheArchive) {
    writeNpz(file_, examples);
    auto bytes = test::readFile(file_);
    const double value = 6.5;
    const auto at = bytes.find(std::string(reinterpret_cast<const char*>(&value), 8));
    ASSERT_NE(at, std::string::npos);
    bytes[at + 5] ^= 1;
    test::writeFile(file_, bytes);
    EXPECT_THAT(sentenceOf([&] { readNpz(file_); }), HasSubstr("is damaged"));
}

TEST_F(Npz, SaysWhyAFileCannotBeRead) {
    EXPECT_THAT(sentenceOf([&] { readNpz(file_); }), HasSubstr("there is no such file"));
    EXPECT_THAT(sentenceOf([&] { readNpz(directory_.path()); }), HasSubstr("is not a file"));
    test::writeFile(file_, "not an archive");
    EXPECT_THAT(sentenceOf([&] { readNpz(file_); }), HasSubstr("is not a readable .npz archive"));
    EXPECT_THAT(refusal("no array"), HasSubstr("is not a .npy array"));
    EXPECT_THAT(refusal(""), HasSubstr("ends too early"));
}

TEST_F(Npz, SurvivesTruncatedAndMutatedArchives) {
    writeNpz(file_, examples);
    const auto stored = test::readFile(file_);
    writeArchive(file_, {{"x.npy", npy<double>("<f8", true, "(2, 3)", {1, 4, 2, 5, 3, 6}), ZIP_CM_DEFLATE},
                         {"y.npy", npy<std::int64_t>("<i8", false, "(2,)", {1, 2}), ZIP_CM_DEFLATE}});
    const auto deflated = test::readFile(file_);
    std::mt19937 random(21);
    int refused = 0, read = 0;
    const auto tryToRead = [&](const std::string& bytes) {
        test::writeFile(file_, bytes);
        try {
            readNpz(file_);
            ++read;
        } catch (const Error&) {
            ++refused;
        }
    };
    for (std::size_t length = 0; length < stored.size(); length += 7) tryToRead(stored.substr(0, length));
    EXPECT_EQ(read, 0);
    for (int round = 0; round < 3000; ++round) {
        auto bytes = round % 2 ? stored : deflated;
        for (auto edits = 1 + random() % 4; edits > 0; --edits) {
            // Half of the edits hit the directory at the end, where the sizes are.
            const auto at = random() % 2 ? random() % bytes.size() : bytes.size() - 1 - random() % (bytes.size() / 4);
            bytes[at] = static_cast<char>(random() % 4 ? random() % 256 : 0xff);
        }
        tryToRead(bytes);
    }
    EXPECT_GT(refused, 1000);
}

} // namespace
} // namespace raphe
