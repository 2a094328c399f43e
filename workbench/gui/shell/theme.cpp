// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/shell/theme.h"

#include "gui/figure/figure_palette.h"

#include <QApplication>
#include <QPalette>
#include <QStyleFactory>

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
    const QColor dim = t.dark ? QColor{0x6B, 0x73, 0x7B} : QColor{0x9A, 0xA2, 0xAA};
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, dim);
    palette.setColor(QPalette::Disabled, QPalette::Highlight, t.line);
    return palette;
}

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
    QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    QApplication::setPalette(paletteOf(current()));
    application.setStyleSheet(
        QStringLiteral("QToolTip { color: %1; background: %2; border: 1px solid %3; padding: 4px; }"
                       "QDockWidget::title { padding: 5px 8px; background: %4; border-bottom: 1px solid %3; }"
                       "QToolBar { border: 0; spacing: 2px; padding: 3px; }"
                       "QMainWindow::separator { width: 5px; height: 5px; }"
                       "QListView::indicator, QTreeView::indicator, QCheckBox::indicator { width: 11px; height: 11px; "
                       "border: 1px solid %5; "
                       "border-radius: 2px; background: %6; }"
                       "QListView::indicator:checked, QTreeView::indicator:checked, QCheckBox::indicator:checked { "
                       "background: %7; "
                       "border-color: %7; }")
            .arg(current().text.name(), current().raised.name(), current().line.name(), current().window.name(),
                 current().faint.name(), current().base.name(), current().accent.name()));
    Q_EMIT ThemeSignal::instance().changed();
}

void setDesktopDark(QApplication& application, bool dark) {
    if (desktopDark == dark) return;
    desktopDark = dark;
    if (wanted == Appearance::system) applyAppearance(application, wanted);
}

} // namespace raphe
