// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "figure_description.h"

#include <QColor>
#include <QFont>
#include <QString>

#include <string>

namespace raphe {

// How figures look in general: inks, fonts, and how texts are broken into lines.

inline const QColor ink{0x22, 0x22, 0x22};
inline const QColor axisInk{0x44, 0x44, 0x44};
inline const QColor gridInk{0xE4, 0xE4, 0xE4};
inline const QColor referenceInk{0x70, 0x70, 0x70};

inline QString text(const std::string& utf8) { return QString::fromStdString(utf8); }
inline QColor toColor(const FigureColor& c) { return {c[0], c[1], c[2]}; }

QFont figureTitleFont();
QFont panelTitleFont();
QFont labelFont();
QFont tickFont();

/// The text on as many lines as the width asks for, at most `lineLimit`; the rest is cut with an ellipsis.
QString wrapped(const QString& given, const QFont& font, double width, int lineLimit);
/// An axis label that needs more than one line ends with the unit on a line of its own.
QString axisLabel(const std::string& label, const std::string& unit, double width);

} // namespace raphe
