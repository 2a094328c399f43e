// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/shell/open_document.h"

#include <QFrame>

class QLabel;
class QSlider;

namespace raphe {

class NumberBox;

/// How far the slider of an intervention reaches.
struct SliderRange {
    double low, high;
};
SliderRange sliderRange(Operation operation, double value);

/// An entry of the document's interventions: its switch, what it does, how strongly, where and when.
class InterventionEditor final : public QFrame {
    Q_OBJECT

public:
    InterventionEditor(OpenDocument& document, int number, QWidget* parent = nullptr);

    int number() const { return number_; }

private:
    Json entry() const;
    /// Writes the entry with another value of a field; null removes it.
    void change(const char* field, const Json& value, const std::string& mergeKey = {});
    /// Explains what cannot be, and writes nothing then.
    void tryNumber(const char* field, const NumberBox& box, bool write);
    NumberBox* numberField(const char* field, bool whole, const QString& placeholder, const QString& help);

    OpenDocument& document_;
    int number_;
    QLabel* problem_;
};

} // namespace raphe
