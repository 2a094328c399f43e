// SPDX-License-Identifier: GPL-3.0-or-later
// Every file that the window reads, damaged: it says so, keeps what there was, and goes on.
#include "dialog_answers.h"
#include "engine/base/files.h"
#include "engine/editing/journal.h"
#include "gui/runs/runs_panel.h"
#include "gui/scripting/script_draft.h"
#include "gui/scripting/script_tab.h"
#include "gui/shell/main_window.h"
#include "gui/shell/notice_bar.h"
#include "gui/shell/settings_guard.h"
#include "gui/watching/trial_panel.h"
#include "mutations.h"
#include "window_support.h"

#include <QDir>
#include <QFileInfo>
#include <QSettings>
#include <QStandardPaths>
#include <QTabWidget>
#include <QTemporaryDir>

#include <fstream>

namespace raphe {
namespace {

using test::DialogAnswers;
using test::eventually;
using test::Mutations;
using test::plugins;

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& bytes) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
}
std::string read(const fs::path& path) { return readBytes(path, 1 << 26); }

fs::path dataFolder() { return QStandardPaths::writableLocation(QStandardPaths::AppDataLocation).toStdString(); }

int corruptOnes(const fs::path& folder) {
    return static_cast<int>(QDir{QString::fromStdString(folder.string())}.entryList({"*.corrupt-*"}).size());
}

class CorruptInputs : public testing::Test {
protected:
    CorruptInputs() { QSettings{}.clear(); }
    ~CorruptInputs() override {
        QSettings{}.clear();
        QSettings{}.sync();
        for (const char* name : {"journals", "scripts"}) fs::remove_all(dataFolder() / name);
    }
    fs::path settingsFile() { return QSettings{}.fileName().toStdString(); }

    QTemporaryDir folder;
};

TEST_F(CorruptInputs, SettingsAreSetAsideAndTheWindowStarts) {
    {
        MainWindow window{plugins(), folder.path().toStdString()};
        window.show();
        window.close();
    }
    QSettings settings;
    settings.setValue("recent/files", QStringList{"/a.json", "/b c, d.json"});
    settings.setValue("console/history", QStringList{"e:undo()", "for i = 1, 2 do\nprint(i)\nend"});
    settings.setValue("window/appearance", 0);
    settings.sync();
    EXPECT_EQ(setAsideBrokenSettings(), QString{}) << "what the window writes itself is in order";
    const std::string whole = read(settingsFile());
    ASSERT_GT(whole.size(), 300u);
    Mutations mutations{1};
    int aside = 0;
    for (int round = 0; round < 120; ++round) {
        const std::string broken = mutations.of(whole);
        write(settingsFile(), broken);
        QSettings{}.sync();
        const QString sentence = setAsideBrokenSettings();
        const auto file = QSettings{}.fileName();
        if (!sentence.isEmpty()) {
            ++aside;
            bool kept = false;
            for (const QString& name : QFileInfo{file}.dir().entryList({"*.corrupt-*"}))
                kept = kept || read((QFileInfo{file}.dir().path() + "/" + name).toStdString()) == broken;
            EXPECT_TRUE(kept) << sentence.toStdString();
            EXPECT_TRUE(QSettings{}.allKeys().isEmpty());
        }
        if (round % 4 != 0) continue; // a window is dear
        MainWindow window{plugins(), folder.path().toStdString()};
        window.show();
        QCoreApplication::processEvents();
        EXPECT_TRUE(window.isVisible());
        EXPECT_GE(window.width(), 300);
    }
    EXPECT_GT(aside, 10);
}

TEST_F(CorruptInputs, ALayoutThatDoesNotMatchItsSumIsNeverTriedAndKept) {
    QByteArray layout;
    {
        MainWindow window{plugins(), folder.path().toStdString()};
        window.show();
        window.close();
        layout = QSettings{}.value("window/layout").toByteArray();
    }
    ASSERT_GT(layout.size(), 100);
    Mutations mutations{2};
    for (int round = 0; round < 20; ++round) {
        const std::string broken = mutations.of(layout.toStdString());
        if (broken == layout.toStdString()) continue;
        QSettings{}.setValue("window/layout", QByteArray::fromStdString(broken));
        const int before = corruptOnes(settingsFile().parent_path());
        MainWindow window{plugins(), folder.path().toStdString()};
        window.show();
        EXPECT_TRUE(window.notices().text().contains("The layout of the window could not be used"));
        EXPECT_FALSE(QSettings{}.contains("window/layout"));
        EXPECT_EQ(corruptOnes(settingsFile().parent_path()), before + 1);
    }
    storeChecked("window/layout", "no layout at all, but whole");
    MainWindow window{plugins(), folder.path().toStdString()};
    EXPECT_TRUE(window.notices().text().isEmpty());
}

TEST_F(CorruptInputs, JournalsAreRecoveredOrSetAsideWithANotice) {
    const auto journals = dataFolder() / "journals";
    const auto file = fs::path(folder.path().toStdString()) / "edited.json";
    write(file, R"({"raphe": 1, "name": "edited", "nodes": {}, "wires": []})");
    std::string whole;
    fs::path path;
    {
        auto document = Document::open(file.string(), plugins().registry());
        document->keepJournal(journals);
        for (int i = 1; i < 20; ++i) document->execute({{"command", "set_field"}, {"field", "trials"}, {"value", i}});
        path = fs::directory_iterator(journals)->path();
        whole = read(path);
    }
    Mutations mutations{3};
    int recovered = 0, aside = 0;
    for (int round = 0; round < 40; ++round) {
        const std::string broken = mutations.of(whole);
        write(path, broken);
        DialogAnswers answers{{"Recover", "Discard"}};
        const int before = corruptOnes(journals);
        MainWindow window{plugins(), folder.path().toStdString()};
        window.show();
        window.recoverJournals();
        auto* tabs = window.centralWidget()->findChild<QTabWidget*>();
        if (tabs->count() == 2) {
            ++recovered;
            EXPECT_EQ(answers.seen(), QStringList{"Recover unsaved work"});
        } else if (corruptOnes(journals) > before) {
            ++aside;
            EXPECT_TRUE(window.notices().text().contains("corrupt-")) << window.notices().text().toStdString();
        }
        window.close();
    }
    EXPECT_GT(recovered, 5);
    EXPECT_GT(aside, 3);
}

TEST_F(CorruptInputs, DocumentsAreRefusedWithOneSentenceAndStayAsTheyAre) {
    MainWindow window{plugins(), folder.path().toStdString()};
    window.show();
    const auto file = fs::path(folder.path().toStdString()) / "document.json";
    const auto whole = Document::open("cue_small_A_simple", plugins().registry())->text();
    Mutations mutations{4};
    auto* tabs = window.centralWidget()->findChild<QTabWidget*>();
    int refused = 0;
    for (int round = 0; round < 60; ++round) {
        const std::string broken = mutations.of(whole);
        write(file, broken);
        DialogAnswers answers{{"OK", "Discard"}};
        CanvasView* view = window.open(QString::fromStdString(file.string()));
        if (!view) {
            ++refused;
            ASSERT_EQ(answers.seen().size(), 1);
            EXPECT_TRUE(answers.seen().front().contains("document.json")) << answers.seen().front().toStdString();
        } else {
            QCoreApplication::processEvents();
            Q_EMIT tabs->tabCloseRequested(tabs->indexOf(view));
        }
        EXPECT_EQ(read(file), broken);
        EXPECT_EQ(tabs->count(), 1);
    }
    EXPECT_GT(refused, 10);
}

TEST_F(CorruptInputs, ScriptsAndTheirDraftsAreShownOrRefused) {
    MainWindow window{plugins(), folder.path().toStdString()};
    window.show();
    const auto file = fs::path(folder.path().toStdString()) / "script.lua";
    const std::string whole =
        "local raphe = require \"raphe\"\nfor i = 1, 3 do print(i, 'ünïcode') end -- [[ ]]\nreturn 3\n";
    Mutations mutations{5};
    auto* tabs = window.centralWidget()->findChild<QTabWidget*>();
    int refused = 0, shown = 0;
    for (int round = 0; round < 60; ++round) {
        const std::string broken = mutations.of(whole);
        write(file, broken);
        DialogAnswers answers{{"OK", "Discard"}};
        ScriptTab* tab = window.openScript(QString::fromStdString(file.string()));
        if (!tab) {
            ++refused;
            ASSERT_EQ(answers.seen().size(), 1);
        } else {
            ++shown;
            EXPECT_EQ(tab->editor().text().toStdString(), broken) << "what is saved again is what was read";
            Q_EMIT tabs->tabCloseRequested(tabs->indexOf(tab));
        }
        EXPECT_EQ(read(file), broken);
    }
    EXPECT_GT(refused, 5);
    EXPECT_GT(shown, 5);

    const auto draft = fs::path(folder.path().toStdString()) / "drafts" / "one.draft";
    const std::string left = "{\"raphe_script\":1,\"file\":\"a.lua\",\"text\":\"print(1)\"\n}";
    int unusable = 0;
    for (int round = 0; round < 60; ++round) {
        write(draft, mutations.of(left));
        QStringList sentences;
        if (!scriptsIn(draft.parent_path(), sentences).empty()) continue;
        ++unusable;
        EXPECT_EQ(sentences.size(), 1);
        EXPECT_FALSE(fs::exists(draft));
    }
    EXPECT_GT(unusable, 10);
}

TEST_F(CorruptInputs, RunDatabasesAreShownOrPassedOver) {
    const auto runs = fs::path(folder.path().toStdString()) / "runs";
    RunOptions options;
    options.folder = runs / "whole";
    runExperiment(test::tinyExperiment(5), plugins(), options);
    const auto database = read(runs / "whole" / "run.sqlite"), document = read(runs / "whole" / "experiment.json");
    Mutations mutations{6};
    for (int round = 0; round < 25; ++round) {
        const auto broken = runs / ("broken" + std::to_string(round));
        // Pages are large: damage in many places, so that some of it matters.
        auto bytes = database;
        for (int i = 0; i < 20; ++i) bytes = mutations.of(bytes).size() > 100 ? mutations.of(bytes) : bytes;
        write(broken / "run.sqlite", round % 5 == 0 ? database : bytes);
        write(broken / "experiment.json", round % 5 == 0 ? mutations.of(document) : document);
    }
    MainWindow window{plugins(), runs.string()};
    window.show();
    DialogAnswers answers{{"OK", "Discard"}};
    window.runs().refresh();
    ASSERT_TRUE(eventually([&] { return window.runs().model().rowCount() > 0; }));
    for (int round = 0; round < 25; ++round) {
        const auto broken = runs / ("broken" + std::to_string(round));
        Q_EMIT window.runs().curvesWanted(broken, "broken");
        Q_EMIT window.runs().documentWanted(broken);
        Q_EMIT window.runs().resumeWanted(broken);
        if (round % 5 == 0) Q_EMIT window.runs().playWanted(broken, "broken", std::nullopt);
        QCoreApplication::processEvents();
    }
    EXPECT_TRUE(eventually([&] { return !window.queue().anyActive(); }));
    EXPECT_GT(answers.seen().size(), 5);
    for (int tab = window.centralWidget()->findChild<QTabWidget*>()->count() - 1; tab > 0; --tab)
        Q_EMIT window.centralWidget()->findChild<QTabWidget*>()->tabCloseRequested(tab);
}

} // namespace
} // namespace raphe
