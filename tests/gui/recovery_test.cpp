// SPDX-License-Identifier: GPL-3.0-or-later
// Crashes, second windows and closing: nothing is lost.
#include "dialog_answers.h"
#include "engine/base/files.h"
#include "engine/editing/journal.h"
#include "engine/runs/run_list.h"
#include "gui/scripting/script_tab.h"
#include "gui/shell/main_window.h"
#include "gui/shell/notice_bar.h"
#include "window_support.h"

#include <QDir>
#include <QProcess>
#include <QStandardPaths>
#include <QTabWidget>
#include <QTemporaryDir>

#include <fstream>
#include <random>

namespace raphe {
namespace {

using test::DialogAnswers;
using test::eventually;
using test::plugins;

namespace fs = std::filesystem;

fs::path journals() {
    return fs::path(QStandardPaths::writableLocation(QStandardPaths::AppDataLocation).toStdString()) / "journals";
}

class Recovering : public testing::Test {
protected:
    Recovering() {
        file = fs::path(folder.path().toStdString()) / "mine.json";
        Document::open("cue_small_A_simple", plugins().registry())->save(file);
    }
    ~Recovering() override { fs::remove_all(journals()); }

    /// A journal as a crash leaves it: nobody has it open, and it is still there.
    std::string leaveJournal(int commands) {
        const auto document = Document::open(file.string(), plugins().registry());
        document->keepJournal(journals());
        for (int i = 1; i <= commands; ++i)
            document->execute({{"command", "set_field"}, {"field", "trials"}, {"value", 100 + i}});
        fs::copy(journals(), journals().string() + ".left",
                 fs::copy_options::recursive | fs::copy_options::overwrite_existing);
        return document->text();
    }
    void crash() {
        fs::remove_all(journals());
        fs::rename(journals().string() + ".left", journals());
    }
    QTabWidget* tabs(MainWindow& window) { return window.centralWidget()->findChild<QTabWidget*>(); }
    CanvasView* viewAt(MainWindow& window, int tab) { return qobject_cast<CanvasView*>(tabs(window)->widget(tab)); }

    QTemporaryDir folder;
    fs::path file;
};

TEST_F(Recovering, ADocumentIsOfferedWithItsNameCommandsAndTime) {
    const auto text = leaveJournal(3);
    crash();
    MainWindow window{plugins(), folder.path().toStdString()};
    window.show();
    {
        DialogAnswers answers{{"Later"}};
        window.recoverJournals();
        EXPECT_EQ(answers.seen().size(), 1);
        EXPECT_EQ(tabs(window)->count(), 1);
        EXPECT_EQ(journalsIn(journals()).size(), 1u) << "later means later";
    }
    RecoveryDialog shown{{{"mine.json", "3 commands", QDateTime::currentDateTime(), ""}}, "Later"};
    EXPECT_EQ(shown.checked(), std::vector<bool>{true});
    DialogAnswers answers{{"Recover"}};
    window.recoverJournals();
    ASSERT_EQ(tabs(window)->count(), 2);
    EXPECT_EQ(viewAt(window, 1)->document().document().text(), text);
    EXPECT_TRUE(viewAt(window, 1)->document().document().modified());
    EXPECT_TRUE(tabs(window)->tabText(1).contains("●"));
    EXPECT_TRUE(journalsIn(journals()).empty()) << "it goes on with a journal of its own";
}

TEST_F(Recovering, OpeningADocumentOffersItsJournalToo) {
    leaveJournal(2);
    crash();
    MainWindow window{plugins(), folder.path().toStdString()};
    window.show();
    {
        DialogAnswers answers{{"Cancel"}};
        EXPECT_FALSE(window.open(QString::fromStdString(file.string())));
        EXPECT_EQ(tabs(window)->count(), 1);
        EXPECT_EQ(journalsIn(journals()).size(), 1u);
    }
    DialogAnswers answers{{"Discard"}};
    CanvasView* view = window.open(QString::fromStdString(file.string()));
    ASSERT_TRUE(view);
    EXPECT_FALSE(view->document().document().modified());
    EXPECT_EQ(answers.seen().size(), 1);
}

TEST_F(Recovering, WhatWasUndoneIsNotOffered) {
    {
        const auto document = Document::open(file.string(), plugins().registry());
        const auto blank = Document::create("untitled", plugins().registry());
        const auto work = Document::create("work", plugins().registry());
        for (auto* opened : {document.get(), blank.get(), work.get()}) {
            opened->keepJournal(journals());
            opened->execute({{"command", "set_field"}, {"field", "trials"}, {"value", 7}});
        }
        document->undo();
        blank->undo();
        fs::copy(journals(), journals().string() + ".left",
                 fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    }
    crash();
    ASSERT_EQ(journalsIn(journals()).size(), 3u);
    MainWindow window{plugins(), folder.path().toStdString()};
    window.show();
    CanvasView* view = nullptr;
    {
        DialogAnswers answers;
        view = window.open(QString::fromStdString(file.string()));
        ASSERT_TRUE(view);
        EXPECT_TRUE(answers.seen().isEmpty()) << answers.seen().front().toStdString();
    }
    DialogAnswers answers{{"Recover"}};
    window.recoverJournals();
    EXPECT_EQ(answers.seen().size(), 1);
    ASSERT_EQ(tabs(window)->count(), 3) << "the start page, the file, and what was being worked on";
    EXPECT_EQ(viewAt(window, 2)->document().experiment().name, "work");
}

TEST_F(Recovering, ASecondWindowIsToldAndMayLookOrCopy) {
    MainWindow first{plugins(), folder.path().toStdString()}, second{plugins(), folder.path().toStdString()};
    first.show();
    second.show();
    CanvasView* here = first.open(QString::fromStdString(file.string()));
    ASSERT_TRUE(here);
    {
        DialogAnswers answers{{"Cancel"}};
        EXPECT_FALSE(second.open(QString::fromStdString(file.string())));
        ASSERT_EQ(answers.seen().size(), 1);
        EXPECT_TRUE(answers.seen().front().contains("open in another window"));
    }
    {
        DialogAnswers answers{{"read-only"}};
        CanvasView* there = second.open(QString::fromStdString(file.string()));
        ASSERT_TRUE(there);
        QString refused;
        QObject::connect(&there->document(), &OpenDocument::refused, [&](const QString& why) { refused = why; });
        const auto before = there->document().document().text();
        EXPECT_FALSE(there->document().execute({{"command", "set_name"}, {"name", "other"}}));
        EXPECT_TRUE(refused.contains("read-only"));
        EXPECT_EQ(there->document().document().text(), before);
        EXPECT_TRUE(tabs(second)->tabText(1).contains("read-only"));
        Q_EMIT tabs(second)->tabCloseRequested(1);
    }
    {
        DialogAnswers answers{{"copy"}};
        CanvasView* copy = second.open(QString::fromStdString(file.string()));
        ASSERT_TRUE(copy);
        EXPECT_TRUE(copy->document().document().path().empty());
        EXPECT_TRUE(copy->document().execute({{"command", "set_name"}, {"name", "other"}}));
    }
    DialogAnswers answers{{"Discard"}};
    EXPECT_TRUE(second.close());
    EXPECT_TRUE(here->document().execute({{"command", "set_name"}, {"name", "still mine"}}));
    EXPECT_TRUE(first.close());
}

TEST_F(Recovering, QuittingSavesAllOrNothing) {
    MainWindow window{plugins(), folder.path().toStdString()};
    window.show();
    CanvasView* view = window.open(QString::fromStdString(file.string()));
    view->document().execute({{"command", "set_name"}, {"name", "changed"}});
    ScriptTab* script = window.createScript("print('hello')");
    {
        DialogAnswers answers{{"Cancel"}};
        EXPECT_FALSE(window.close());
        ASSERT_EQ(answers.seen().size(), 1) << "one question for all";
        EXPECT_TRUE(answers.seen().front().contains("mine"));
        EXPECT_TRUE(answers.seen().front().contains("untitled.lua"));
        EXPECT_EQ(tabs(window)->count(), 3);
    }
    const auto path = folder.path() + "/script.lua";
    script->save(path.toStdString());
    script->editor().append("\n-- more");
    DialogAnswers answers{{"Save"}};
    EXPECT_TRUE(window.close());
    EXPECT_EQ(Document::open(file.string(), plugins().registry())->json()["name"], "changed");
    EXPECT_EQ(readBytes(path.toStdString(), 1000), "print('hello')\n-- more");
    EXPECT_TRUE(fs::is_empty(journals()));
}

TEST_F(Recovering, ClosingDuringATrainingStopsItSoThatTheNextWindowResumesIt) {
    fs::path run;
    {
        MainWindow window{plugins(), folder.path().toStdString()};
        window.show();
        CanvasView* view = window.open("cue_small_A_simple");
        for (const auto& [key, value] : {std::pair{"hidden", 6}})
            view->document().execute(
                {{"command", "set_parameter"}, {"node", "agent"}, {"parameter", key}, {"value", value}});
        view->document().execute({{"command", "set_field"}, {"field", "iterations"}, {"value", 1000000}});
        const int row = window.run();
        ASSERT_GE(row, 0);
        run = window.queue().job(row).folder();
        ASSERT_TRUE(eventually([&] { return window.queue().job(row).status().iteration > 2; }));
        {
            DialogAnswers answers{{"Cancel"}};
            EXPECT_FALSE(window.close());
            EXPECT_TRUE(answers.seen().value(0).contains("Runs are under way"));
            EXPECT_TRUE(window.queue().anyActive());
        }
        DialogAnswers answers{{"Discard"}};
        EXPECT_TRUE(window.close());
    }
    EXPECT_EQ(runEntry(run).state, "interrupted");
    MainWindow again{plugins(), folder.path().toStdString()};
    again.show();
    const int row = again.queue().addResumed(run);
    const auto before = runEntry(run).iterations;
    EXPECT_TRUE(eventually([&] { return again.queue().job(row).status().iteration > before + 2; }));
}

// -- the program itself -----------------------------------------------------------------------------------------------

/// Edits without end; after each it notes what the document is now.
constexpr const char* editing = R"lua(
local random, log, count = raphe.random(tonumber(raphe.args[1] or "1")), io.open("log", "a"), 0
log:setvbuf("no")
while true do
  count = count + 1
  local what = random:integer(5)
  if what == 1 then e:set("trials", 1000 + count)
  elseif what == 2 then e:add_node("n" .. count, "model.dense", { units = count }, { count, -count })
  elseif what == 3 then e:move({ agent = { count, random:integer(100) } })
  elseif what == 4 then e:set_doc("edit " .. count)
  elseif count > 1 then e:undo() else e:set_name("first") end
  log:write(raphe.json.encode(e:text()), "\n")
end
)lua";

/// Complete lines only: the kill may have cut the last one off.
std::vector<std::string> notedTexts(const fs::path& log) {
    std::vector<std::string> texts;
    std::ifstream in(log, std::ios::binary);
    std::string all{std::istreambuf_iterator<char>(in), {}};
    for (std::size_t begin = 0, end = 0; (end = all.find('\n', begin)) != std::string::npos; begin = end + 1)
        texts.push_back(Json::parse(all.substr(begin, end - begin)).get<std::string>());
    return texts;
}

TEST(Killed, TheProgramLosesAtMostTheLastCommand) {
    const int rounds =
        qEnvironmentVariableIntValue("RAPHE_KILLS") > 0 ? qEnvironmentVariableIntValue("RAPHE_KILLS") : 4;
    std::mt19937 random(11);
    for (int round = 0; round < rounds; ++round) {
        QTemporaryDir home;
        const fs::path root = home.path().toStdString();
        fs::create_directories(root / "work");
        std::ofstream(root / "work" / "edit.lua") << editing;
        Document::open("cue_small_A_simple", plugins().registry())->save(root / "work" / "mine.json");
        QProcess program;
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.insert("QT_QPA_PLATFORM", "offscreen");
        for (const char* name : {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"})
            environment.insert(name, home.filePath(name));
        program.setProcessEnvironment(environment);
        program.setWorkingDirectory(home.filePath("work"));
        program.start(RAPHE_WORKBENCH, {"--script", "edit.lua", "mine.json"});
        ASSERT_TRUE(program.waitForStarted());
        const std::uintmax_t least = 200 + random() % 200000; // bytes of the log
        std::error_code none;
        ASSERT_TRUE(eventually(
            [&] {
                const auto size = fs::file_size(root / "work" / "log", none);
                return !none && size > least;
            },
            60000))
            << program.readAllStandardError().toStdString();
        program.kill(); // SIGKILL
        program.waitForFinished();

        const auto texts = notedTexts(root / "work" / "log");
        ASSERT_FALSE(texts.empty());
        const auto left = journalsIn(root / "XDG_DATA_HOME" / "Raphe" / "raphe-workbench" / "journals");
        ASSERT_EQ(left.size(), 1u);
        const auto recovery = Recovery::of(left.front(), plugins().registry());
        ASSERT_TRUE(recovery.document) << recovery.message;
        // What the script has seen done is there; one more may have been done that it had no time to note.
        ASSERT_GE(recovery.commands, texts.size()) << recovery.message;
        ASSERT_LE(recovery.commands, texts.size() + 1) << recovery.message;
        if (recovery.commands == texts.size()) {
            ASSERT_EQ(recovery.document->text(), texts.back());
        }
    }
}

} // namespace
} // namespace raphe
