// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/runs/runs_model.h"

#include <QWidget>

#include <filesystem>

class QLabel;
class QLineEdit;
class QPushButton;
class QTreeView;

namespace raphe {

/// The runs that are stored below a folder.
class RunsPanel final : public QWidget {
    Q_OBJECT

public:
    explicit RunsPanel(std::filesystem::path root, QWidget* parent = nullptr);

    const std::filesystem::path& root() const { return root_; }
    /// Reads the folder anew, on another thread.
    void refresh();
    RunsModel& model() { return model_; }

Q_SIGNALS:
    void curvesWanted(const std::filesystem::path& folder, const QString& name);
    void playWanted(const std::filesystem::path& folder, const QString& name);
    void resumeWanted(const std::filesystem::path& folder);
    void documentWanted(const std::filesystem::path& folder);
    void rootChanged(const std::filesystem::path& root);

private:
    std::vector<RunEntry> chosen() const;
    void chooseRoot();
    void showMenu(const QPoint& at);
    void updateButtons();
    void trash(const std::vector<RunEntry>& runs);

    std::filesystem::path root_;
    RunsModel model_;
    QTreeView* view_;
    QLineEdit* filter_;
    QLabel *state_, *where_;
    QPushButton *curves_, *play_, *resume_;
    bool reading_ = false;
};

} // namespace raphe
