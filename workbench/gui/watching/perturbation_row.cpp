// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/perturbation_row.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QGridLayout>
#include <QLabel>
#include <QSlider>
#include <QSpinBox>
#include <QToolButton>

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

constexpr int sliderTicks = 1000;

template <class Widget>
Widget* named(Widget* widget, const QString& tip) {
    widget->setToolTip(tip);
    widget->setAccessibleName(tip);
    return widget;
}

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

} // namespace

PerturbationRow::PerturbationRow(const Intervention& given, bool ofDocument, QWidget* parent)
    : QWidget(parent), ofDocument_(ofDocument), on_(named(new QCheckBox, tr("Acts on the trials that are shown"))),
      target_(named(new QComboBox, tr("Port or tensor that is changed"))),
      operation_(named(new QComboBox, tr("clamp: to the value; scale: by it; perturb: adds it; noise: adds random "
                                         "numbers with this standard deviation; lesion: to 0; swap: neighbouring "
                                         "trials exchange the state of this name before the first step"))),
      component_(named(new QSpinBox, tr("Unit of the port or entry of the tensor"))),
      from_(named(new QSpinBox, tr("First step"))), to_(named(new QSpinBox, tr("Last step"))),
      slider_(named(new QSlider{Qt::Horizontal}, tr("Value"))), value_(named(new QDoubleSpinBox, tr("Value"))),
      keep_(named(new QToolButton, tr("Write it into the document"))), remove_(named(new QToolButton, tr("Remove"))) {
    on_->setChecked(given.enabled);
    target_->addItem(text(given.target.text()));
    target_->setMinimumContentsLength(12);
    target_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    for (const auto operation : operations) operation_->addItem(nameOf(operation));
    operation_->setCurrentText(nameOf(given.operation));
    component_->setRange(-1, std::max(-1, given.component));
    component_->setValue(given.component);
    component_->setSpecialValueText(tr("all units"));
    component_->setPrefix(tr("unit "));
    from_->setRange(0, std::max(0, given.from));
    from_->setValue(given.from);
    from_->setPrefix(tr("from "));
    to_->setRange(-1, std::max(-1, given.to - 1));
    to_->setValue(given.to < 0 ? -1 : given.to - 1);
    to_->setSpecialValueText(tr("to the end"));
    to_->setPrefix(tr("to "));
    slider_->setRange(0, sliderTicks);
    slider_->setMinimumWidth(60);
    value_->setRange(-1e6, 1e6);
    value_->setDecimals(3);
    value_->setSingleStep(0.1);
    value_->setValue(given.value);
    value_->setFixedWidth(86);
    component_->setFixedWidth(86);
    for (auto* box : {from_, to_}) box->setMinimumWidth(60);
    keep_->setText(tr("Keep"));
    remove_->setText(QStringLiteral("×"));
    keep_->setVisible(!ofDocument);
    remove_->setVisible(!ofDocument);
    target_->setEnabled(!ofDocument);

    auto* grid = new QGridLayout{this};
    grid->setContentsMargins(4, 3, 4, 5);
    grid->setHorizontalSpacing(4);
    grid->setVerticalSpacing(2);
    grid->addWidget(on_, 0, 0);
    grid->addWidget(target_, 0, 1, 1, 2);
    grid->addWidget(component_, 0, 3);
    grid->addWidget(operation_, 1, 1);
    grid->addWidget(slider_, 1, 2);
    grid->addWidget(value_, 1, 3);
    auto* when = new QHBoxLayout;
    when->setSpacing(4);
    when->addWidget(from_, 1);
    when->addWidget(to_, 1);
    when->addWidget(keep_);
    when->addWidget(remove_);
    grid->addLayout(when, 2, 1, 1, 3);
    grid->setColumnStretch(2, 1);
    fitOperation();

    connect(on_, &QCheckBox::toggled, this, &PerturbationRow::changed);
    connect(target_, &QComboBox::currentIndexChanged, this, [this] {
        fitTarget();
        Q_EMIT changed();
    });
    connect(operation_, &QComboBox::currentIndexChanged, this, [this] {
        fitOperation();
        Q_EMIT changed();
    });
    for (auto* box : {component_, from_, to_}) connect(box, &QSpinBox::valueChanged, this, &PerturbationRow::changed);
    connect(slider_, &QSlider::valueChanged, this, [this](int tick) {
        const auto [low, high] = range();
        value_->setValue(low + (high - low) * tick / sliderTicks);
    });
    connect(value_, &QDoubleSpinBox::valueChanged, this, [this] {
        showValue();
        Q_EMIT changed();
    });
    connect(keep_, &QToolButton::clicked, this, &PerturbationRow::keepWanted);
    connect(remove_, &QToolButton::clicked, this, &PerturbationRow::removeWanted);
}

void PerturbationRow::setTargets(const std::vector<TrialTarget>& targets, const std::vector<double>& largest,
                                 int steps) {
    targets_ = targets;
    largest_ = largest;
    const QString chosen = target_->currentText();
    {
        const QSignalBlocker quiet{target_};
        target_->clear();
        for (const auto& target : targets_) target_->addItem(text(target.name));
        if (target_->findText(chosen) < 0) target_->addItem(chosen); // of a document that has been changed since
        target_->setCurrentText(chosen);
    }
    const QSignalBlocker quietFrom{from_}, quietTo{to_};
    from_->setMaximum(std::max(0, steps - 1));
    to_->setMaximum(std::max(-1, steps - 1));
    fitTarget();
}

void PerturbationRow::fitTarget() {
    const int index = target_->currentIndex();
    if (index >= 0 && index < static_cast<int>(targets_.size())) {
        const auto& target = targets_[static_cast<std::size_t>(index)];
        const QSignalBlocker quiet{component_};
        component_->setMaximum(static_cast<int>(target.rows * target.columns) - 1);
        component_->setPrefix(target.tensor ? tr("entry ") : tr("unit "));
        component_->setSpecialValueText(target.tensor ? tr("all entries") : tr("all units"));
    }
    showValue();
}

void PerturbationRow::fitOperation() {
    const bool swap = operation_->currentText() == nameOf(Operation::swap);
    const bool valued = !swap && operation_->currentText() != nameOf(Operation::lesion);
    slider_->setEnabled(valued);
    value_->setEnabled(valued);
    component_->setEnabled(!swap);
    to_->setEnabled(!swap);
    if (operation_->currentText() == QLatin1String("noise")) value_->setValue(std::abs(value_->value()));
    showValue();
}

std::pair<double, double> PerturbationRow::range() const {
    if (operation_->currentText() == nameOf(Operation::scale)) return {0, 3};
    const int index = target_->currentIndex();
    double reach = 1;
    if (index >= 0 && index < static_cast<int>(largest_.size()))
        reach = std::max(reach, std::ceil(1.2 * largest_[static_cast<std::size_t>(index)]));
    if (operation_->currentText() == QLatin1String("noise")) return {0, reach};
    return {-reach, reach};
}

void PerturbationRow::showValue() {
    const auto [low, high] = range();
    const QSignalBlocker quiet{slider_};
    slider_->setValue(static_cast<int>(std::lround((value_->value() - low) / (high - low) * sliderTicks)));
}

Intervention PerturbationRow::intervention() const {
    Intervention result;
    result.target = parseAddress(target_->currentText().toStdString(), "intervention");
    result.operation = operations[std::max(0, operation_->currentIndex())];
    result.enabled = on_->isChecked();
    if (result.operation == Operation::swap) {
        result.from = std::max(1, from_->value());
        return result;
    }
    result.component = component_->value();
    if (result.operation != Operation::lesion) result.value = value_->value();
    result.from = from_->value();
    result.to = to_->value() < 0 ? -1 : std::max(to_->value(), from_->value()) + 1;
    return result;
}

} // namespace raphe
