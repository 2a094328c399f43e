// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/scripting/script_output.h"

#include "gui/shell/theme.h"

#include <QFontDatabase>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QTextCursor>

namespace raphe {

QPlainTextEdit* makeScriptOutput() {
    auto* field = new QPlainTextEdit;
    field->setReadOnly(true);
    field->setUndoRedoEnabled(false);
    field->setMaximumBlockCount(20000);
    field->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    field->setFrameShape(QFrame::NoFrame);
    return field;
}

void appendOutput(QPlainTextEdit& field, const QString& text, bool bad, bool faint) {
    QScrollBar& bar = *field.verticalScrollBar();
    const bool atEnd = bar.value() >= bar.maximum() - 2; // who reads further up is left there
    QTextCursor cursor{field.document()};
    cursor.movePosition(QTextCursor::End);
    QTextCharFormat format;
    if (bad) format.setForeground(theme().bad);
    if (faint) format.setForeground(theme().faint);
    cursor.insertText(text, format);
    if (atEnd) bar.setValue(bar.maximum());
}

} // namespace raphe
