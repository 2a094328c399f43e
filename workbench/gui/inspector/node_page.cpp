// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/inspector/node_page.h"

#include "engine/learning/preflight.h"
#include "gui/inspector/manual_html.h"
#include "gui/shell/theme.h"

#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
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

NodePage::NodePage(OpenDocument& opened, const NodeSpec& node, bool& manualOpen) : InspectorPage(opened) {
    name(node);
    const auto wrong = problemsOf(document().document(), node.name);
    if (!document().registry().contains(node.mechanism)) {
        paragraph(html(node.mechanism));
        problems(wrong);
        return;
    }
    const auto& declaration = document().registry().find(node.mechanism, node.name).declaration;
    paragraph(QStringLiteral("<span style='color:%1'>■</span> %2 — %3")
                  .arg(theme().of(declaration.kind).name(), html(node.mechanism), html(declaration.summary)));
    problems(wrong);
    interventions([&](const Intervention& entry) { return entry.target.node == node.name; });
    parameters(node, declaration);
    ports(node, declaration);
    tensors(node, declaration);
    manual(declaration, manualOpen);
}

void NodePage::name(const NodeSpec& node) {
    auto* edit = new QLineEdit{text(node.name)};
    QFont bold = edit->font();
    bold.setBold(true);
    edit->setFont(bold);
    edit->setObjectName("name of the node");
    edit->setAccessibleName(tr("Name of the node"));
    edit->setToolTip(tr("Name of the node: letters, digits, _"));
    passUndoOn(*edit);
    auto* problem = smallLabel({}, theme().bad);
    problem->hide();
    const auto command = [old = node.name](const QString& typed) {
        return Json{{"command", "rename_node"}, {"name", old}, {"to", typed.toStdString()}};
    };
    connect(edit, &QLineEdit::textEdited, this, [this, problem, command](const QString& typed) {
        const QString why = withoutPlace(document().document().refusal(command(typed)));
        problem->setText(why);
        problem->setVisible(!why.isEmpty());
    });
    connect(edit, &QLineEdit::editingFinished, this, [this, edit, command, problem] {
        if (!edit->isModified()) return;
        edit->setModified(false);
        if (!problem->isHidden()) return;
        const QString wanted = edit->text();
        Q_EMIT renamed(wanted); // what is shown stays the same node
        document().execute(command(wanted));
    });
    add(edit);
    add(problem);
}

void NodePage::parameters(const NodeSpec& node, const DeclarationData& declaration) {
    if (declaration.params.empty()) return;
    section(tr("Parameters"));
    const auto& base = document().document().json();
    const auto baseName = base.contains("base") && base["base"].is_string() ? base["base"].get<std::string>() : "";
    const auto wrong = problemsOf(document().document(), node.name);
    std::string group;
    int changed = 0;
    for (const ParamInfo& info : declaration.params) {
        if (info.group != group) {
            group = info.group;
            if (!group.empty()) paragraph("<i>" + html(group) + "</i>");
        }
        const auto found = node.params.find(info.key);
        const auto resetValue = document().document().resetValue(node.name, info.key);
        const auto command = [node = node.name, key = info.key](const char* verb) {
            return Json{{"command", verb}, {"node", node}, {"parameter", key}};
        };
        auto& editor = value({.info = info,
                              .place = "nodes." + node.name + "." + info.key,
                              .value = toJson(found == node.params.end() ? info.initial : found->second),
                              .resetValue = resetValue,
                              .command =
                                  [command](const Json& given) {
                                      Json set = command("set_parameter");
                                      set["value"] = given;
                                      return set;
                                  },
                              .resetCommand = command("reset_parameter"),
                              .base = resetValue != toJson(info.initial) ? baseName : std::string()});
        changed += editor.changed();
        for (const auto& problem : wrong)
            if (problem.parameter == info.key) editor.setProblem(text(problem.sentence));
    }
    if (changed > 0)
        button(baseName.empty() ? tr("Reset all to defaults (%1)").arg(changed)
                                : tr("Reset all to %1 (%2)").arg(text(baseName)).arg(changed),
               "reset all", [this, node = node.name] {
                   document().execute({{"command", "reset_parameter"}, {"node", node}});
               });
}

void NodePage::ports(const NodeSpec& node, const DeclarationData& declaration) {
    section(tr("Ports"));
    QString rows;
    for (const PortInfo& port : declaration.ports) {
        QStringList ends;
        for (const auto& wire : experiment().wires) {
            if (wire.from == Address{node.name, port.name}) ends << "→ " + html(wire.to.text());
            if (wire.to == Address{node.name, port.name}) ends << "← " + html(wire.from.text());
        }
        const QString wired =
            !ends.isEmpty() ? ends.join("<br>")
            : port.optional || port.kind == PortKind::output
                ? "<i>" + tr("not wired") + "</i>"
                : QStringLiteral("<span style='color:%1'>%2</span>").arg(theme().bad.name(), tr("needs a wire"));
        QString wrong;
        for (const auto& problem : problemsOf(document().document(), Address{node.name, port.name}))
            wrong +=
                QStringLiteral("<br><span style='color:%1'>%2</span>").arg(theme().bad.name(), html(problem.sentence));
        rows += QStringLiteral("<tr><td>%1&nbsp;</td><td><b>%2</b> [%3]<br>%4<br>%5%6</td></tr>")
                    .arg(mark(port.kind), html(port.name), html(port.sizeText), html(port.help), wired, wrong);
    }
    paragraph("<table cellpadding='2'>" + rows + "</table>");
}

void NodePage::tensors(const NodeSpec& node, const DeclarationData& declaration) {
    if (declaration.tensors.empty()) return;
    section(tr("Tensors"));
    Problems found;
    std::optional<Preflight> checked;
    if (document().document().problems().empty())
        found.collect([&] { checked = preflight(experiment(), document().registry(), {}, found); });
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

void NodePage::manual(const DeclarationData& declaration, bool& open) {
    auto* toggle = new QToolButton;
    toggle->setObjectName("manual");
    toggle->setText(tr("Equations and notes"));
    toggle->setCheckable(true);
    toggle->setChecked(open);
    toggle->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    toggle->setAutoRaise(true);
    toggle->setArrowType(open ? Qt::DownArrow : Qt::RightArrow);
    connect(toggle, &QToolButton::toggled, this, [this, &open](bool on) {
        open = on;
        Q_EMIT remakeWanted();
    });
    add(toggle);
    if (!open) return;
    auto* browser = new QTextBrowser;
    browser->setHtml(manualHtml(declaration));
    browser->setOpenExternalLinks(true);
    browser->setMinimumHeight(360);
    browser->setAccessibleName(tr("Equations and notes"));
    add(browser);
}

WirePage::WirePage(OpenDocument& opened, const WireSpec& wire) : InspectorPage(opened) {
    heading(tr("Wire"), html(wire.from.text()) + " → " + html(wire.to.text()));
    problems(problemsOf(document().document(), wire));
    section(tr("Delivers"));
    EditedValue delay;
    delay.info.key = "delay";
    delay.info.type = ParamType::text;
    delay.info.choices = {"as the cycles ask", "same step", "previous step"};
    delay.info.help = "A wire that closes a cycle delivers the value of the previous step, unless it is stated here. "
                      "Two ports are joined by one wire; its delay is changed, not a second wire drawn.";
    delay.place = "delay";
    delay.value = delay.info.choices[static_cast<std::size_t>(wire.delay ? *wire.delay + 1 : 0)];
    delay.resetValue = delay.info.choices.front();
    const Json plain{{"command", "set_delay"}, {"from", wire.from.text()}, {"to", wire.to.text()}};
    delay.command = [plain, choices = delay.info.choices](const Json& chosen) {
        Json command = plain;
        if (chosen == choices[1]) command["delay"] = 0;
        if (chosen == choices[2]) command["delay"] = 1;
        return command;
    };
    delay.resetCommand = plain;
    value(std::move(delay));
    button(tr("Remove the wire"), "remove", [this, wire] {
        document().execute({{"command", "disconnect"}, {"from", wire.from.text()}, {"to", wire.to.text()}});
    });
    interventions([&](const Intervention& entry) { return entry.target == wire.from; });
}

} // namespace raphe
