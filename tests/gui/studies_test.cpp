// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/studies/study_panel.h"
#include "window_support.h"

#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTextBrowser>

#include <gtest/gtest.h>

#include <fstream>

namespace raphe {
namespace {

class StudiesPanel : public testing::Test {
protected:
    StudiesPanel() : panel_(test::plugins(), folder_.path().toStdString() + "/studies") {}
    QString write(int iterations) const {
        const auto file = folder_.filePath("s.study.json");
        std::ofstream(file.toStdString())
            << R"({"raphe_study": 1, "name": "s", "doc": "Small & quick.", "set": {"trials": 4, "iterations": )"
            << iterations << R"(},
                   "variants": {"simple": {"experiment": "cue_small_A_simple"}, "none": {"experiment": "cue_small_A_none"}}, "seeds": 2,
                   "measures": {"reward": "reward"}, "bars": [{"measure": "reward", "variant": "simple", "at_least": -100}]})";
        return file;
    }
    QPushButton* button(const char* text) const {
        for (auto* item : panel_.findChildren<QPushButton*>())
            if (item->text() == QLatin1String(text)) return item;
        return nullptr;
    }
    int count(StudyRunState state) {
        int result = 0;
        for (const auto& row : panel_.study().snapshot()->rows) result += row.status.state == state;
        return result;
    }
    QTemporaryDir folder_;
    StudyPanel panel_;
};

TEST_F(StudiesPanel, RunsAStudyAndShowsWhatCameOut) {
    panel_.open(write(30));
    ASSERT_TRUE(test::eventually([&] { return panel_.study().snapshot() != nullptr; }));
    EXPECT_EQ(panel_.grid().rowCount(), 2);
    EXPECT_EQ(panel_.grid().columnCount(), 2);
    EXPECT_EQ(panel_.grid().headerData(1, Qt::Vertical, Qt::DisplayRole), "none");
    EXPECT_EQ(panel_.grid().data(panel_.grid().index(0, 0), Qt::DisplayRole), "missing");
    button("Run what is missing")->click();
    EXPECT_TRUE(panel_.study().running());
    ASSERT_TRUE(test::eventually([&] { return !panel_.study().running() && count(StudyRunState::done) == 4; }));
    EXPECT_NE(panel_.grid().data(panel_.grid().index(1, 1), Qt::DisplayRole), "missing");
    const auto text = panel_.findChild<QTextBrowser*>()->toPlainText();
    EXPECT_TRUE(text.contains("Small & quick.")) << text.toStdString();
    EXPECT_TRUE(text.contains("met"));
    EXPECT_TRUE(text.contains("2 of 2"));
}

TEST_F(StudiesPanel, StopsAfterCheckpointsAndGoesOn) {
    panel_.open(write(100000));
    ASSERT_TRUE(test::eventually([&] { return panel_.study().snapshot() != nullptr; }));
    QSignalSpy progress(&panel_.study(), &OpenStudy::progressed);
    button("Run what is missing")->click();
    ASSERT_TRUE(test::eventually([&] { return progress.count() > 3; }));
    button("Stop")->click();
    ASSERT_TRUE(test::eventually([&] {
        return !panel_.study().running() && count(StudyRunState::running) == 0 && count(StudyRunState::interrupted) > 0;
    }));
    EXPECT_EQ(count(StudyRunState::failed), 0);
}

TEST_F(StudiesPanel, SaysWhatIsWrong) {
    QSignalSpy failed(&panel_.study(), &OpenStudy::failed);
    const auto file = folder_.filePath("bad.study.json");
    std::ofstream(file.toStdString()) << R"({"raphe_study": 1, "name": "bad", "sees": 3})";
    panel_.open(file);
    ASSERT_TRUE(test::eventually([&] { return failed.count() == 1; }));
    EXPECT_TRUE(failed.at(0).at(0).toString().contains("did you mean \"seeds\""));
    EXPECT_FALSE(button("Run what is missing")->isEnabled());
}

} // namespace
} // namespace raphe
