// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/inspector/value_editor.h"

#include "gui/inspector/number_box.h"
#include "gui/shell/theme.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QToolButton>
#include <QVBoxLayout>
#include <QWheelEvent>

#include <cmath>

namespace raphe {
namespace {

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

/// Scrolling through the inspector must not change what lies under the mouse.
class CalmComboBox final : public QComboBox {
protected:
    void wheelEvent(QWheelEvent* event) override { event->ignore(); }
};

/// A text of several lines; taken over when one leaves it.
class LongText final : public QPlainTextEdit {
public:
    LongText(const QString& words, std::function<void(const QString&)> leave)
        : QPlainTextEdit(words), leave_(std::move(leave)) {
        setTabChangesFocus(true);
        setFixedHeight(fontMetrics().lineSpacing() * 4 + 12);
    }

protected:
    void focusOutEvent(QFocusEvent* event) override {
        QPlainTextEdit::focusOutEvent(event);
        if (document()->isModified()) leave_(toPlainText());
    }

private:
    std::function<void(const QString&)> leave_;
};

class UndoPass final : public QObject {
public:
    explicit UndoPass(QLineEdit& edit) : QObject(&edit) { edit.installEventFilter(this); }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override {
        if (event->type() != QEvent::ShortcutOverride) return false;
        auto* key = static_cast<QKeyEvent*>(event);
        const bool undo = key->matches(QKeySequence::Undo) || key->matches(QKeySequence::Redo);
        if (!undo || static_cast<QLineEdit*>(watched)->isModified()) return false;
        event->ignore();
        return true;
    }
};

} // namespace

void passUndoOn(QLineEdit& edit) { new UndoPass{edit}; }

QLabel* smallLabel(const QString& words, const QColor& color) {
    auto* label = new QLabel{words};
    label->setWordWrap(true);
    QFont font = label->font();
    font.setPointSizeF(font.pointSizeF() * 0.88);
    label->setFont(font);
    QPalette palette = label->palette();
    palette.setColor(QPalette::WindowText, color);
    label->setPalette(palette);
    return label;
}

QString withoutPlace(const std::string& sentence) {
    const auto colon = sentence.find(": ");
    return text(colon != std::string::npos && sentence.find(' ') > colon ? sentence.substr(colon + 2) : sentence);
}

QString valueText(const Json& value) {
    if (value.is_null()) return {};
    if (value.is_string()) return text(value.get<std::string>());
    if (value.is_number_float()) return numberText(value.get<double>());
    if (!value.is_array()) return text(value.dump());
    QStringList parts;
    for (const auto& entry : value) parts << valueText(entry);
    return "[" + parts.join(", ") + "]";
}

QString rangeText(const EditedValue& value) {
    const ParamInfo& info = value.info;
    QStringList parts;
    if (!value.resetValue.is_null() && info.type != ParamType::text && value.base.empty())
        parts << QObject::tr("default %1").arg(valueText(value.resetValue));
    else if (!value.resetValue.is_null() && !value.longText && value.base.empty() && !info.choices.empty())
        parts << QObject::tr("default %1").arg(valueText(value.resetValue));
    else if (!value.base.empty() && !value.longText)
        parts << QObject::tr("%1 in %2").arg(valueText(value.resetValue), text(value.base));
    const bool low = std::isfinite(info.min), high = std::isfinite(info.max) && info.max < 1e9;
    const QString type = info.type == ParamType::integer ? QObject::tr("integer ")
                         : info.type == ParamType::list  ? QObject::tr("list of numbers ")
                                                         : QString{};
    if (low && high)
        parts << type + QStringLiteral("%1 to %2").arg(numberText(info.min), numberText(info.max));
    else if (low)
        parts << type + QStringLiteral("≥ %1").arg(numberText(info.min));
    else if (high)
        parts << type + QStringLiteral("≤ %1").arg(numberText(info.max));
    else if (!type.isEmpty())
        parts << type.trimmed();
    return parts.join(QStringLiteral(" · "));
}

Json typedValue(const QString& typed, ParamType type) {
    if (type == ParamType::text) return Json(typed.toStdString());
    const std::string words = typed.trimmed().toStdString();
    if (words.empty()) return {}; // not stated
    Json value = Json::parse(words, nullptr, false);
    if (value.is_discarded() && type == ParamType::list) value = Json::parse("[" + words + "]", nullptr, false);
    if (value.is_discarded()) return Json(words);
    // 10.0 and 1e3 are whole numbers, too.
    if (type == ParamType::integer && value.is_number_float() &&
        value.get<double>() == std::floor(value.get<double>()) && std::abs(value.get<double>()) < 9e15)
        return static_cast<std::int64_t>(value.get<double>());
    return value;
}

ValueEditor::ValueEditor(OpenDocument& document, EditedValue value, QWidget* parent)
    : QWidget(parent), document_(document), value_(std::move(value)), problem_(smallLabel({}, theme().bad)) {
    const QString name = text(value_.info.key);
    const bool stands = changed();
    QWidget* field = makeField();
    field->setObjectName(text(value_.place));
    field->setAccessibleName(name);
    field->setAccessibleDescription(text(value_.info.help));

    auto* label = new QLabel{name};
    QFont font = label->font();
    font.setBold(stands);
    label->setFont(font);
    label->setBuddy(field);
    if (stands) {
        QPalette palette = label->palette();
        palette.setColor(QPalette::WindowText, theme().accent);
        label->setPalette(palette);
    }
    label->setMinimumWidth(104);
    auto* reset = new QToolButton;
    reset->setText(QStringLiteral("↺"));
    reset->setToolTip(value_.base.empty()
                          ? tr("Back to the default, %1").arg(valueText(value_.resetValue).left(60))
                          : tr("Back to %1, as in %2").arg(valueText(value_.resetValue).left(60), text(value_.base)));
    reset->setAccessibleName(tr("Reset %1").arg(name));
    reset->setAutoRaise(true);
    reset->setFixedWidth(reset->fontMetrics().height() + 4);
    QSizePolicy keeps = reset->sizePolicy();
    keeps.setRetainSizeWhenHidden(true);
    reset->setSizePolicy(keeps);
    reset->setVisible(stands && !value_.resetCommand.is_null());
    connect(reset, &QToolButton::clicked, this, [this] { document_.execute(value_.resetCommand); });

    auto* row = new QHBoxLayout;
    row->setSpacing(4);
    row->addWidget(label);
    if (value_.longText)
        row->addStretch();
    else
        row->addWidget(field, 1);
    if (value_.info.unit != "1") row->addWidget(new QLabel{text(value_.info.unit)});
    row->addWidget(reset);
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(0, 2, 0, 7);
    layout->setSpacing(2);
    layout->addLayout(row);
    if (value_.longText) layout->addWidget(field); // as wide as the inspector
    layout->addWidget(problem_);
    problem_->hide();
    const QString range = rangeText(value_);
    QString help = text(value_.info.help).toHtmlEscaped();
    if (!range.isEmpty()) help += (help.isEmpty() ? "<i>" : "<br><i>") + range.toHtmlEscaped() + "</i>";
    if (!help.isEmpty()) layout->addWidget(smallLabel(help, theme().faint));
}

QWidget* ValueEditor::makeField() {
    const ParamInfo& info = value_.info;
    const QString words = valueText(value_.value);
    if (info.type == ParamType::boolean) {
        auto* box = new QCheckBox;
        box->setChecked(value_.value.is_boolean() && value_.value.get<bool>());
        connect(box, &QCheckBox::toggled, this, [this](bool on) { writeValue(on); });
        return box;
    }
    if (!info.choices.empty()) {
        auto* box = new CalmComboBox;
        for (const auto& choice : info.choices) box->addItem(text(choice));
        box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        box->setCurrentText(words);
        connect(box, &QComboBox::textActivated, this,
                [this](const QString& choice) { writeValue(Json(choice.toStdString())); });
        return box;
    }
    if (info.type == ParamType::integer || info.type == ParamType::real) {
        auto* box = new NumberBox{info, words};
        passUndoOn(*box->findChild<QLineEdit*>());
        connect(box, &NumberBox::edited, this, [this, box] { explain(box->value()); });
        connect(box, &NumberBox::stepped, this, [this](const QString& number) {
            writeValue(typedValue(number, value_.info.type), "step " + value_.place);
        });
        connect(box, &QAbstractSpinBox::editingFinished, this, [this, box] {
            if (!box->typed()) return;
            box->takenOver();
            write(box->value());
        });
        return box;
    }
    if (value_.longText) return new LongText{words, [this](const QString& typed) { write(typed); }};
    auto* edit = new QLineEdit{words};
    edit->setCursorPosition(0);
    passUndoOn(*edit);
    connect(edit, &QLineEdit::textEdited, this, &ValueEditor::explain);
    connect(edit, &QLineEdit::editingFinished, this, [this, edit] {
        if (!edit->isModified()) return;
        edit->setModified(false);
        write(edit->text());
    });
    return edit;
}

void ValueEditor::setProblem(const QString& sentence) {
    problem_->setText(sentence);
    problem_->setVisible(!sentence.isEmpty());
}

void ValueEditor::explain(const QString& typed) {
    setProblem(withoutPlace(document_.document().refusal(value_.command(typedValue(typed, value_.info.type)))));
}

void ValueEditor::write(const QString& typed) {
    explain(typed);
    if (problem_->isHidden()) writeValue(typedValue(typed, value_.info.type));
}

void ValueEditor::writeValue(const Json& value, const std::string& mergeKey) {
    document_.execute(value_.command(value), mergeKey);
}

} // namespace raphe
