// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/inspector/inspector_panel.h"

#include "engine/learning/preflight.h"
#include "gui/inspector/parameter_editor.h"
#include "gui/shell/theme.h"

#include <QApplication>
#include <QComboBox>
#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QTextBrowser>
#include <QToolButton>
#include <QVBoxLayout>

namespace raphe {
namespace {

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }
QString html(const std::string& utf8) { return text(utf8).toHtmlEscaped(); }

QString mark(PortKind kind) {
    const char* shapes[] = {"●", "◆", "▶"};
    return QStringLiteral("<span style='color:%1'>%2</span>")
        .arg(theme().of(kind).name(), shapes[static_cast<int>(kind)]);
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

void InspectorPanel::rebuild() {
    // Where one was, so that the next value is just where one looks for it.
    const int scrolled = verticalScrollBar()->value();
    const QString focused = QApplication::focusWidget() && isAncestorOf(QApplication::focusWidget())
                                ? QApplication::focusWidget()->accessibleName()
                                : QString{};
    auto* page = new QWidget;
    layout_ = new QVBoxLayout{page};
    layout_->setContentsMargins(10, 8, 10, 8);
    layout_->setSpacing(3);
    if (!document_) {
        paragraph(tr("Open an experiment; what is chosen on its graph is shown here."));
    } else if (const NodeSpec* node = document_->experiment().node(node_)) {
        buildNode(*node);
    } else if (several_.size() > 1) {
        heading(tr("%1 nodes").arg(several_.size()));
        QStringList names;
        for (const auto& name : several_) names << html(name);
        paragraph(names.join("<br>"));
    } else {
        const WireSpec* wire = nullptr;
        for (const auto& item : document_->experiment().wires)
            if (wire_ && item.from == wire_->from && item.to == wire_->to) wire = &item;
        if (wire)
            buildWire(*wire);
        else
            buildDocument();
    }
    layout_->addStretch(1);
    setWidget(page);
    page->show();
    verticalScrollBar()->setValue(scrolled);
    if (focused.isEmpty()) return;
    for (QWidget* widget : page->findChildren<QWidget*>())
        if (widget->accessibleName() == focused) widget->setFocus();
}

void InspectorPanel::heading(const QString& words, const QString& small) {
    auto* label = new QLabel{QStringLiteral("<span style='font-size:large'><b>%1</b></span>%2")
                                 .arg(words.toHtmlEscaped(), small.isEmpty() ? "" : "<br>" + small)};
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    layout_->addWidget(label);
}

void InspectorPanel::section(const QString& words) {
    auto* label = new QLabel{QStringLiteral("<b>%1</b>").arg(words)};
    label->setContentsMargins(0, 10, 0, 2);
    layout_->addWidget(label);
    auto* line = new QFrame;
    line->setFrameShape(QFrame::HLine);
    line->setFrameShadow(QFrame::Plain);
    line->setForegroundRole(QPalette::Mid);
    layout_->addWidget(line);
}

void InspectorPanel::paragraph(const QString& words) {
    auto* label = new QLabel{words};
    label->setWordWrap(true);
    label->setTextFormat(Qt::RichText);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    layout_->addWidget(label);
}

void InspectorPanel::buildProblems(const std::vector<LocatedProblem>& problems) {
    if (problems.empty()) return;
    QStringList lines;
    for (const auto& problem : problems) lines << html(problem.text());
    auto* label = new QLabel{"<p style='margin:0'>" + lines.join("</p><p style='margin:4px 0 0 0'>") + "</p>"};
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    label->setStyleSheet(QStringLiteral("QLabel { border-left: 3px solid %1; padding: 4px 8px; background: %2; }")
                             .arg(theme().bad.name(), theme().raised.name()));
    layout_->addWidget(label);
}

void InspectorPanel::field(const char* name, const QString& help) {
    const Json complete = document_->experiment().toJson();
    const bool written = document_->document().complete().contains(name);
    const Json value = complete.value(name, Json(false)); // what is off is left out
    layout_->addWidget(fieldEditor(
        QString::fromLatin1(name), text(value.is_string() ? value.get<std::string>() : value.dump()), help, written,
        [this, name](const Json& given) {
            Experiment tried = document_->experiment(); // explains what cannot be
            tried.set(name, given, document_->registry());
            document_->execute({{"command", "set_field"}, {"field", name}, {"value", given}});
        },
        [this, name] {
            document_->execute({{"command", "reset_field"}, {"field", name}});
        }));
}

void InspectorPanel::buildDocument() {
    const Experiment& experiment = document_->experiment();
    heading(text(experiment.name.empty() ? "untitled" : experiment.name), html(experiment.doc));
    const auto& problems = document_->document().problems();
    buildProblems(problems);
    if (document_->document().isVariant())
        paragraph(tr("<i>A variant of %1: it states only what differs.</i>")
                      .arg(html(document_->document().json()["base"].dump())));
    section(tr("Training"));
    field("iterations", tr("updates of a run"));
    field("trials", tr("of an iteration; 0: the task's own set"));
    field("seed", tr("of all random streams"));
    field("dt", tr("duration of a step, in the unit of the time constants"));
    field("chunk", tr("trials swept together by one thread; 0: chosen from the number of trials"));
    field("streams", tr("whether trials go on from iteration to iteration"));
    field("memory_mib", tr("MiB for the recorded steps of one chunk"));
    field("precision", tr("float32 or float64"));
    if (!problems.empty()) return;
    Problems found;
    const auto checked = preflight(experiment, document_->registry(), {}, found);
    if (!checked) return;
    section(tr("Size"));
    paragraph(
        tr("%1 trainable numbers in %2 tensors<br>%3 trials of %4 steps, %5<br>memory about %6 MiB with %7 threads")
            .arg(checked->numbers(), 0, 'f', 0)
            .arg(checked->tensors.size())
            .arg(checked->trials)
            .arg(checked->steps)
            .arg(checked->graph.closedLoop() ? tr("closed loop") : tr("open loop"))
            .arg(checked->estimate.total() / 1048576, 0, 'f', 1)
            .arg(checked->estimate.threads));
}

void InspectorPanel::buildNode(const NodeSpec& node) {
    auto* name = new QLineEdit{text(node.name)};
    QFont bold = name->font();
    bold.setBold(true);
    name->setFont(bold);
    name->setAccessibleName(tr("Name of the node"));
    name->setToolTip(tr("Name of the node: letters, digits, _"));
    connect(name, &QLineEdit::editingFinished, this, [this, name, old = node.name] {
        if (!name->isModified() || !document_) return;
        name->setModified(false);
        const std::string wanted = name->text().toStdString();
        if (wanted == old) return;
        node_ = wanted; // what is shown stays the same node
        several_ = {wanted};
        if (!document_->execute({{"command", "rename_node"}, {"name", old}, {"to", wanted}})) {
            node_ = old;
            several_ = {old};
            later_.start();
        }
    });
    layout_->addWidget(name);
    std::vector<LocatedProblem> problems;
    for (const auto& problem : document_->document().problems())
        if (problem.node == node.name) problems.push_back(problem);
    if (!document_->registry().contains(node.mechanism)) {
        paragraph(html(node.mechanism));
        buildProblems(problems);
        return;
    }
    const DeclarationData& declaration = document_->registry().find(node.mechanism, node.name).declaration;
    paragraph(QStringLiteral("<span style='color:%1'>■</span> %2 — %3")
                  .arg(theme().of(declaration.kind).name(), html(node.mechanism), html(declaration.summary)));
    buildProblems(problems);

    if (!declaration.params.empty()) section(tr("Parameters"));
    std::string group;
    bool anyChanged = false;
    for (const ParamInfo& info : declaration.params) {
        if (info.group != group) {
            group = info.group;
            if (!group.empty()) paragraph("<i>" + html(group) + "</i>");
        }
        const auto value = node.params.find(info.key);
        const auto command = [node = node.name, key = info.key](const char* verb) {
            return Json{{"command", verb}, {"node", node}, {"parameter", key}};
        };
        auto* editor = new ParameterEditor{info, value == node.params.end() ? info.initial : value->second,
                                           [this, command](const Json& given) {
                                               Json set = command("set_parameter");
                                               set["value"] = given;
                                               if (document_) document_->execute(set);
                                           },
                                           [this, command] {
                                               if (document_) document_->execute(command("reset_parameter"));
                                           }};
        anyChanged = anyChanged || editor->changed();
        for (const auto& problem : problems)
            if (problem.parameter == info.key) editor->setProblem(text(problem.sentence));
        layout_->addWidget(editor);
    }
    if (anyChanged) {
        auto* all = new QPushButton{tr("Reset all to defaults")};
        connect(all, &QPushButton::clicked, this, [this, node = node.name] {
            if (document_) document_->execute({{"command", "reset_parameter"}, {"node", node}});
        });
        layout_->addWidget(all, 0, Qt::AlignLeft);
    }
    buildPorts(node, declaration);
    buildTensors(node, declaration);
    buildManual(declaration);
}

void InspectorPanel::buildPorts(const NodeSpec& node, const DeclarationData& declaration) {
    section(tr("Ports"));
    QString rows;
    for (const PortInfo& port : declaration.ports) {
        QStringList ends;
        for (const auto& wire : document_->experiment().wires) {
            if (wire.from == Address{node.name, port.name}) ends << "→ " + html(wire.to.text());
            if (wire.to == Address{node.name, port.name}) ends << "← " + html(wire.from.text());
        }
        const QString wired =
            !ends.isEmpty() ? ends.join("<br>")
            : port.optional || port.kind == PortKind::output
                ? "<i>" + tr("not wired") + "</i>"
                : QStringLiteral("<span style='color:%1'>%2</span>").arg(theme().bad.name(), tr("needs a wire"));
        rows += QStringLiteral("<tr><td>%1&nbsp;</td><td><b>%2</b> [%3]<br>%4<br>%5</td></tr>")
                    .arg(mark(port.kind), html(port.name), html(port.sizeText), html(port.help), wired);
    }
    paragraph("<table cellpadding='2'>" + rows + "</table>");
}

void InspectorPanel::buildTensors(const NodeSpec& node, const DeclarationData& declaration) {
    if (declaration.tensors.empty()) return;
    section(tr("Tensors"));
    Problems found;
    std::optional<Preflight> checked;
    if (document_->document().problems().empty())
        found.collect([&] { checked = preflight(document_->experiment(), document_->registry(), {}, found); });
    QString rows;
    double sum = 0;
    for (const TensorInfo& tensor : declaration.tensors) {
        QString shape = html(tensor.rows) + " × " + html(tensor.columns);
        if (checked) {
            const ParameterDescription* built = nullptr;
            for (const auto& item : checked->tensors)
                if (item.name == node.name + "." + tensor.name) built = &item;
            if (!built) continue; // these parameters do without it
            const double count = static_cast<double>(built->rows) * built->columns;
            sum += count;
            shape = QStringLiteral("%1 × %2 = %3").arg(built->rows).arg(built->columns).arg(count, 0, 'f', 0);
            if (!built->trainable) shape += tr(", frozen");
        }
        rows +=
            QStringLiteral("<tr><td><b>%1</b><br>%2<br>%3</td></tr>").arg(html(tensor.name), shape, html(tensor.help));
    }
    paragraph("<table cellpadding='2'>" + rows + "</table>");
    if (checked) paragraph(tr("%1 numbers in all").arg(sum, 0, 'f', 0));
}

void InspectorPanel::buildManual(const DeclarationData& declaration) {
    auto* toggle = new QToolButton;
    toggle->setText(tr("Equations and notes"));
    toggle->setCheckable(true);
    toggle->setChecked(manualOpen_);
    toggle->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    toggle->setAutoRaise(true);
    auto* manual = new QTextBrowser;
    manual->setMarkdown(text(declaration.manual + "\n\n" + declaration.citation));
    manual->setOpenExternalLinks(true);
    manual->setMinimumHeight(320);
    const auto show = [this, toggle, manual](bool open) {
        manualOpen_ = open;
        manual->setVisible(open);
        toggle->setArrowType(open ? Qt::DownArrow : Qt::RightArrow);
    };
    connect(toggle, &QToolButton::toggled, this, show);
    layout_->addWidget(toggle);
    layout_->addWidget(manual);
    show(manualOpen_);
}

void InspectorPanel::buildWire(const WireSpec& wire) {
    heading(tr("Wire"), html(wire.from.text()) + " → " + html(wire.to.text()));
    std::vector<LocatedProblem> problems;
    for (const auto& problem : document_->document().problems())
        if (problem.wire >= 0 && static_cast<std::size_t>(problem.wire) < document_->experiment().wires.size() &&
            document_->experiment().wires[static_cast<std::size_t>(problem.wire)].from == wire.from &&
            document_->experiment().wires[static_cast<std::size_t>(problem.wire)].to == wire.to)
            problems.push_back(problem);
    buildProblems(problems);
    section(tr("Delivers"));
    auto* delay = new QComboBox;
    delay->addItems({tr("the same step; the previous one where it closes a cycle"), tr("the value of the same step"),
                     tr("the value of the previous step")});
    delay->setCurrentIndex(wire.delay ? *wire.delay + 1 : 0);
    delay->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    delay->setAccessibleName(tr("Delay"));
    connect(delay, &QComboBox::activated, this, [this, wire](int index) {
        Json command{{"command", "set_delay"}, {"from", wire.from.text()}, {"to", wire.to.text()}};
        if (index > 0) command["delay"] = index - 1;
        if (document_) document_->execute(command);
    });
    layout_->addWidget(delay);
    auto* remove = new QPushButton{tr("Remove the wire")};
    connect(remove, &QPushButton::clicked, this, [this, wire] {
        if (document_)
            document_->execute({{"command", "disconnect"}, {"from", wire.from.text()}, {"to", wire.to.text()}});
    });
    layout_->addWidget(remove, 0, Qt::AlignLeft);
}

} // namespace raphe
