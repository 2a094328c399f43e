// SPDX-License-Identifier: Apache-2.0
#include "engine/base/files.h"

#include "temporary_directory.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

namespace raphe {
namespace {

using test::readFile;
using test::sentenceOf;
using test::TemporaryDirectory;
using testing::HasSubstr;

TEST(Files, WritesAndReadsBackEveryByte) {
    const TemporaryDirectory directory;
    const std::string bytes("a\0b\xff\n", 5);
    writeAtomically(directory / "file", bytes);
    EXPECT_EQ(readBytes(directory / "file", 5), bytes);
    writeAtomically(directory / "file", "");
    EXPECT_EQ(readBytes(directory / "file", 5), "");
}

TEST(Files, ReplacesTheContentAndKeepsTheModeOfAnExistingFile) {
    const TemporaryDirectory directory;
    test::writeFile(directory / "file", "old and longer");
    ::chmod((directory / "file").c_str(), 0640);
    writeAtomically(directory / "file", "new");
    EXPECT_EQ(readFile(directory / "file"), "new");
    struct stat status {};
    ASSERT_EQ(::stat((directory / "file").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0640u);
    EXPECT_EQ(directory.entries(), 1u);
}

TEST(Files, LeavesTargetAndDirectoryAsTheyWereWithoutCommit) {
    const TemporaryDirectory directory;
    test::writeFile(directory / "file", "old");
    {
        const AtomicFile file(directory / "file");
        test::writeFile(file.temporary(), "half");
        EXPECT_EQ(directory.entries(), 2u);
    }
    EXPECT_EQ(readFile(directory / "file"), "old");
    EXPECT_EQ(directory.entries(), 1u);
}

TEST(Files, WritesThroughASymbolicLink) {
    const TemporaryDirectory directory;
    test::writeFile(directory / "target", "old");
    std::filesystem::create_symlink("target", directory / "link");
    writeAtomically(directory / "link", "new");
    EXPECT_TRUE(std::filesystem::is_symlink(directory / "link"));
    EXPECT_EQ(readFile(directory / "target"), "new");
}

TEST(Files, SaysWhyAFileCannotBeWritten) {
    const TemporaryDirectory directory;
    EXPECT_THAT(sentenceOf([&] { writeAtomically(directory / "missing/file", "x"); }),
                HasSubstr("create its directory first"));
    EXPECT_THAT(sentenceOf([&] { writeAtomically(directory.path(), "x"); }), HasSubstr("not a regular file"));
    EXPECT_EQ(directory.entries(), 0u);
}

TEST(Files, SaysWhyAFileCannotBeRead) {
    const TemporaryDirectory directory;
    EXPECT_THAT(sentenceOf([&] { readBytes(directory / "missing", 10); }), HasSubstr("there is no such file"));
    EXPECT_THAT(sentenceOf([&] { readBytes(directory.path(), 10); }), HasSubstr("is a directory"));
    ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
    EXPECT_THAT(sentenceOf([&] { readBytes(directory / "pipe", 10); }), HasSubstr("not a regular file"));
    test::writeFile(directory / "long", "0123456789a");
    EXPECT_THAT(sentenceOf([&] { readBytes(directory / "long", 10); }), HasSubstr("larger than the 10 bytes"));
}

TEST(Files, ReadsFilesWhoseSizeTheSystemDoesNotKnow) {
    EXPECT_FALSE(readBytes("/proc/self/status", 1 << 20).empty());
    EXPECT_THAT(sentenceOf([&] { readBytes("/proc/self/status", 10); }), HasSubstr("larger than the 10 bytes"));
}

} // namespace
} // namespace raphe
