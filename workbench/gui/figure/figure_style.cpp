// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_style.h"

#include <QFontMetricsF>
#include <QStringList>

namespace raphe {
namespace {

/// Sizes are in units of 1/96 inch on every device, so that screen, PNG, SVG and PDF agree.
QFont font(int size, bool bold = false) {
    QFont result{QStringLiteral("DejaVu Sans")};
    result.setStyleHint(QFont::SansSerif);
    result.setPixelSize(size);
    result.setBold(bold);
    result.setHintingPreference(QFont::PreferNoHinting);
    return result;
}

} // namespace

QFont figureTitleFont() { return font(15, true); }
QFont panelTitleFont() { return font(12, true); }
QFont labelFont() { return font(12); }
QFont tickFont() { return font(11); }

QString wrapped(const QString& given, const QFont& font, double width, int lineLimit) {
    const QFontMetricsF metrics{font};
    QStringList lines;
    for (const QString& paragraph : given.split('\n')) {
        QString line;
        for (const QString& word : paragraph.split(' ', Qt::SkipEmptyParts)) {
            const QString longer = line.isEmpty() ? word : line + ' ' + word;
            if (line.isEmpty() || metrics.horizontalAdvance(longer) <= width) {
                line = longer;
            } else {
                lines << line;
                line = word;
            }
        }
        lines << line;
    }
    if (lines.size() > lineLimit) {
        lines[lineLimit - 1] = QStringList{lines.mid(lineLimit - 1)}.join(' ');
        lines = lines.mid(0, lineLimit);
    }
    for (QString& line : lines) line = metrics.elidedText(line, Qt::ElideRight, width + 1);
    return lines.join('\n');
}

QString axisLabel(const std::string& label, const std::string& unit, double width) {
    const QString whole = text(figureLabel(label, unit));
    if (label.empty() || unit.empty() || QFontMetricsF{labelFont()}.horizontalAdvance(whole) <= width)
        return wrapped(whole, labelFont(), width, 3);
    return wrapped(text(label), labelFont(), width, 3) + "\n(" + text(unit) + ')';
}

} // namespace raphe
