// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/studies/study_grid.h"

#include <QWidget>

class QComboBox;
class QLabel;
class QPushButton;
class QTableView;
class QTextBrowser;

namespace raphe {

/// Many runs as one object: the grid of variants and seeds, what came out, and whether the bars are met.
class StudyPanel final : public QWidget {
    Q_OBJECT

public:
    /// @param studies  folder in which studies are kept
    StudyPanel(const PluginHost& plugins, std::filesystem::path studies, QWidget* parent = nullptr);

    void open(const QString& study);
    OpenStudy& study() { return study_; }
    StudyGrid& grid() { return grid_; }

Q_SIGNALS:
    void curvesWanted(const std::filesystem::path& folder, const QString& name);
    void playWanted(const std::filesystem::path& folder, const QString& name);
    void documentWanted(const std::filesystem::path& folder);

private:
    void chooseFile();
    void show();
    void showMenu(const QPoint& at);
    void say(const QString& text, bool bad = false);
    QString resultsText() const;

    std::filesystem::path studies_;
    OpenStudy study_;
    StudyGrid grid_;
    QComboBox* choice_;
    QTableView* view_;
    QTextBrowser* results_;
    QLabel* state_;
    QPushButton *run_, *stop_, *report_;
};

} // namespace raphe
