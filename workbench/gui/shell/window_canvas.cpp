// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/shell/main_window.h"

#include <QMenu>
#include <QSettings>
#include <QTabWidget>

namespace raphe {

/// What concerns the graph alone: search, alignment, how wires and the overview are drawn.
void MainWindow::buildCanvasActions(QMenu& edit, QMenu& view) {
    const QSettings settings;
    canvasOptions_.wires = settings.value("canvas/curved", false).toBool() ? WireStyle::curved : WireStyle::orthogonal;
    canvasOptions_.miniMap = settings.value("canvas/mini_map", true).toBool();

    edit.addSeparator();
    edit.addAction(viewAction(tr("&Find on the graph…"), QKeySequence::Find, &CanvasView::search));
    QMenu* line = edit.addMenu(tr("Al&ign"));
    for (const auto& [words, alignment] : CanvasView::alignments()) {
        auto* item = action(words, {}, [this, alignment = alignment] {
            if (CanvasView* canvas = currentView()) canvas->align(alignment);
        });
        needDocument_.push_back(item);
        line->addAction(item);
    }

    const auto toggle = [this, &view](const QString& words, bool on, const std::function<void(bool)>& act) {
        auto* item = new QAction{words, this};
        item->setCheckable(true);
        item->setChecked(on);
        connect(item, &QAction::toggled, this, act);
        view.addAction(item);
    };
    toggle(tr("&Curved wires"), canvasOptions_.wires == WireStyle::curved, [this](bool on) {
        auto options = canvasOptions_;
        options.wires = on ? WireStyle::curved : WireStyle::orthogonal;
        setCanvasOptions(options);
    });
    toggle(tr("&Overview in the corner"), canvasOptions_.miniMap, [this](bool on) {
        auto options = canvasOptions_;
        options.miniMap = on;
        setCanvasOptions(options);
    });
    view.addSeparator();
}

void MainWindow::setCanvasOptions(const CanvasOptions& options) {
    canvasOptions_ = options;
    QSettings settings;
    settings.setValue("canvas/curved", options.wires == WireStyle::curved);
    settings.setValue("canvas/mini_map", options.miniMap);
    for (int tab = 0; tab < tabs_->count(); ++tab)
        if (auto* canvas = qobject_cast<CanvasView*>(tabs_->widget(tab))) canvas->setOptions(options);
}

} // namespace raphe
