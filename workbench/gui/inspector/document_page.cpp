// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/inspector/document_page.h"

#include "engine/document/entry_fields.h"
#include "engine/document/experiment_fields.h"
#include "engine/learning/preflight.h"
#include "gui/shell/theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace raphe {
namespace {

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

} // namespace

DocumentPage::DocumentPage(OpenDocument& opened, std::vector<bool>& openedStages) : InspectorPage(opened) {
    about();
    problems(document().document().problems());
    interventions([](const Intervention&) { return true; });
    fields();
    section(tr("Stages"));
    auto* stages = new StagesEditor{opened, openedStages};
    connect(stages, &InspectorPage::searchWanted, this, &InspectorPage::searchWanted);
    connect(stages, &InspectorPage::remakeWanted, this, &InspectorPage::remakeWanted);
    add(stages);
    recordings();
    frozen();
    size();
}

std::string DocumentPage::baseName() const {
    const auto& own = document().document().json();
    return own.contains("base") && own["base"].is_string() ? own["base"].get<std::string>() : std::string();
}

void DocumentPage::about() {
    const auto& complete = document().document().complete();
    EditedValue name;
    name.info.key = "name";
    name.info.type = ParamType::text;
    name.info.help = "groups runs in plots and names their folders";
    name.place = "name";
    name.value = experiment().name;
    name.command = [](const Json& value) { return Json{{"command", "set_name"}, {"name", value}}; };
    value(std::move(name));
    EditedValue doc;
    doc.info.key = "doc";
    doc.info.type = ParamType::text;
    doc.info.help = "what the experiment is, for people";
    doc.place = "doc";
    doc.value = complete.value("doc", Json(""));
    doc.longText = true;
    doc.command = [](const Json& value) { return Json{{"command", "set_doc"}, {"doc", value}}; };
    value(std::move(doc));
    if (!document().document().isVariant()) return;
    paragraph(tr("<i>A variant of %1: it states only what differs. Values that differ from the base stand out; a reset "
                 "returns to what the base says.</i>")
                  .arg(text(baseName()).toHtmlEscaped()));
    button(tr("Detach from %1").arg(text(baseName())), "detach", [this] {
        document().execute({{"command", "detach"}});
    });
}

void DocumentPage::fields() {
    std::string group;
    for (const auto& field : experimentFields()) {
        if (field.key == "doc") continue;
        if (field.group != group) section(text(group = field.group));
        EditedValue edited{.info = field,
                           .place = field.key,
                           .value = toJson(field.get(experiment())),
                           .resetValue = document().document().resetValue(field.key),
                           .command =
                               [key = field.key](const Json& value) {
                                   return Json{{"command", "set_field"}, {"field", key}, {"value", value}};
                               },
                           .resetCommand = {{"command", "reset_field"}, {"field", field.key}},
                           .base = document().document().base().contains(field.key) ? baseName() : std::string()};
        auto& editor = value(std::move(edited));
        for (const auto& problem : document().document().problems())
            if (problem.field == field.key && problem.node.empty()) editor.setProblem(text(problem.sentence));
    }
}

void DocumentPage::recordings() {
    section(tr("Recorded while training"));
    const auto& list = experiment().recordings;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const auto port = list[i].port.text();
        auto* head = new QHBoxLayout;
        head->addWidget(new QLabel{"<b>" + text(port).toHtmlEscaped() + "</b>"}, 1);
        auto* remove = new QToolButton;
        remove->setText(QStringLiteral("✕"));
        remove->setAutoRaise(true);
        remove->setToolTip(tr("Record it no longer"));
        remove->setAccessibleName(tr("Stop recording %1").arg(text(port)));
        connect(remove, &QToolButton::clicked, this, [this, port] {
            document().execute({{"command", "remove_recording"}, {"port", port}});
        });
        head->addWidget(remove);
        column()->addLayout(head);
        const auto& written = document().document().complete()["record"][i];
        const Json options = [&] {
            Json result = written.is_object() ? written : Json::object();
            result.erase("port");
            return result;
        }();
        std::vector<LocatedProblem> wrong;
        for (const auto& problem : document().document().problems())
            if (problem.recording == static_cast<int>(i)) wrong.push_back(problem);
        problems(wrong);
        if (list[i].port.node.empty()) continue;
        for (const auto& info : recordingFields()) {
            const auto command = [port, options, key = info.key](const Json& value) {
                Json changed = options;
                if (value.is_null())
                    changed.erase(key);
                else
                    changed[key] = value;
                Json made{{"command", "set_recording"}, {"port", port}};
                if (!changed.empty()) made["options"] = changed;
                return made;
            };
            value({.info = info,
                   .place = "record." + port + "." + info.key,
                   .value = options.value(info.key, toJson(info.initial)),
                   .resetValue = toJson(info.initial),
                   .command = command,
                   .resetCommand = command(nullptr)});
        }
    }
    auto* ports = new QComboBox;
    ports->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    ports->setObjectName("record.new");
    ports->setAccessibleName(tr("Record a signal"));
    ports->addItem(tr("Record a signal…"));
    for (const auto& node : experiment().nodes) {
        if (!document().registry().contains(node.mechanism)) continue;
        for (const auto& port : document().registry().find(node.mechanism, node.name).declaration.ports) {
            const Address address{node.name, port.name};
            const bool recorded =
                std::any_of(list.begin(), list.end(), [&](const Recording& item) { return item.port == address; });
            if (port.kind == PortKind::output && !recorded) ports->addItem(text(address.text()));
        }
    }
    connect(ports, &QComboBox::textActivated, this, [this](const QString& port) {
        if (port.contains('.')) document().execute({{"command", "add_recording"}, {"port", port.toStdString()}});
    });
    add(ports);
}

void DocumentPage::frozen() {
    section(tr("Not trained"));
    patterns(
        "frozen.new", document().document().complete().value("frozen", Json::array()),
        [this](const std::string& pattern) {
            document().execute({{"command", "freeze"}, {"pattern", pattern}});
        },
        [this](const std::string& pattern) {
            document().execute({{"command", "unfreeze"}, {"pattern", pattern}});
        });
}

void DocumentPage::size() {
    if (!document().document().problems().empty()) return;
    Problems found;
    std::optional<Preflight> checked;
    found.collect([&] { checked = preflight(experiment(), document().registry(), {}, found); });
    if (!checked) return;
    section(tr("Size"));
    paragraph(tr("%1 trainable numbers in %2 tensors<br>%3 trials of %4 steps, %5<br>memory about %6 MiB with %7 "
                 "threads")
                  .arg(checked->numbers(), 0, 'f', 0)
                  .arg(checked->tensors.size())
                  .arg(checked->trials)
                  .arg(checked->steps)
                  .arg(checked->graph.closedLoop() ? tr("closed loop") : tr("open loop"))
                  .arg(checked->estimate.total() / 1048576, 0, 'f', 1)
                  .arg(checked->estimate.threads));
}

} // namespace raphe
