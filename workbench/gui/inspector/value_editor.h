// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/document/json_reader.h"
#include "gui/shell/open_document.h"
#include "raphe/declaration.h"

#include <QString>
#include <QWidget>

#include <functional>
#include <string>

class QLabel;
class QLineEdit;

namespace raphe {

/// A value of a document that can be edited: what it is, and the commands that change it.
struct EditedValue {
    ParamInfo info = {};    ///< key: its label
    std::string place = {}; ///< "nodes.agent.hidden": names the editor
    Json value = {};        ///< null: it is not stated
    Json resetValue = {};   ///< null: there is no default
    std::function<Json(const Json& value)> command = {};
    Json resetCommand = {}; ///< null: it cannot be reset
    std::string base = {};  ///< that says the reset value; empty: it is the default
    bool longText = false;

    bool changed() const { return !resetValue.is_null() && value != resetValue; }
};

/// What a value may be, for people: "default 200 · integer ≥ 1 · ms".
QString rangeText(const EditedValue& value);
/// A value as one types it.
QString valueText(const Json& value);
/// A sentence beside the field that it is about need not say where that is.
QString withoutPlace(const std::string& sentence);
/// What was typed, as JSON: numbers, lists and booleans where they parse, otherwise a text.
Json typedValue(const QString& text, ParamType type);

/// One value with its unit, range, default and meaning: a check box, a choice, a number with arrows, or a line of text.
/// Wrong input is explained below the field, in the engine's words, and goes nowhere. A value that differs from what a
/// reset gives stands out.
class ValueEditor final : public QWidget {
    Q_OBJECT

public:
    ValueEditor(OpenDocument& document, EditedValue value, QWidget* parent = nullptr);

    bool changed() const { return value_.changed(); }
    /// A complaint of the engine about the value that is written.
    void setProblem(const QString& sentence);

private:
    QWidget* makeField();
    void explain(const QString& text);
    void write(const QString& text);
    void writeValue(const Json& value, const std::string& mergeKey = {});

    OpenDocument& document_;
    EditedValue value_;
    QLabel* problem_;
};

/// Lets undo and redo pass from a line of text to the document as long as nothing was typed into it.
void passUndoOn(QLineEdit& edit);

QLabel* smallLabel(const QString& words, const QColor& color);

} // namespace raphe
