// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/inspector/parameter_editor.h"

#include "engine/document/experiment.h"
#include "gui/shell/theme.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QToolButton>
#include <QVBoxLayout>
#include <QWheelEvent>

#include <cmath>

namespace raphe {
namespace {

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

QString number(double value) { return QString::number(value, 'g', 12); }

/// Scrolling through the inspector must not change what lies under the mouse.
class CalmComboBox final : public QComboBox {
protected:
    void wheelEvent(QWheelEvent* event) override { event->ignore(); }
};

struct Frame {
    QVBoxLayout* layout;
    QHBoxLayout* row;
    QToolButton* reset;
    QLabel* problem;
};

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

Frame makeFrame(QWidget* owner, const QString& name, QWidget* field, const QString& unit, const QString& help,
                bool changed) {
    Frame frame{new QVBoxLayout{owner}, new QHBoxLayout, new QToolButton, smallLabel({}, theme().bad)};
    frame.layout->setContentsMargins(0, 2, 0, 8);
    frame.layout->setSpacing(2);
    auto* label = new QLabel{name};
    QFont font = label->font();
    font.setBold(changed);
    label->setFont(font);
    label->setBuddy(field);
    if (changed) {
        QPalette palette = label->palette();
        palette.setColor(QPalette::WindowText, theme().accent);
        label->setPalette(palette);
    }
    label->setMinimumWidth(110);
    frame.reset->setText(QStringLiteral("↺"));
    frame.reset->setToolTip(QObject::tr("Back to the default"));
    frame.reset->setAccessibleName(QObject::tr("Reset %1").arg(name));
    frame.reset->setAutoRaise(true);
    QSizePolicy keeps = frame.reset->sizePolicy();
    keeps.setRetainSizeWhenHidden(true);
    frame.reset->setSizePolicy(keeps);
    frame.reset->setVisible(changed);
    field->setAccessibleName(name);
    frame.row->setSpacing(4);
    frame.row->addWidget(label);
    frame.row->addWidget(field, 1);
    if (!unit.isEmpty()) frame.row->addWidget(new QLabel{unit});
    frame.row->addWidget(frame.reset);
    frame.layout->addLayout(frame.row);
    frame.problem->hide();
    frame.layout->addWidget(frame.problem);
    if (!help.isEmpty()) frame.layout->addWidget(smallLabel(help, theme().faint));
    return frame;
}

} // namespace

QString valueText(const ParamValue& value) {
    if (const auto* words = std::get_if<std::string>(&value)) return text(*words);
    if (const auto* list = std::get_if<std::vector<double>>(&value)) {
        QStringList parts;
        for (const double entry : *list) parts << number(entry);
        return "[" + parts.join(", ") + "]";
    }
    if (const auto* real = std::get_if<double>(&value)) return number(*real);
    return text(toJson(value).dump());
}

QString rangeText(const ParamInfo& info) {
    QStringList parts{QObject::tr("default %1").arg(valueText(info.initial))};
    const bool low = std::isfinite(info.min), high = std::isfinite(info.max);
    const QString type = info.type == ParamType::integer ? QObject::tr("integer ")
                         : info.type == ParamType::list  ? QObject::tr("list of numbers ")
                                                         : QString{};
    if (low && high)
        parts << type + QStringLiteral("%1 to %2").arg(number(info.min), number(info.max));
    else if (low)
        parts << type + QStringLiteral("≥ %1").arg(number(info.min));
    else if (high)
        parts << type + QStringLiteral("≤ %1").arg(number(info.max));
    else if (!type.isEmpty())
        parts << type.trimmed();
    return parts.join(QStringLiteral(" · "));
}

Json typedValue(const QString& typed) {
    const std::string words = typed.trimmed().toStdString();
    Json value = Json::parse(words, nullptr, false);
    return value.is_discarded() ? Json(words) : value;
}

ParameterEditor::ParameterEditor(const ParamInfo& info, const ParamValue& value, Write write,
                                 const std::function<void()>& reset)
    : info_(info), write_(std::move(write)), changed_(value != info.initial) {
    if (info.type == ParamType::boolean) {
        auto* box = new QCheckBox;
        box->setChecked(std::get<bool>(value));
        connect(box, &QCheckBox::toggled, this, [this](bool on) { write_(Json(on)); });
        field_ = box;
    } else if (!info.choices.empty()) {
        auto* box = new CalmComboBox;
        for (const auto& choice : info.choices) box->addItem(text(choice));
        box->setCurrentText(valueText(value));
        connect(box, &QComboBox::textActivated, this,
                [this](const QString& choice) { write_(Json(choice.toStdString())); });
        field_ = box;
    } else {
        auto* edit = new QLineEdit{valueText(value)};
        connect(edit, &QLineEdit::textEdited, this, [this](const QString& typed) { tryText(typed, false); });
        connect(edit, &QLineEdit::editingFinished, this, [this, edit] {
            if (edit->isModified()) tryText(edit->text(), true);
        });
        field_ = edit;
    }
    const QString help =
        text(info.help) + (info.help.empty() ? "" : "<br>") + "<i>" + rangeText(info).toHtmlEscaped() + "</i>";
    const Frame frame =
        makeFrame(this, text(info.key), field_, info.unit == "1" ? QString{} : text(info.unit), help, changed_);
    problem_ = frame.problem;
    connect(frame.reset, &QToolButton::clicked, this, reset);
}

void ParameterEditor::setProblem(const QString& sentence) {
    problem_->setText(sentence);
    problem_->setVisible(!sentence.isEmpty());
}

void ParameterEditor::tryText(const QString& typed, bool write) {
    const Json value = info_.type == ParamType::text ? Json(typed.toStdString()) : typedValue(typed);
    try {
        readParam(info_, value, {});
    } catch (const Error& error) {
        QString sentence = QString::fromUtf8(error.what());
        if (sentence.startsWith(": ")) sentence.remove(0, 2);
        setProblem(sentence);
        return;
    }
    setProblem({});
    if (write) write_(value);
}

QWidget* fieldEditor(const QString& label, const QString& value, const QString& help, bool changed,
                     const std::function<void(const Json&)>& write, const std::function<void()>& reset) {
    auto* owner = new QWidget;
    auto* edit = new QLineEdit{value};
    edit->setCursorPosition(0);
    const Frame frame = makeFrame(owner, label, edit, {}, help, changed);
    QObject::connect(edit, &QLineEdit::editingFinished, owner, [edit, write, problem = frame.problem] {
        if (!edit->isModified()) return;
        try {
            edit->setModified(false);
            write(typedValue(edit->text()));
        } catch (const Error& error) {
            problem->setText(QString::fromUtf8(error.what()));
            problem->show();
        }
    });
    QObject::connect(frame.reset, &QToolButton::clicked, owner, reset);
    return owner;
}

} // namespace raphe
