// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/scripting/code_edit.h"
#include "gui/scripting/script_runner.h"

#include <QTimer>
#include <QWidget>

#include <filesystem>
#include <memory>

class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;

namespace raphe {

class ScriptDraft;

/// A script in a tab: its text, what it prints, and running it.
class ScriptTab final : public QWidget {
    Q_OBJECT

public:
    /// What a script gets from the window when it runs, and what completion knows.
    struct Surroundings {
        std::function<std::weak_ptr<Document>()> document; ///< that scripts have as e
        std::function<std::filesystem::path()> runs;
        std::function<CompletionSource()> completion;
        std::filesystem::path drafts; ///< folder of unsaved texts; empty: none are kept
    };
    ScriptTab(const PluginHost& plugins, Surroundings surroundings, QWidget* parent = nullptr);
    ~ScriptTab() override;

    /// @throws Error if it cannot be read
    void load(const std::filesystem::path& file);
    /// A text that has not been saved. @param file  it belongs to; empty: none
    void setUnsaved(const QString& text, const std::filesystem::path& file = {});
    /// @throws Error
    void save(const std::filesystem::path& file);
    const std::filesystem::path& file() const { return file_; }
    QString title() const;
    bool modified() const;
    /// Whether there is something to lose.
    bool unsaved() const { return modified() && !(file_.empty() && edit_->length() == 0); }
    bool running() const { return runner_.running(); }

    void run();
    void stop() { runner_.stop(); }
    CodeEdit& editor() { return *edit_; }
    QString output() const;

Q_SIGNALS:
    void changed();       ///< its title, whether it is saved, whether it runs
    void ended(int code); ///< a run of it

private:
    void showRunning();
    void finish(int code, const QString& error);
    void check();

    const PluginHost& plugins_;
    Surroundings surroundings_;
    std::filesystem::path file_;
    bool neverSaved_ = false; ///< its text as it was given is not in its file
    CodeEdit* edit_;
    QPlainTextEdit* output_;
    QPushButton *run_, *stop_;
    QLineEdit* arguments_;
    QLabel* state_;
    QTimer checkSoon_;
    std::unique_ptr<LuaHost> checker_; ///< compiles only
    std::unique_ptr<ScriptDraft> draft_;
    ScriptRunner runner_;
};

} // namespace raphe
