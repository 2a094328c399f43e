// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/scripting/code_edit.h"
#include "gui/scripting/console_history.h"
#include "gui/scripting/script_runner.h"

#include <QWidget>

#include <filesystem>
#include <memory>

class QLabel;
class QPlainTextEdit;
class QPushButton;

namespace raphe {

/// Lua, line by line. The global variable e is the document that is in front in the window.
class ConsolePanel final : public QWidget {
    Q_OBJECT

public:
    explicit ConsolePanel(const PluginHost& plugins, QWidget* parent = nullptr);

    void setCompletion(std::function<CompletionSource()> source) { input_->setSource(std::move(source)); }
    void setRuns(std::filesystem::path runs) { runs_ = std::move(runs); }
    /// @param name  empty: no document is open
    void setDocument(std::weak_ptr<Document> document, const QString& name);

    /// Does what is typed, as Enter does; a text that ends too early gets another line. @return whether it runs
    bool enter();
    void stop() { runner_.stop(); }
    bool running() const { return runner_.running(); }
    void focusInput() { input_->setFocus(); }
    CodeEdit& input() { return *input_; }
    QString output() const;

Q_SIGNALS:
    void ended();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    bool pressed(const QKeyEvent& key);
    void put(const QString& text);
    void fitInput();
    void showRunning();

    const PluginHost& plugins_;
    std::filesystem::path runs_;
    std::weak_ptr<Document> document_;
    QPlainTextEdit* output_;
    CodeEdit* input_;
    QLabel* bound_;
    QPushButton *stop_, *clear_;
    ConsoleHistory history_;
    std::unique_ptr<LuaHost> checker_; ///< tells whether a text is complete
    ScriptRunner runner_;
};

} // namespace raphe
