// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/scripting/scintilla.h"
#include "gui/scripting/script_completion.h"

#include <functional>

namespace raphe {

/// A field for Lua: highlighting in the colours of the window, completion, and marks on lines with a mistake.
class CodeEdit : public QsciScintilla {
    Q_OBJECT

public:
    /// @param lines  with line numbers, for whole scripts
    explicit CodeEdit(bool lines, QWidget* parent = nullptr);

    /// Asked whenever something is to be completed.
    void setSource(std::function<CompletionSource()> source) { source_ = std::move(source); }
    /// Shows what may stand at the caret. @param wanted  by the user: also where nothing was typed yet
    void complete(bool wanted);
    /// The text up to the caret.
    QString beforeCaret() const;
    bool completing() const { return isListActive(); }
    /// Closes a list whose choice is typed to its end: Enter then means the line, not the list.
    void closeFinishedList();

    /// Marks a line (from 1) and writes the sentence below it.
    void markMistake(int line, const QString& sentence);
    void clearMistakes();
    /// Lines (from 1) that are marked.
    std::vector<int> mistakes() const;
    void showLine(int line);

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    void applyTheme();
    void typed(int letter);

    QsciLexerLua* lexer_;
    const bool lines_;
    std::function<CompletionSource()> source_;
    std::vector<int> mistakes_;
};

} // namespace raphe
