// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/document/entry_fields.h"
#include "engine/document/fields.h"
#include "gui/inspector/document_page.h"
#include "gui/shell/theme.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

#include <fmt/format.h>

#include <algorithm>

namespace raphe {
namespace {

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

QToolButton* smallButton(const QString& sign, const QString& tip, bool enabled) {
    auto* made = new QToolButton;
    made->setText(sign);
    made->setToolTip(tip);
    made->setAccessibleName(tip);
    made->setAutoRaise(true);
    made->setFixedWidth(made->fontMetrics().height() + 6);
    made->setEnabled(enabled);
    return made;
}

const Json& memberOf(const Json& object, const char* key) {
    static const Json none;
    if (!object.is_object()) return none;
    const auto found = object.find(key);
    return found == object.end() ? none : *found;
}

constexpr ScheduleKind scheduleKinds[]{ScheduleKind::constant, ScheduleKind::step, ScheduleKind::linear,
                                       ScheduleKind::cosine, ScheduleKind::plateau};

} // namespace

StagesEditor::StagesEditor(OpenDocument& document, std::vector<bool>& opened)
    : InspectorPage(document), opened_(opened) {
    column()->setContentsMargins(0, 0, 0, 0);
    const auto count = stages().size();
    opened_.resize(count, false);
    if (count == 0)
        paragraph("<i>" +
                  tr("One training from beginning to end. With stages, tensors can be frozen and parameters of "
                     "the learning rule changed in parts of it.") +
                  "</i>");
    for (std::size_t i = 0; i < count; ++i) stage(i);
    button(tr("Add a stage"), "stages.new", [this] {
        rewrite([this](Json& list) {
            std::string name;
            for (auto n = list.size() + 1; name.empty(); ++n) {
                name = fmt::format("stage_{}", n);
                for (const auto& item : list)
                    if (memberOf(item, "name") == name) name.clear();
            }
            list.push_back({{"name", name}, {"iterations", list.empty() ? experiment().iterations : 1000}});
            opened_.resize(list.size(), true);
        });
    });
}

Json StagesEditor::stages() const {
    const auto& list = memberOf(document().document().complete(), "stages");
    return list.is_array() ? list : Json::array();
}

const DeclarationData* StagesEditor::rule() const { return ruleOf(experiment(), document().registry()).declaration; }

void StagesEditor::rewrite(const std::function<void(Json& stages)>& change) {
    auto list = stages();
    change(list);
    document().execute({{"command", "set_field"}, {"field", "stages"}, {"value", list}});
}

void StagesEditor::setAt(const std::string& place, const Json& value) {
    document().execute({{"command", "set_field"}, {"field", place}, {"value", value}});
}

void StagesEditor::row(std::size_t i) {
    const auto list = stages();
    const auto name = memberOf(list[i], "name"), iterations = memberOf(list[i], "iterations");
    auto* head = new QHBoxLayout;
    head->setSpacing(1);
    auto* open = new QToolButton;
    open->setObjectName(QStringLiteral("stages[%1].open").arg(i));
    open->setText(tr("%1. %2, %3 it.").arg(i + 1).arg(valueText(name), valueText(iterations)));
    open->setToolTip(tr("Stage %1, “%2”: %3 iterations").arg(i + 1).arg(valueText(name), valueText(iterations)));
    open->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    open->setAutoRaise(true);
    open->setCheckable(true);
    open->setChecked(opened_[i]);
    open->setArrowType(opened_[i] ? Qt::DownArrow : Qt::RightArrow);
    connect(open, &QToolButton::toggled, this, [this, i](bool on) {
        opened_[i] = on;
        Q_EMIT remakeWanted();
    });
    head->addWidget(open, 1);
    const auto exchange = [this](std::size_t a, std::size_t b) {
        rewrite([&](Json& stages) {
            std::swap(stages[a], stages[b]);
            const bool kept = opened_[a];
            opened_[a] = opened_[b];
            opened_[b] = kept;
        });
    };
    auto* up = smallButton(QStringLiteral("▲"), tr("Earlier"), i > 0);
    connect(up, &QToolButton::clicked, this, [exchange, i] { exchange(i, i - 1); });
    auto* down = smallButton(QStringLiteral("▼"), tr("Later"), i + 1 < list.size());
    connect(down, &QToolButton::clicked, this, [exchange, i] { exchange(i, i + 1); });
    auto* remove = smallButton(QStringLiteral("✕"), tr("Remove the stage"), true);
    connect(remove, &QToolButton::clicked, this, [this, i] {
        rewrite([this, i](Json& stages) {
            stages.erase(i);
            opened_.erase(opened_.begin() + static_cast<std::ptrdiff_t>(i));
        });
    });
    for (auto* item : {up, down, remove}) head->addWidget(item);
    column()->addLayout(head);
}

void StagesEditor::stage(std::size_t i) {
    row(i);
    std::vector<LocatedProblem> wrong;
    for (const auto& problem : document().document().problems())
        if (problem.stage == static_cast<int>(i)) wrong.push_back(problem);
    problems(wrong);
    if (!opened_[i]) return;
    const auto list = stages();
    const auto place = fmt::format("stages[{}]", i);
    fields(place, list[i], stageFields());
    paragraph(tr("<i>not trained in this stage</i>"));
    const auto pattern = memberOf(list[i], "frozen");
    const auto patternsNow = pattern.is_array() ? pattern : Json::array();
    patterns(
        text(place) + ".frozen.new", patternsNow,
        [this, place, patternsNow](const std::string& added) {
            auto changed = patternsNow;
            changed.push_back(added);
            setAt(place + ".frozen", changed);
        },
        [this, place, patternsNow](const std::string& removed) {
            Json changed = Json::array();
            for (const auto& item : patternsNow)
                if (item != removed) changed.push_back(item);
            setAt(place + ".frozen", changed.empty() ? Json() : changed);
        });
    if (rule()) {
        changedParameters(i);
        schedules(i);
    }
    keepBest(i);
    column()->addSpacing(8);
}

void StagesEditor::fields(const std::string& place, const Json& object, const std::vector<ParamInfo>& infos) {
    for (const auto& info : infos) {
        const auto path = place + "." + info.key;
        // Without "from" a schedule starts with the value that the parameter has; the others must be there.
        const bool noDefault = info.key == "name" || info.key == "metric" || info.key == "goal" || info.key == "from";
        value({.info = info,
               .place = path,
               .value = object.value(info.key, info.key == "from" ? Json() : toJson(info.initial)),
               .resetValue = noDefault ? Json() : toJson(info.initial),
               .command =
                   [path](const Json& written) {
                       return Json{{"command", "set_field"}, {"field", path}, {"value", written}};
                   },
               .resetCommand = {{"command", "set_field"}, {"field", path}, {"value", nullptr}}});
    }
}

void StagesEditor::changedParameters(std::size_t i) {
    const auto list = stages();
    const auto place = fmt::format("stages[{}].set", i);
    const auto set = memberOf(list[i], "set");
    const auto params = ruleOf(experiment(), document().registry()).params;
    if (set.is_object() && !set.empty()) paragraph(tr("<i>parameters of the rule that differ in this stage</i>"));
    if (set.is_object())
        for (const auto& [key, written] : set.items()) {
            const auto* info = rule()->param(key);
            if (!info) continue;
            const auto path = place + "." + key;
            value({.info = *info,
                   .place = path,
                   .value = written,
                   .resetValue = toJson(params->at(key)),
                   .command =
                       [path](const Json& given) {
                           return Json{{"command", "set_field"}, {"field", path}, {"value", given}};
                       },
                   .resetCommand = {{"command", "set_field"}, {"field", path}, {"value", nullptr}},
                   .base = ruleOf(experiment(), document().registry()).node});
        }
    auto* choose = new QComboBox;
    choose->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    choose->setObjectName(text(place) + ".new");
    choose->addItem(tr("Change a parameter of the rule…"));
    for (const auto& info : rule()->params)
        if (!set.is_object() || !set.contains(info.key)) choose->addItem(text(info.key));
    connect(choose, &QComboBox::activated, this, [this, choose, place, params](int index) {
        const auto key = choose->itemText(index).toStdString();
        if (index > 0) setAt(place + "." + key, toJson(params->at(key)));
    });
    add(choose);
}

void StagesEditor::schedules(std::size_t i) {
    const auto list = stages();
    const auto written = memberOf(list[i], "schedules");
    if (written.is_object())
        for (const auto& [key, item] : written.items()) schedule(i, key, item);
    const auto place = fmt::format("stages[{}].schedules", i);
    const auto params = ruleOf(experiment(), document().registry()).params;
    auto* choose = new QComboBox;
    choose->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    choose->setObjectName(text(place) + ".new");
    choose->addItem(tr("Let a parameter follow a schedule…"));
    for (const auto& info : rule()->params) {
        const bool number = info.type == ParamType::integer || info.type == ParamType::real;
        if (number && (!written.is_object() || !written.contains(info.key))) choose->addItem(text(info.key));
    }
    connect(choose, &QComboBox::activated, this, [this, choose, place, params](int index) {
        const auto key = choose->itemText(index).toStdString();
        if (index > 0) setAt(place + "." + key, freshSchedule(ScheduleKind::linear, numberOf(params->at(key))));
    });
    add(choose);
}

void StagesEditor::schedule(std::size_t i, const std::string& key, const Json& written) {
    const auto place = fmt::format("stages[{}].schedules.{}", i, key);
    auto* head = new QHBoxLayout;
    head->addWidget(new QLabel{"<b>" + text(key).toHtmlEscaped() + "</b>"}, 1);
    auto* kinds = new QComboBox;
    kinds->setObjectName(text(place) + ".kind");
    kinds->setAccessibleName(tr("Kind of the schedule of %1").arg(text(key)));
    ScheduleKind kind = ScheduleKind::constant;
    for (const auto one : scheduleKinds) {
        kinds->addItem(nameOf(one));
        if (memberOf(written, "kind") == nameOf(one)) kind = one;
    }
    kinds->setCurrentText(nameOf(kind));
    const auto params = ruleOf(experiment(), document().registry()).params;
    const bool known = params->contains(key);
    connect(kinds, &QComboBox::activated, this, [this, place, params, key, known](int index) {
        setAt(place, freshSchedule(scheduleKinds[index], known ? numberOf(params->at(key)) : 0));
    });
    head->addWidget(kinds);
    auto* remove = smallButton(QStringLiteral("✕"), tr("Remove the schedule of %1").arg(text(key)), true);
    connect(remove, &QToolButton::clicked, this, [this, place] { setAt(place, nullptr); });
    head->addWidget(remove);
    column()->addLayout(head);
    const bool regular = !written.contains("at") && !written.contains("values");
    auto infos = scheduleFields(kind, regular);
    if (kind == ScheduleKind::plateau && memberOf(written, "of") == nameOf(MetricSource::training))
        for (auto& info : infos)
            if (info.key == "trials") info = watchFields(MetricSource::training).back();
    fields(place, written, infos);
    if (kind != ScheduleKind::step) return;
    button(regular ? tr("State iterations and values instead") : tr("Take a factor at regular intervals instead"),
           text(place) + ".form", [this, place, regular, params, key, known] {
               const double now = known ? numberOf(params->at(key)) : 0;
               setAt(place, regular ? Json{{"kind", "step"}, {"at", {1000}}, {"values", {now}}}
                                    : freshSchedule(ScheduleKind::step, now));
           });
}

void StagesEditor::keepBest(std::size_t i) {
    const auto list = stages();
    const auto place = fmt::format("stages[{}].keep_best", i);
    const auto written = memberOf(list[i], "keep_best");
    auto* box = new QCheckBox{tr("Keep the best weights")};
    box->setObjectName(text(place));
    box->setChecked(written.is_object());
    box->setToolTip(tr("At the end of the stage the weights of the best check are taken up."));
    connect(box, &QCheckBox::toggled, this, [this, place](bool on) {
        setAt(place, on ? Json{{"metric", "loss"}, {"goal", "min"}} : Json());
    });
    add(box);
    if (!written.is_object()) return;
    fields(place, written,
           watchFields(memberOf(written, "of") == nameOf(MetricSource::training) ? MetricSource::training
                                                                                 : MetricSource::evaluation));
}

} // namespace raphe
