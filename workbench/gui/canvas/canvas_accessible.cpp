// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/canvas_accessible.h"

#include "gui/canvas/canvas_view.h"

#include <QAccessible>
#include <QAccessibleWidget>

#include <memory>
#include <vector>

namespace raphe {
namespace {

CanvasView* viewOf(const NodeItem& item) {
    const auto* scene = item.scene();
    return scene && !scene->views().isEmpty() ? qobject_cast<CanvasView*>(scene->views().front()) : nullptr;
}

QRect onScreen(const NodeItem& item, const QRectF& area) {
    const auto* view = viewOf(item);
    if (!view) return {};
    const QRect seen = view->mapFromScene(area).boundingRect();
    return {view->viewport()->mapToGlobal(seen.topLeft()), seen.size()};
}

QAccessible::State stateOf(const NodeItem& item, const std::string& port) {
    QAccessible::State state;
    state.focusable = true;
    state.selectable = port.empty();
    state.selected = port.empty() && item.isSelected();
    if (const auto* view = viewOf(item)) {
        const auto current = const_cast<CanvasView*>(view)->canvas().current();
        state.focused = view->hasFocus() && current && current->node == item.node().name && current->port == port;
    }
    return state;
}

/// A port; belongs to the interface of its node.
class PortAccessible final : public QAccessibleInterface {
public:
    PortAccessible(NodeItem& item, int port) : item_(item), port_(port) {}

    bool isValid() const override { return true; }
    QObject* object() const override { return nullptr; }
    QAccessibleInterface* parent() const override { return QAccessible::queryAccessibleInterface(&item_); }
    QAccessibleInterface* child(int) const override { return nullptr; }
    int childCount() const override { return 0; }
    int indexOfChild(const QAccessibleInterface*) const override { return -1; }
    QAccessibleInterface* childAt(int, int) const override { return nullptr; }
    QString text(QAccessible::Text kind) const override {
        const CanvasPort& port = info();
        const char* kinds[] = {"input", "modulation", "output"};
        if (kind == QAccessible::Name)
            return QStringLiteral("%1 %2").arg(kinds[static_cast<int>(port.kind)], QString::fromStdString(port.name));
        if (kind != QAccessible::Description) return {};
        QString words = QString::fromStdString(port.help);
        if (!port.wired) words += QObject::tr(". Not wired");
        for (const auto& problem : port.problems) words += ". " + QString::fromStdString(problem);
        return words;
    }
    void setText(QAccessible::Text, const QString&) override {}
    QRect rect() const override {
        const QPointF at = item_.portAt(port_);
        return onScreen(item_, {at.x() - 9, at.y() - 9, 18, 18});
    }
    QAccessible::Role role() const override { return QAccessible::Grip; }
    QAccessible::State state() const override { return stateOf(item_, info().name); }

private:
    const CanvasPort& info() const { return item_.node().ports[static_cast<std::size_t>(port_)]; }

    NodeItem& item_;
    int port_;
};

class NodeAccessible final : public QAccessibleObject {
public:
    explicit NodeAccessible(NodeItem& item) : QAccessibleObject(&item), item_(item) {
        for (int port = 0; port < static_cast<int>(item.node().ports.size()); ++port) {
            auto* made = new PortAccessible{item, port};
            ports_.push_back(QAccessible::registerAccessibleInterface(made));
        }
    }
    ~NodeAccessible() override {
        for (const auto id : ports_) QAccessible::deleteAccessibleInterface(id);
    }

    QAccessibleInterface* parent() const override {
        auto* view = viewOf(item_);
        return view ? QAccessible::queryAccessibleInterface(view) : nullptr;
    }
    QAccessibleInterface* child(int index) const override {
        return index >= 0 && index < childCount()
                   ? QAccessible::accessibleInterface(ports_[static_cast<std::size_t>(index)])
                   : nullptr;
    }
    int childCount() const override { return static_cast<int>(ports_.size()); }
    int indexOfChild(const QAccessibleInterface* wanted) const override {
        for (int i = 0; i < childCount(); ++i)
            if (child(i) == wanted) return i;
        return -1;
    }
    QString text(QAccessible::Text kind) const override {
        const CanvasNode& node = item_.node();
        if (kind == QAccessible::Name)
            return QObject::tr("%1, %2").arg(QString::fromStdString(node.name), QString::fromStdString(node.mechanism));
        if (kind != QAccessible::Description) return {};
        QString words = QString::fromStdString(node.summary);
        for (const auto& problem : node.problems) words += ". " + QString::fromStdString(problem);
        return words;
    }
    QRect rect() const override { return onScreen(item_, item_.body()); }
    QAccessible::Role role() const override { return QAccessible::Graphic; }
    QAccessible::State state() const override { return stateOf(item_, {}); }

private:
    NodeItem& item_;
    std::vector<QAccessible::Id> ports_;
};

class ViewAccessible final : public QAccessibleWidget {
public:
    explicit ViewAccessible(CanvasView& view) : QAccessibleWidget(&view, QAccessible::Canvas), view_(view) {}

    int childCount() const override { return static_cast<int>(view_.canvas().nodeItems().size()); }
    QAccessibleInterface* child(int index) const override {
        const auto& nodes = view_.canvas().nodeItems();
        return index >= 0 && index < static_cast<int>(nodes.size())
                   ? QAccessible::queryAccessibleInterface(nodes[static_cast<std::size_t>(index)])
                   : nullptr;
    }
    int indexOfChild(const QAccessibleInterface* wanted) const override {
        for (int i = 0; i < childCount(); ++i)
            if (child(i) == wanted) return i;
        return -1;
    }
    QAccessibleInterface* childAt(int x, int y) const override {
        for (int i = 0; i < childCount(); ++i)
            if (auto* node = child(i); node && node->rect().contains(x, y)) return node;
        return nullptr;
    }
    QAccessibleInterface* focusChild() const override {
        const auto current = view_.canvas().current();
        if (!current) return nullptr;
        for (int i = 0; i < childCount(); ++i) {
            auto* node = child(i);
            const auto& item = *view_.canvas().nodeItems()[static_cast<std::size_t>(i)];
            if (item.node().name != current->node) continue;
            return current->port.empty() ? node : node->child(item.node().port(current->port));
        }
        return nullptr;
    }

private:
    CanvasView& view_;
};

QAccessibleInterface* make(const QString&, QObject* object) {
    if (auto* node = qobject_cast<NodeItem*>(object)) return new NodeAccessible{*node};
    if (auto* view = qobject_cast<CanvasView*>(object)) return new ViewAccessible{*view};
    return nullptr;
}

} // namespace

void installCanvasAccessibility() {
    static const bool installed = [] {
        QAccessible::installFactory(make);
        return true;
    }();
    static_cast<void>(installed);
}

} // namespace raphe
