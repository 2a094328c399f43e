// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/inspector/number_box.h"

#include <QLineEdit>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

namespace raphe {

QString numberText(double value) { return QString::number(value, 'g', 12); }

NumberBox::NumberBox(const ParamInfo& info, const QString& value) : info_(info) {
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed); // narrower than its hint where there is little room
    lineEdit()->setText(value);
    lineEdit()->setCursorPosition(0);
    connect(lineEdit(), &QLineEdit::textEdited, this, [this] {
        typed_ = true; // the line's own mark is gone when Return is pressed
        Q_EMIT edited();
    });
}

QString NumberBox::value() const { return lineEdit()->text(); }
bool NumberBox::typed() const { return typed_; }
void NumberBox::takenOver() { typed_ = false; }

/// Whole numbers by one, others by a tenth of their power of ten.
void NumberBox::stepBy(int steps) {
    bool isNumber = false;
    double x = lineEdit()->text().toDouble(&isNumber);
    if (!isNumber) return;
    const bool whole = info_.type == ParamType::integer;
    const double decade = x == 0 ? 0.1 : std::pow(10, std::floor(std::log10(std::abs(x)))) / 10;
    const double by = whole ? 1 : decade;
    x = std::round((x + steps * by) / by) * by;
    x = std::clamp(x, info_.min, info_.max);
    const QString text = whole ? QString::number(x, 'f', 0) : numberText(x);
    if (text == lineEdit()->text()) return;
    lineEdit()->setText(text);
    Q_EMIT stepped(text);
}

/// Scrolling through the inspector must not change what lies under the mouse.
void NumberBox::wheelEvent(QWheelEvent* event) { event->ignore(); }

QSize NumberBox::minimumSizeHint() const {
    return {fontMetrics().horizontalAdvance('0') * 5 + (buttonSymbols() == NoButtons ? 8 : 28), sizeHint().height()};
}

QSize NumberBox::sizeHint() const { return {90, QAbstractSpinBox::sizeHint().height()}; }

} // namespace raphe
