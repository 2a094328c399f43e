// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "figure_description.h"

#include <QColor>
#include <QFont>
#include <QString>

#include <string>

namespace raphe {

// How figures look in general: inks, fonts, and how texts are broken into lines.

/// Everything that no series brings with it.
struct FigureInks {
    QColor paper, text, axis, grid, reference;
    QColor veil;    ///< behind texts that stand on data
    QColor outline; ///< of marks, against the one behind
    bool dark;
};
/// For light paper: what every file gets. For a dark window: on its screen.
inline const FigureInks paperInks{Qt::white,          {0x22, 0x22, 0x22},   {0x44, 0x44, 0x44},   {0xE4, 0xE4, 0xE4},
                                  {0x70, 0x70, 0x70}, {255, 255, 255, 215}, {255, 255, 255, 200}, false};
inline const FigureInks darkInks{{0x1A, 0x1C, 0x1F}, {0xE6, 0xE8, 0xEB}, {0xA6, 0xAE, 0xB6},      {0x33, 0x38, 0x3E},
                                 {0x9A, 0xA4, 0xAE}, {26, 28, 31, 205},  {0x1A, 0x1C, 0x1F, 200}, true};

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
