// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/shell/theme.h"

#include "gui/figure/figure_palette.h"

#include <QApplication>
#include <QPainter>
#include <QPalette>
#include <QProxyStyle>
#include <QStyleOption>

#include <algorithm>
#include <optional>

namespace raphe {
namespace {

QColor ofPalette(std::size_t entry) {
    const FigureColor& c = figurePalette[entry];
    return {c[0], c[1], c[2]};
}

const QColor blue = ofPalette(0), vermilion = ofPalette(1), green = ofPalette(2), purple = ofPalette(3),
             orange = ofPalette(4), sky = ofPalette(5);

Theme lightTheme() {
    return {.dark = false,
            .window = {0xF3, 0xF4, 0xF6},
            .base = {0xFF, 0xFF, 0xFF},
            .raised = {0xFA, 0xFB, 0xFC},
            .text = {0x1F, 0x23, 0x28},
            .faint = {0x5C, 0x66, 0x70},
            .line = {0xD3, 0xD8, 0xDE},
            .accent = blue,
            .onAccent = Qt::white,
            .canvas = {0xFB, 0xFC, 0xFD},
            .canvasDots = {0xDD, 0xE2, 0xE8},
            .node = {0xFF, 0xFF, 0xFF},
            .nodeText = {0x1F, 0x23, 0x28},
            .input = blue,
            .output = green,
            .modulation = vermilion,
            .signalWire = {0x5B, 0x6B, 0x7B},
            .task = green,
            .model = blue,
            .rule = purple,
            .good = green,
            .warning = orange,
            .bad = {0xC0, 0x2B, 0x2B}};
}

Theme darkTheme() {
    return {.dark = true,
            .window = {0x23, 0x26, 0x2A},
            .base = {0x1A, 0x1C, 0x1F},
            .raised = {0x2B, 0x2F, 0x34},
            .text = {0xE6, 0xE8, 0xEB},
            .faint = {0x9A, 0xA4, 0xAE},
            .line = {0x40, 0x46, 0x4D},
            .accent = sky,
            .onAccent = {0x10, 0x14, 0x18},
            .canvas = {0x1C, 0x1E, 0x22},
            .canvasDots = {0x33, 0x38, 0x3E},
            .node = {0x2B, 0x2F, 0x35},
            .nodeText = {0xEC, 0xEE, 0xF0},
            .input = sky,
            .output = {0x2F, 0xC5, 0x9A},
            .modulation = {0xF0, 0x7A, 0x28},
            .signalWire = {0x9F, 0xAE, 0xBC},
            .task = {0x1E, 0xB0, 0x86},
            .model = {0x3C, 0x9B, 0xD6},
            .rule = purple,
            .good = {0x2F, 0xC5, 0x9A},
            .warning = orange,
            .bad = {0xF2, 0x6D, 0x6D}};
}

Theme& current() {
    static Theme theme = lightTheme();
    return theme;
}

QPalette paletteOf(const Theme& t) {
    QPalette palette;
    const auto set = [&](QPalette::ColorRole role, const QColor& color) { palette.setColor(role, color); };
    set(QPalette::Window, t.window);
    set(QPalette::WindowText, t.text);
    set(QPalette::Base, t.base);
    set(QPalette::AlternateBase, t.raised);
    set(QPalette::Text, t.text);
    set(QPalette::Button, t.dark ? t.raised : t.window);
    set(QPalette::ButtonText, t.text);
    set(QPalette::BrightText, t.bad);
    set(QPalette::ToolTipBase, t.raised);
    set(QPalette::ToolTipText, t.text);
    set(QPalette::PlaceholderText, t.faint);
    set(QPalette::Highlight, t.accent);
    set(QPalette::HighlightedText, t.onAccent);
    set(QPalette::Link, t.accent);
    set(QPalette::LinkVisited, t.accent);
    set(QPalette::Light, t.dark ? t.line : QColor{Qt::white});
    set(QPalette::Midlight, t.line);
    set(QPalette::Mid, t.line);
    set(QPalette::Dark, t.dark ? t.base : t.line.darker(120));
    const QColor dim = t.dark ? QColor{0x80, 0x89, 0x92} : QColor{0x84, 0x8D, 0x96};
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, dim);
    palette.setColor(QPalette::Disabled, QPalette::Highlight, t.line);
    return palette;
}

/// Fusion, with check boxes that one tells apart at a glance: a tick on the accent, or an empty box.
class WindowStyle final : public QProxyStyle {
public:
    WindowStyle() : QProxyStyle(QStringLiteral("Fusion")) {}

    /// A click beside the handle of a slider brings it there, and a drag goes on from it.
    int styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                  QStyleHintReturn* data) const override {
        if (hint == SH_Slider_AbsoluteSetButtons) return Qt::LeftButton;
        return QProxyStyle::styleHint(hint, option, widget, data);
    }
    void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                       const QWidget* widget) const override {
        if (element != PE_IndicatorCheckBox && element != PE_IndicatorItemViewItemCheck) {
            QProxyStyle::drawPrimitive(element, option, painter, widget);
            return;
        }
        const double side = std::min(14, std::min(option->rect.width(), option->rect.height())) - 1.0;
        QRectF box{0, 0, side, side};
        box.moveCenter(QRectF{option->rect}.center());
        const bool enabled = option->state & State_Enabled, on = option->state & State_On,
                   partly = option->state & State_NoChange;
        const Theme& t = current();
        const QColor strong = enabled ? t.accent : t.line;
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(QPen{on || partly ? strong : enabled ? t.faint : t.line, 1});
        painter->setBrush(on || partly ? strong : t.base);
        painter->drawRoundedRect(box, 2.5, 2.5);
        painter->setPen(QPen{enabled ? t.onAccent : t.faint, 1.8, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin});
        const auto at = [&](double x, double y) { return box.topLeft() + QPointF{x, y} * side; };
        if (on)
            painter->drawPolyline(QPolygonF{{at(0.22, 0.52), at(0.43, 0.74), at(0.79, 0.28)}});
        else if (partly)
            painter->drawLine(at(0.25, 0.5), at(0.75, 0.5));
        painter->restore();
    }
};

bool onPaper = false;
std::optional<bool> desktopDark; ///< not known before it was looked for
Appearance wanted = Appearance::system;

} // namespace

const Theme& theme() {
    static const Theme paper = [] {
        Theme theme = lightTheme();
        theme.canvas = Qt::white;
        return theme;
    }();
    return onPaper ? paper : current();
}

void usePaperTheme(bool paper) { onPaper = paper; }

ThemeSignal& ThemeSignal::instance() {
    static ThemeSignal signal;
    return signal;
}

void applyAppearance(QApplication& application, Appearance appearance) {
    // Before the first change the palette is the desktop's own.
    if (!desktopDark) desktopDark = QApplication::palette().color(QPalette::Window).lightness() < 128;
    wanted = appearance;
    const bool dark = appearance == Appearance::dark || (appearance == Appearance::system && *desktopDark);
    current() = dark ? darkTheme() : lightTheme();
    QApplication::setStyle(new WindowStyle);
    QApplication::setPalette(paletteOf(current()));
    application.setStyleSheet(
        QStringLiteral("QToolTip { color: %1; background: %2; border: 1px solid %3; padding: 4px; }"
                       "QDockWidget::title { padding: 5px 8px; background: %4; border-bottom: 1px solid %3; }"
                       "QToolBar { border: 0; spacing: 2px; padding: 3px; }"
                       "QMainWindow::separator { width: 5px; height: 5px; }")
            .arg(current().text.name(), current().raised.name(), current().line.name(), current().window.name()));
    Q_EMIT ThemeSignal::instance().changed();
}

void setDesktopDark(QApplication& application, bool dark) {
    if (desktopDark == dark) return;
    desktopDark = dark;
    if (wanted == Appearance::system) applyAppearance(application, wanted);
}

} // namespace raphe
