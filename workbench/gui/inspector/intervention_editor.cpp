// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/inspector/intervention_editor.h"

#include "engine/document/entry_fields.h"
#include "gui/inspector/number_box.h"
#include "gui/inspector/value_editor.h"
#include "gui/shell/theme.h"

#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QSlider>
#include <QToolButton>

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

constexpr int sliderSteps = 200;

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

const ParamInfo& infoOf(const char* field) {
    for (const auto& info : interventionFields())
        if (info.key == field) return info;
    throw Error(field, "is no field of an intervention");
}

} // namespace

SliderRange sliderRange(Operation operation, double value) {
    const double reach = std::max(1.0, std::ceil(std::abs(value)));
    switch (operation) {
    case Operation::scale:
        return {std::min(0.0, -2 * (value < 0 ? reach : 0)), std::max(2.0, value > 2 ? 2 * reach : 2.0)};
    case Operation::noise:
        return {0, reach};
    case Operation::clamp:
    case Operation::perturb:
    case Operation::lesion:
    case Operation::swap:
        break;
    }
    return {-2 * reach, 2 * reach};
}

InterventionEditor::InterventionEditor(OpenDocument& document, int number, QWidget* parent)
    : QFrame(parent), document_(document), number_(number), problem_(smallLabel({}, theme().bad)) {
    const auto& intervention = document.experiment().interventions[static_cast<std::size_t>(number)];
    const auto place = "interventions[" + std::to_string(number) + "].";
    setObjectName(text(place) + "entry");
    setFrameShape(StyledPanel);
    auto* grid = new QGridLayout{this};
    grid->setContentsMargins(8, 5, 6, 6);
    grid->setHorizontalSpacing(5);
    grid->setVerticalSpacing(4);

    auto* on = new QCheckBox{text(intervention.target.text())};
    on->setObjectName(text(place) + "enabled");
    on->setChecked(intervention.enabled);
    on->setToolTip(tr("Whether it acts. One that is off stays in the document and does nothing."));
    QFont font = on->font();
    font.setBold(true);
    font.setStrikeOut(!intervention.enabled);
    on->setFont(font);
    connect(on, &QCheckBox::toggled, this, [this](bool enabled) {
        document_.execute({{"command", "enable_intervention"}, {"number", number_}, {"on", enabled}});
    });
    grid->addWidget(on, 0, 0, 1, 3);
    auto* remove = new QToolButton;
    remove->setText(QStringLiteral("✕"));
    remove->setAutoRaise(true);
    remove->setToolTip(tr("Remove the intervention"));
    remove->setAccessibleName(tr("Remove the intervention on %1").arg(text(intervention.target.text())));
    connect(remove, &QToolButton::clicked, this, [this] {
        document_.execute({{"command", "remove_intervention"}, {"number", number_}});
    });
    grid->addWidget(remove, 0, 3);

    auto* operation = new QComboBox;
    operation->setObjectName(text(place) + "operation");
    operation->setAccessibleName(tr("Operation"));
    operation->setToolTip(text(infoOf("operation").help));
    for (const auto& choice : infoOf("operation").choices) operation->addItem(text(choice));
    operation->setCurrentText(nameOf(intervention.operation));
    connect(operation, &QComboBox::textActivated, this,
            [this](const QString& chosen) { change("operation", chosen.toStdString()); });
    auto* strength = new QHBoxLayout;
    strength->setSpacing(4);
    strength->addWidget(operation);
    grid->addLayout(strength, 1, 0, 1, 4);
    if (intervention.operation != Operation::lesion && intervention.operation != Operation::swap) {
        auto* value = numberField("value", false, {}, tr("Strength"));
        auto* slider = new QSlider{Qt::Horizontal};
        slider->setObjectName(text(place) + "slider");
        slider->setAccessibleName(tr("Strength"));
        const auto range = sliderRange(intervention.operation, intervention.value);
        slider->setRange(0, sliderSteps);
        slider->setSingleStep(1);
        slider->setPageStep(10);
        slider->setMinimumWidth(50);
        slider->setValue(
            static_cast<int>(std::lround((intervention.value - range.low) / (range.high - range.low) * sliderSteps)));
        slider->setToolTip(tr("From %1 to %2").arg(numberText(range.low), numberText(range.high)));
        // A drag is one step to undo; so are the arrow keys, pressed one after the other.
        connect(slider, &QSlider::valueChanged, this, [this, range, value](int at) {
            const double strength = range.low + (range.high - range.low) * at / sliderSteps;
            const double rounded = std::round(strength * 1e4) / 1e4;
            value->findChild<QLineEdit*>()->setText(numberText(rounded));
            change("value", rounded, "slide " + std::to_string(number_));
        });
        strength->addWidget(slider, 1);
        strength->addWidget(value);
    } else {
        strength->addStretch(1);
    }
    const auto pair = [&](int row, const QString& first, NumberBox* firstBox, const QString& second,
                          NumberBox* secondBox) {
        auto* line = new QHBoxLayout;
        line->setSpacing(4);
        line->addWidget(firstBox, 1);
        auto* between = smallLabel(second, theme().faint);
        between->setWordWrap(false);
        line->addWidget(between);
        line->addWidget(secondBox, 1);
        auto* label = smallLabel(first, theme().faint);
        label->setWordWrap(false);
        grid->addWidget(label, row, 0);
        grid->addLayout(line, row, 1, 1, 3);
    };
    pair(2, tr("component"), numberField("component", true, tr("all"), text(infoOf("component").help)),
         QStringLiteral("×"), numberField("count", true, QStringLiteral("1"), text(infoOf("count").help)));
    pair(3, tr("steps"), numberField("from", true, QStringLiteral("0"), text(infoOf("from").help)), tr("to"),
         numberField("to", true, tr("end"), text(infoOf("to").help)));
    grid->addWidget(problem_, 4, 0, 1, 4);
    problem_->hide();
    grid->setColumnStretch(2, 1);
}

Json InterventionEditor::entry() const {
    const auto& list = document_.document().complete()["interventions"];
    return list[static_cast<std::size_t>(number_)];
}

void InterventionEditor::change(const char* field, const Json& value, const std::string& mergeKey) {
    auto changed = entry();
    if (value.is_null())
        changed.erase(field);
    else
        changed[field] = value;
    if (changed.value("operation", "") == nameOf(Operation::swap)) {
        for (const char* other : {"component", "value", "to"}) changed.erase(other);
        changed["from"] = std::max(changed.value("from", 1), 1);
    }
    if (!changed.contains("component")) changed.erase("count");
    if (changed.value("operation", "") == nameOf(Operation::lesion)) changed.erase("value");
    if (changed.value("operation", "") == nameOf(Operation::noise) && changed.value("value", 0.0) < 0)
        changed["value"] = -changed.value("value", 0.0);
    document_.execute({{"command", "set_intervention"}, {"number", number_}, {"intervention", changed}}, mergeKey);
}

NumberBox* InterventionEditor::numberField(const char* field, bool whole, const QString& placeholder,
                                           const QString& help) {
    const auto written = entry().value(field, Json());
    auto* box = new NumberBox{infoOf(field), valueText(written)};
    box->setObjectName(QStringLiteral("interventions[%1].%2").arg(number_).arg(field));
    box->setAccessibleName(help);
    box->setToolTip(help);
    auto* line = box->findChild<QLineEdit*>();
    line->setPlaceholderText(placeholder);
    passUndoOn(*line);
    if (whole) box->setButtonSymbols(QAbstractSpinBox::NoButtons);
    connect(box, &NumberBox::edited, this, [this, field, box] { tryNumber(field, *box, false); });
    connect(box, &NumberBox::stepped, this, [this, field](const QString& number) {
        change(field, typedValue(number, infoOf(field).type), "step " + std::to_string(number_) + field);
    });
    connect(box, &QAbstractSpinBox::editingFinished, this, [this, field, box] {
        if (!box->typed()) return;
        box->takenOver();
        tryNumber(field, *box, true);
    });
    return box;
}

void InterventionEditor::tryNumber(const char* field, const NumberBox& box, bool write) {
    const QString typed = box.value().trimmed();
    const Json value = typed.isEmpty() ? Json() : typedValue(typed, infoOf(field).type);
    auto changed = entry();
    if (value.is_null())
        changed.erase(field);
    else
        changed[field] = value;
    if (!changed.contains("component") && std::string_view(field) != "count") changed.erase("count");
    const auto why =
        document_.document().refusal({{"command", "set_intervention"}, {"number", number_}, {"intervention", changed}});
    problem_->setText(text(why));
    problem_->setVisible(!why.empty());
    if (write && why.empty()) change(field, value);
}

} // namespace raphe
