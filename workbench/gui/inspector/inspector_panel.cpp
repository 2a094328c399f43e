// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/inspector/inspector_panel.h"

#include "gui/inspector/document_page.h"
#include "gui/inspector/node_page.h"
#include "gui/shell/theme.h"

#include <QApplication>
#include <QLabel>
#include <QLineEdit>
#include <QScrollBar>
#include <QVBoxLayout>

namespace raphe {
namespace {

/// Where the keyboard was, so that it is there again when the page has been made anew.
struct FocusPlace {
    QString field;
    int cursor = -1;

    static FocusPlace of(const QWidget& panel) {
        QWidget* widget = panel.window()->focusWidget();
        if (!widget || !panel.isAncestorOf(widget)) return {};
        FocusPlace place;
        if (const auto* line = qobject_cast<QLineEdit*>(widget)) place.cursor = line->cursorPosition();
        while (widget && widget->objectName().isEmpty()) widget = widget->parentWidget();
        if (widget && widget->objectName() == "qt_spinbox_lineedit") widget = widget->parentWidget();
        if (widget) place.field = widget->objectName();
        return place;
    }
    void restore(QWidget& page) const {
        if (field.isEmpty()) return;
        auto* widget = page.findChild<QWidget*>(field);
        if (!widget) return;
        widget->setFocus(Qt::OtherFocusReason);
        auto* line = qobject_cast<QLineEdit*>(widget);
        if (!line) line = widget->findChild<QLineEdit*>();
        if (line && cursor >= 0) line->setCursorPosition(cursor);
    }
};

QWidget* note(const QString& words) {
    auto* page = new QWidget;
    auto* layout = new QVBoxLayout{page};
    auto* label = new QLabel{words};
    label->setWordWrap(true);
    layout->addWidget(label);
    layout->addStretch(1);
    return page;
}

} // namespace

InspectorPanel::InspectorPanel(QWidget* parent) : QScrollArea(parent) {
    setWidgetResizable(true);
    setFrameShape(NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setAccessibleName(tr("Inspector"));
    later_.setSingleShot(true);
    later_.setInterval(0);
    connect(&later_, &QTimer::timeout, this, &InspectorPanel::rebuild);
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, &later_, qOverload<>(&QTimer::start));
    rebuild();
}

void InspectorPanel::setDocument(OpenDocument* document) {
    if (document_ == document) return;
    disconnect(connection_);
    document_ = document;
    openStages_.clear();
    if (document)
        connection_ = connect(document, &OpenDocument::changed, this, [this](bool onlyCanvas) {
            if (!onlyCanvas) later_.start();
        });
    showDocument();
}

void InspectorPanel::showNodes(const std::vector<std::string>& names) {
    const std::string node = names.size() == 1 ? names.front() : std::string{};
    if (node == node_ && names == several_) return;
    node_ = node;
    several_ = names;
    wire_.reset();
    later_.start();
}

void InspectorPanel::showWire(const WireSpec& wire) {
    node_.clear();
    several_.clear();
    wire_ = wire;
    later_.start();
}

void InspectorPanel::showDocument() {
    node_.clear();
    several_.clear();
    wire_.reset();
    later_.start();
}

void InspectorPanel::showIntervention(int number) {
    revealed_ = number;
    later_.start();
}

QWidget* InspectorPanel::makePage() {
    if (!document_) return note(tr("Open an experiment; what is chosen on its graph is shown here."));
    InspectorPage* page = nullptr;
    if (const NodeSpec* node = document_->experiment().node(node_)) {
        auto* made = new NodePage{*document_, *node, manualOpen_};
        connect(made, &NodePage::renamed, this, [this](const QString& to) {
            node_ = to.toStdString();
            several_ = {node_};
        });
        page = made;
    } else if (several_.size() > 1) {
        QString names;
        for (const auto& name : several_) names += "<br>" + QString::fromStdString(name).toHtmlEscaped();
        return note(tr("<b>%1 nodes</b>").arg(several_.size()) + names);
    } else {
        const WireSpec* wire = nullptr;
        for (const auto& item : document_->experiment().wires)
            if (wire_ && item.from == wire_->from && item.to == wire_->to) wire = &item;
        if (wire)
            page = new WirePage{*document_, *wire};
        else
            page = new DocumentPage{*document_, openStages_};
    }
    connect(page, &InspectorPage::searchWanted, this, &InspectorPanel::searchWanted);
    connect(page, &InspectorPage::remakeWanted, &later_, qOverload<>(&QTimer::start));
    qobject_cast<QVBoxLayout*>(page->layout())->addStretch(1);
    return page;
}

void InspectorPanel::rebuild() {
    // What is being dragged or held down must not be taken away under the mouse.
    const QWidget* focus = QApplication::focusWidget();
    if (QApplication::mouseButtons() != Qt::NoButton && focus && isAncestorOf(focus)) {
        later_.start(30);
        return;
    }
    later_.setInterval(0);
    const int scrolled = verticalScrollBar()->value();
    const auto place = FocusPlace::of(*this);
    auto* page = makePage();
    setWidget(page);
    page->show();
    if (page->layout()) page->layout()->activate();
    verticalScrollBar()->setValue(scrolled);
    place.restore(*page);
    if (!revealed_) return;
    if (auto* entry = page->findChild<QWidget*>(QStringLiteral("interventions[%1].entry").arg(*revealed_))) {
        ensureWidgetVisible(entry);
        revealed_.reset();
    }
}

} // namespace raphe
