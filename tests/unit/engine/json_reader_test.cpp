// SPDX-License-Identifier: Apache-2.0
#include "engine/document/json_reader.h"

#include "temporary_directory.h"

#include <gmock/gmock.h>

#include <chrono>
#include <random>

namespace raphe {
namespace {

using test::sentenceOf;
using test::TemporaryDirectory;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::string refusal(const std::string& text, const JsonLimits& limits = {}) {
    return sentenceOf([&] { parseJson(text, "file.json", limits); });
}

TEST(JsonReader, KeepsValuesAndTheOrderOfMembers) {
    const auto document =
        parseJson(R"({"z": [1, -2, 2.5, true, null, "é\u00e9"], "a": {"b": {}}, "c": []})", "file.json");
    EXPECT_EQ(document.dump(), R"({"z":[1,-2,2.5,true,null,"éé"],"a":{"b":{}},"c":[]})");
    EXPECT_EQ(document["a"]["b"], nlohmann::ordered_json::object());
    EXPECT_EQ(parseJson(" 7 ", "file.json"), 7);
    EXPECT_EQ(parseJson("18446744073709551615", "file.json").get<std::uint64_t>(), 18446744073709551615u);
}

TEST(JsonReader, ReadsWhatItWrites) {
    const TemporaryDirectory directory;
    const auto document = parseJson(R"({"x": [0.1, 1e-300, -9223372036854775808], "y": {"z": "\n"}})", "file.json");
    test::writeFile(directory / "file.json", document.dump(2));
    EXPECT_EQ(readJson(directory / "file.json"), document);
}

TEST(JsonReader, NamesLineAndColumnInCharacters) {
    EXPECT_THAT(refusal("{\n  \"é\": tru\n}"), StartsWith("file.json:2:11: "));
    EXPECT_THAT(refusal("{\"a\": 1,\n \"a\": 2}"), StartsWith("file.json:2:2: the key \"a\" appears twice"));
}

TEST(JsonReader, RefusesDuplicateKeysAlsoWhenWrittenDifferently) {
    EXPECT_THAT(refusal(R"({"ab": 1, "\u0061b": 2})"),
                AllOf(StartsWith("file.json:1:11: "), HasSubstr("appears twice")));
    EXPECT_THAT(refusal(R"({"x": {"a\"": 1, "a\"": 2}})"),
                AllOf(StartsWith("file.json:1:18: "), HasSubstr("appears twice")));
    EXPECT_NO_THROW(parseJson(R"([{"a": 1}, {"a": {"a": 2}}])", "file.json"));
}

TEST(JsonReader, RefusesNumbersThatAreNotFinite) {
    for (const auto* word : {"NaN", "nan", "Infinity", "-Infinity", "inf", "-inf"})
        EXPECT_THAT(refusal("{\"x\": " + std::string(word) + "}"),
                    AllOf(HasSubstr("expected a finite number, got \"" + std::string(word) + "\""),
                          StartsWith("file.json:1:")));
}

TEST(JsonReader, RefusesNumbersOutOfRange) {
    EXPECT_THAT(refusal("[1, 1e999]"), AllOf(StartsWith("file.json:1:5: "), HasSubstr("out of range")));
    EXPECT_THAT(refusal("[-1e999, 1]"), AllOf(StartsWith("file.json:1:2: "), HasSubstr("out of range")));
    EXPECT_THAT(refusal("18446744073709551616"), HasSubstr("the integer \"18446744073709551616\" is out of range"));
    EXPECT_THAT(refusal("[-9223372036854775809]"), HasSubstr("out of range"));
    EXPECT_THAT(refusal("1" + std::string(1000, '0')), HasSubstr("out of range"));
}

TEST(JsonReader, RefusesWhatIsNotJson) {
    for (const auto* text : {"",          " ",           "{",        "[1,",      "[1,]",          "{\"a\":}",
                             "{\"a\" 1}", "{a: 1}",      "'a'",      "[1] 2",    "{} // comment", "/* */ 1",
                             "01",        "+1",          ".5",       "1.",       "tru",           "\"a",
                             "\"\\x\"",   "\"\\ud800\"", "\"a\nb\"", "\"\xff\"", "\"\xc0\x80\"",  "\xff",
                             "]",         "[}",          "\xef\xbb"})
        EXPECT_THAT(refusal(text), AllOf(StartsWith("file.json"), testing::Not(HasSubstr("json.exception")))) << text;
    EXPECT_THAT(refusal(std::string("{}\0{}", 5)), AllOf(StartsWith("file.json:1:3: "), HasSubstr("zero byte")));
}

TEST(JsonReader, StopsAtTheDepthLimitWhateverTheDepth) {
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    EXPECT_NO_THROW(parseJson(nested(64), "file.json"));
    EXPECT_THAT(refusal(nested(65)), AllOf(StartsWith("file.json:1:65: "), HasSubstr("deeper than 64 levels")));
    EXPECT_THAT(refusal(nested(100'000)), HasSubstr("deeper than 64 levels"));
    EXPECT_THAT(refusal(std::string(100'000, '[')), HasSubstr("deeper than 64 levels"));
    std::string objects;
    for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
    EXPECT_THAT(refusal(objects), HasSubstr("deeper than 64 levels"));
}

TEST(JsonReader, StopsAtTheLimitsOfSizeAndNumber) {
    EXPECT_THAT(refusal("[1,2,3]", {.bytes = 6}), HasSubstr("more than the 6 allowed"));
    EXPECT_THAT(refusal("[1,2,3]", {.values = 3}), HasSubstr("more than 3 values"));
    EXPECT_NO_THROW(parseJson("[1,2,3]", "file.json", {.bytes = 7, .values = 4}));
    const TemporaryDirectory directory;
    test::writeFile(directory / "big.json", "[1,2,3]");
    EXPECT_THAT(sentenceOf([&] { readJson(directory / "big.json", {.bytes = 6}); }),
                HasSubstr("larger than the 6 bytes"));
}

TEST(JsonReader, ReadsALargeObjectInLinearTime) {
    std::string text = "{";
    for (int i = 0; i < 200'000; ++i) text += "\"key" + std::to_string(i) + "\":" + std::to_string(i) + ",";
    text.back() = '}';
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(parseJson(text, "file.json").size(), 200'000u);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20)); // quadratic time needs minutes
}

TEST(JsonReader, SaysWhyAFileCannotBeRead) {
    const TemporaryDirectory directory;
    EXPECT_THAT(sentenceOf([&] { readJson(directory / "none.json"); }), HasSubstr("none.json: there is no such file"));
    EXPECT_THAT(sentenceOf([&] { readJson(directory.path()); }), HasSubstr("is a directory"));
}

TEST(JsonReader, SurvivesTruncatedAndMutatedDocuments) {
    const std::string document =
        R"({"raphe": 1, "nodes": {"agent": {"mechanism": "model.rnn", "params": {"hidden": 64, "tau": 1.5e1, "on": true}}},)"
        R"( "wires": [["task.cue", "agent.u"], ["é\u00e9\ud83d\ude00", null]], "seed": -12, "list": [1, 2.5, -3e-7]})";
    ASSERT_NO_THROW(parseJson(document, "file.json"));
    for (std::size_t length = 0; length < document.size(); ++length) EXPECT_NE(refusal(document.substr(0, length)), "");
    std::mt19937 random(20);
    int refused = 0;
    for (int round = 0; round < 2000; ++round) {
        auto text = document;
        for (auto edits = 1 + random() % 4; edits > 0; --edits) {
            const auto at = random() % text.size();
            switch (random() % 3) {
            case 0:
                text[at] = static_cast<char>(random() % 256);
                break;
            case 1:
                text.erase(at, 1 + random() % 5);
                break;
            default:
                text.insert(at, text.substr(random() % text.size(), random() % 20));
            }
        }
        try {
            parseJson(text, "file.json");
        } catch (const Error&) {
            ++refused;
        }
    }
    EXPECT_GT(refused, 1000);
}

} // namespace
} // namespace raphe
