// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/document/json_reader.h"
#include "raphe/declaration.h"

#include <QString>
#include <QWidget>

#include <functional>
#include <string>

class QLabel;
class QToolButton;

namespace raphe {

/// What a value may be, for people: "default 200 · integer ≥ 1 · ms".
QString rangeText(const ParamInfo& info);
/// A value as one types it.
QString valueText(const ParamValue& value);
/// What was typed, as JSON: numbers, lists and booleans where they parse, otherwise a text.
Json typedValue(const QString& text);

/// One hyper-parameter with its documentation. Wrong input is explained below the field and goes nowhere.
class ParameterEditor final : public QWidget {
    Q_OBJECT

public:
    using Write = std::function<void(const Json& value)>;
    /// @param write  takes a value that may be  @param reset  takes the value back to the default
    ParameterEditor(const ParamInfo& info, const ParamValue& value, Write write, const std::function<void()>& reset);

    const std::string& key() const { return info_.key; }
    bool changed() const { return changed_; }
    /// A complaint of the engine about the value that is written.
    void setProblem(const QString& sentence);

private:
    void tryText(const QString& text, bool write);

    ParamInfo info_;
    Write write_;
    bool changed_;
    QWidget* field_;
    QLabel* problem_;
};

/// The same look for a field of the document that is no hyper-parameter.
/// @param write  throws Error if the value cannot be
QWidget* fieldEditor(const QString& label, const QString& value, const QString& help, bool changed,
                     const std::function<void(const Json&)>& write, const std::function<void()>& reset);

} // namespace raphe
