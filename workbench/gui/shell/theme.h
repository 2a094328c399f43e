// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "raphe/declaration.h"

#include <QColor>
#include <QObject>

class QApplication;

namespace raphe {

enum class Appearance { system, light, dark };

/// Every colour of the window. Those that carry a meaning are of the palette of the figures.
struct Theme {
    bool dark;
    QColor window, base, raised, text, faint, line, accent, onAccent;
    QColor canvas, canvasDots, node, nodeText;
    QColor input, output, modulation, signalWire;
    QColor task, model, rule;
    QColor good, warning, bad;

    const QColor& of(Kind kind) const { return kind == Kind::task ? task : kind == Kind::model ? model : rule; }
    const QColor& of(PortKind kind) const {
        return kind == PortKind::input ? input : kind == PortKind::output ? output : modulation;
    }
};

/// The colours that hold at present, for whoever paints.
const Theme& theme();
/// For what is painted for a file: light colours on white, until it is called with false.
void usePaperTheme(bool paper);

/// Says when the colours have changed. Widgets that keep to the palette need not listen.
class ThemeSignal final : public QObject {
    Q_OBJECT

public:
    static ThemeSignal& instance();

Q_SIGNALS:
    void changed();
};

/// Gives the application its style and its colours; `system` follows the desktop: what it says of itself, or else what
/// its palette shows.
void applyAppearance(QApplication& application, Appearance appearance);
/// What the desktop says of itself.
void setDesktopDark(QApplication& application, bool dark);

} // namespace raphe
