// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/canvas_view.h"

#include <QContextMenuEvent>
#include <QMenu>

#include <algorithm>

namespace raphe {
namespace {

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

struct FreshIntervention {
    Operation operation;
    double value;
    const char* words;
};

/// What an intervention begins with; its numbers are then set in the inspector.
constexpr FreshIntervention freshInterventions[]{
    {Operation::clamp, 0, QT_TRANSLATE_NOOP("CanvasView", "Clamp to 0")},
    {Operation::scale, 0.5, QT_TRANSLATE_NOOP("CanvasView", "Scale by 0.5")},
    {Operation::perturb, 0.1, QT_TRANSLATE_NOOP("CanvasView", "Add 0.1")},
    {Operation::noise, 0.1, QT_TRANSLATE_NOOP("CanvasView", "Add noise, SD 0.1")},
    {Operation::lesion, 0, QT_TRANSLATE_NOOP("CanvasView", "Lesion")},
};

} // namespace

void CanvasView::addInterventionMenu(QMenu& menu, const Address& target) {
    for (const auto& fresh : freshInterventions)
        menu.addAction(tr(fresh.words), this, [this, target, fresh] {
            Json entry{{"port", target.text()}, {"operation", nameOf(fresh.operation)}};
            if (fresh.operation != Operation::lesion) entry["value"] = fresh.value;
            const int number = static_cast<int>(document_.experiment().interventions.size());
            if (!document_.execute({{"command", "add_intervention"}, {"intervention", entry}})) return;
            scene_->select({target.node});
            Q_EMIT interventionAdded(number);
        });
}

void CanvasView::addPortMenu(QMenu& menu, const CanvasNode& node, const CanvasPort& port) {
    const Address here{node.name, port.name};
    menu.addSection(text(here.text()));
    menu.addAction(tr("Draw a wire by keyboard"), QKeySequence{Qt::Key_W}, this, [this, here] {
        setFocus();
        scene_->setCurrent(here.node, here.port);
        scene_->beginWireByKey();
    });
    QMenu* intervene = menu.addMenu(tr("Intervene"));
    if (node.kind == Kind::task) {
        intervene->addAction(tr("A task's signals cannot be changed; act on what a model sends"))->setEnabled(false);
    } else if (port.kind == PortKind::output) {
        addInterventionMenu(*intervene, here);
    } else {
        // What comes in is changed where it is sent, for all that it reaches.
        for (const auto& wire : document_.experiment().wires) {
            if (wire.to != here) continue;
            const auto* source = document_.experiment().node(wire.from.node);
            const bool task = source && source->mechanism.starts_with("task.");
            auto* from = intervene->addMenu(tr("%1, wherever it goes").arg(text(wire.from.text())));
            if (task)
                from->addAction(tr("A task's signals cannot be changed"))->setEnabled(false);
            else
                addInterventionMenu(*from, wire.from);
        }
        if (intervene->isEmpty()) intervene->addAction(tr("Nothing is wired here"))->setEnabled(false);
    }
    if (port.kind == PortKind::output && node.kind != Kind::rule) {
        const auto& recordings = document_.experiment().recordings;
        const bool recorded = std::any_of(recordings.begin(), recordings.end(),
                                          [&](const Recording& recording) { return recording.port == here; });
        auto* record = menu.addAction(tr("Record while training"), this, [this, here, recorded] {
            document_.execute({{"command", recorded ? "remove_recording" : "add_recording"}, {"port", here.text()}});
        });
        record->setCheckable(true);
        record->setChecked(recorded);
    }
    std::vector<Json> removals;
    for (const auto& wire : document_.experiment().wires)
        if (wire.from == here || wire.to == here)
            removals.push_back({{"command", "disconnect"}, {"from", wire.from.text()}, {"to", wire.to.text()}});
    if (removals.empty()) return;
    menu.addAction(removals.size() == 1 ? tr("Remove its wire") : tr("Remove its %1 wires").arg(removals.size()), this,
                   [this, here, removals] {
                       document_.execute({{"command", "together"},
                                          {"title", "Remove the wires of " + here.text()},
                                          {"commands", removals}});
                   });
}

void CanvasView::fillMenu(QMenu& menu, const QPointF& at) {
    const auto add = [&](const QString& words, bool enabled, void (CanvasView::*act)()) {
        menu.addAction(words, this, act)->setEnabled(enabled);
    };
    const auto spot = scene_->spotAt(at);
    const auto& graph = scene_->graph();
    const int index = spot ? graph.node(spot->node) : -1;
    const CanvasNode* node = index < 0 ? nullptr : &graph.nodes[static_cast<std::size_t>(index)];
    if (node && !spot->port.empty()) {
        addPortMenu(menu, *node, node->ports[static_cast<std::size_t>(node->port(spot->port))]);
        menu.addSeparator();
    }
    const auto nodes = scene_->selectedNodes();
    const auto wires = scene_->selectedWires();
    if (nodes.size() == 1 && node && spot->port.empty() && node->kind == Kind::model) {
        QMenu* intervene = menu.addMenu(tr("Intervene"));
        for (const auto& port : node->ports)
            if (port.kind == PortKind::output)
                addInterventionMenu(*intervene->addMenu(tr("signal %1").arg(text(port.name))), {node->name, port.name});
        const auto* spec = document_.experiment().node(node->name);
        if (spec && document_.registry().contains(spec->mechanism))
            for (const auto& tensor : document_.registry().find(spec->mechanism, spec->name).declaration.tensors)
                addInterventionMenu(*intervene->addMenu(tr("tensor %1").arg(text(tensor.name))),
                                    {node->name, tensor.name});
        menu.addSeparator();
    }
    if (wires.size() == 1 && nodes.empty()) {
        const auto& from = wires.front().from;
        const int source = graph.node(from.node);
        QMenu* intervene = menu.addMenu(tr("Intervene on %1, wherever it goes").arg(text(from.text())));
        if (source >= 0 && graph.nodes[static_cast<std::size_t>(source)].kind == Kind::model)
            addInterventionMenu(*intervene, from);
        else
            intervene->addAction(tr("A task's signals cannot be changed"))->setEnabled(false);
        menu.addSeparator();
    }
    add(tr("Copy"), !nodes.empty(), &CanvasView::copySelection);
    add(tr("Paste"), true, &CanvasView::paste);
    add(tr("Duplicate"), !nodes.empty(), &CanvasView::duplicateSelection);
    add(tr("Delete"), !nodes.empty() || !wires.empty(), &CanvasView::removeSelection);
    menu.addSeparator();
    if (nodes.size() > 1) {
        QMenu* line = menu.addMenu(tr("Align"));
        for (const auto& [words, alignment] : alignments())
            line->addAction(words, this, [this, alignment = alignment] { align(alignment); });
    }
    add(tr("Arrange"), true, &CanvasView::arrange);
    add(tr("Zoom to fit"), true, &CanvasView::zoomToFit);
}

std::vector<std::pair<QString, Alignment>> CanvasView::alignments() {
    return {{tr("Left edges"), Alignment::left},
            {tr("Centres, one above the other"), Alignment::centre},
            {tr("Right edges"), Alignment::right},
            {tr("Top edges"), Alignment::top},
            {tr("Centres, side by side"), Alignment::middle},
            {tr("Bottom edges"), Alignment::bottom},
            {tr("Equal gaps across"), Alignment::across},
            {tr("Equal gaps down"), Alignment::down}};
}

void CanvasView::contextMenuEvent(QContextMenuEvent* event) {
    QPointF at = mapToScene(event->pos());
    QPoint global = event->globalPos();
    if (event->reason() == QContextMenuEvent::Keyboard && scene_->current()) {
        const QRectF area = scene_->currentArea();
        at = area.center();
        if (const auto current = scene_->current(); !current->port.empty()) at = scene_->placeOf(*current);
        global = viewport()->mapToGlobal(mapFromScene(at));
    } else if (auto* item = itemAt(event->pos()); item && !item->isSelected()) {
        scene_->clearSelection();
        item->setSelected(true);
    }
    QMenu menu;
    fillMenu(menu, at);
    menu.exec(global);
}

} // namespace raphe
