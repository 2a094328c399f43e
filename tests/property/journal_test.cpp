// SPDX-License-Identifier: Apache-2.0
// A journal holds what was done to a document, whenever the program ends and whatever becomes of the file.
#include "engine/base/files.h"
#include "engine/editing/document.h"
#include "engine/editing/journal.h"
#include "support.h"
#include "support/random_edits.h"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

namespace raphe::test {
namespace {

namespace fs = std::filesystem;

/// A random command that fits, or an undo or redo now and then. @return whether the document changed
bool step(RandomEdits& edits, Document& document) {
    switch (edits.below(8)) {
    case 0:
        return document.undo();
    case 1:
        return document.redo();
    default:
        try {
            return document.execute(edits.next(document), edits.below(3) == 0 ? "drag" : "");
        } catch (const Error&) {
            return false;
        }
    }
}

class JournalTest : public testing::Test {
protected:
    JournalTest() : folder_(fs::path(testing::TempDir()) / ("raphe_journal_" + std::to_string(getpid()))) {
        fs::remove_all(folder_);
        fs::create_directories(folder_);
        fs::copy_file(resourceFolder() / "experiments" / "cue_small_A.json", file());
    }
    ~JournalTest() override { fs::remove_all(folder_); }

    fs::path file() const { return folder_ / "mine.json"; }
    fs::path journals() const { return folder_ / "journals"; }
    std::unique_ptr<Document> open() const { return Document::open(file().string(), registry()); }
    void write(const fs::path& path, const std::string& bytes) const {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    }
    /// What a program leaves that does this to the document and is killed.
    void leave(const std::function<void(Document&)>& edit) const {
        const pid_t child = fork();
        if (child == 0) {
            const auto document = open();
            document->keepJournal(journals());
            edit(*document);
            kill(getpid(), SIGKILL);
        }
        int status = 0;
        waitpid(child, &status, 0);
    }

    fs::path folder_;
};

TEST_F(JournalTest, LosesAtMostTheLastCommandWhenItsProgramIsKilled) {
    for (std::uint32_t round = 0; round < 50; ++round) {
        SCOPED_TRACE(round);
        int ends[2];
        ASSERT_EQ(pipe(ends), 0);
        const pid_t child = fork();
        if (child == 0) {
            const auto document = open();
            document->keepJournal(journals());
            RandomEdits edits(round);
            for (int i = 0; i < 1'000'000; ++i)
                if (step(edits, *document) && ::write(ends[1], "x", 1) != 1) break;
            _exit(1);
        }
        close(ends[1]);
        char first = 0;
        ASSERT_EQ(::read(ends[0], &first, 1), 1);
        std::this_thread::sleep_for(std::chrono::microseconds(RandomEdits(round).below(20'000)));
        kill(child, SIGKILL);
        int status = 0;
        waitpid(child, &status, 0);
        std::size_t told = 1;
        for (char c = 0; ::read(ends[0], &c, 1) == 1;) ++told;
        close(ends[0]);

        const auto left = journalsIn(journals());
        ASSERT_EQ(left.size(), 1u);
        auto recovery = Recovery::of(left.front(), registry());
        ASSERT_TRUE(recovery.document) << recovery.message;
        EXPECT_GE(recovery.commands, told);
        EXPECT_LE(recovery.commands, told + 1);
        // The same commands once more.
        const auto expected = open();
        RandomEdits edits(round);
        for (std::size_t done = 0; done < recovery.commands;) done += step(edits, *expected) ? 1 : 0;
        EXPECT_EQ(recovery.document->text(), expected->text());
        EXPECT_EQ(recovery.document->canUndo(), expected->canUndo());
        while (recovery.document->undo()) {
        }
        EXPECT_EQ(recovery.document->text(), open()->text());
        recovery.document.reset();
        fs::remove(left.front());
    }
}

TEST_F(JournalTest, GoesWhenTheDocumentIsClosed) {
    {
        const auto document = open();
        document->keepJournal(journals());
        document->execute({{"command", "set_name"}, {"name", "other"}});
        EXPECT_FALSE(fs::is_empty(journals()));
        EXPECT_TRUE(journalsIn(journals()).empty()) << "it is in use";
        EXPECT_THROW(open()->keepJournal(journals()), Error);
    }
    EXPECT_TRUE(fs::is_empty(journals()));
}

TEST_F(JournalTest, BeginsAnewWhenTheDocumentIsSavedAndKnowsWhatIsUndoneThen) {
    std::string expected;
    const auto edit = [&](Document& document) {
        const auto name = [&](const char* text) { document.execute({{"command", "set_name"}, {"name", text}}); };
        name("one");
        name("two");
        document.save();
        document.undo();
        name("three");
        document.undo();
        document.undo();
        document.redo();
    };
    const auto same = open();
    edit(*same);
    same->save(folder_ / "expected.json");
    fs::copy_file(resourceFolder() / "experiments" / "cue_small_A.json", file(), fs::copy_options::overwrite_existing);
    leave(edit);
    const auto left = journalsIn(journals());
    ASSERT_EQ(left.size(), 1u);
    auto recovery = Recovery::of(left.front(), registry());
    ASSERT_TRUE(recovery.document) << recovery.message;
    EXPECT_EQ(recovery.commands, 5u);
    EXPECT_EQ(recovery.document->text(), same->text());
    EXPECT_TRUE(recovery.document->modified());
    EXPECT_EQ(recovery.message.find("changed since"), std::string::npos) << recovery.message;
    // A recovered document goes on with a journal of its own, in place of the old one.
    recovery.document->keepJournal(journals());
    EXPECT_TRUE(journalsIn(journals()).empty());
    recovery.document.reset();
    EXPECT_TRUE(fs::is_empty(journals()));
}

TEST_F(JournalTest, TellsWhatWasLost) {
    leave([](Document& document) {
        document.execute({{"command", "set_name"}, {"name", "one"}});
        document.execute({{"command", "set_name"}, {"name", "two"}});
    });
    const auto path = journalsIn(journals()).front();
    auto bytes = readBytes(path, 1 << 20);
    bytes.resize(bytes.size() - 5);
    write(path, bytes);
    write(file(), "{\"raphe\": 1}");
    const auto recovery = Recovery::of(path, registry());
    ASSERT_TRUE(recovery.document);
    EXPECT_EQ(recovery.document->json()["name"], "one");
    EXPECT_EQ(recovery.file, file());
    EXPECT_NE(recovery.message.find("recovered 1 command;"), std::string::npos) << recovery.message;
    EXPECT_NE(recovery.message.find("damaged or incomplete"), std::string::npos) << recovery.message;
    EXPECT_NE(recovery.message.find("changed since"), std::string::npos) << recovery.message;
}

TEST_F(JournalTest, IsSetAsideWhenItMakesNoSense) {
    leave([](Document& document) {
        RandomEdits edits(3);
        for (int i = 0; i < 30; ++i) step(edits, document);
    });
    const auto path = journalsIn(journals()).front();
    const auto whole = readBytes(path, 1 << 20);
    RandomEdits random(1);
    int recovered = 0, aside = 0;
    for (int round = 0; round < 500; ++round) {
        auto bytes = whole;
        for (int i = 1 + random.below(3); i > 0; --i) {
            const auto at = static_cast<std::size_t>(random.below(bytes.size()));
            switch (random.below(4)) {
            case 0:
                bytes.resize(at);
                break;
            case 1:
                bytes.insert(at, std::string(1 + static_cast<std::size_t>(random.below(9)), 'f'));
                break;
            case 2:
                bytes.erase(at, 1 + static_cast<std::size_t>(random.below(40)));
                break;
            default:
                if (at < bytes.size()) bytes[at] = static_cast<char>(random.below(256));
            }
        }
        write(path, bytes);
        const auto recovery = Recovery::of(path, registry());
        EXPECT_FALSE(recovery.message.empty());
        EXPECT_EQ(fs::exists(path), recovery.document != nullptr);
        ++(recovery.document ? recovered : aside);
        if (recovery.document) recovery.document->problems();
    }
    EXPECT_GT(recovered, 10);
    EXPECT_GT(aside, 10);
}

} // namespace
} // namespace raphe::test
