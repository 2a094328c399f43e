// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/inspector/inspector_page.h"

#include "engine/base/text.h"
#include "engine/editing/fixes.h"
#include "engine/learning/preflight.h"
#include "gui/inspector/intervention_editor.h"
#include "gui/shell/theme.h"

#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

namespace raphe {
namespace {

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

} // namespace

InspectorPage::InspectorPage(OpenDocument& document) : document_(document), layout_(new QVBoxLayout{this}) {
    layout_->setContentsMargins(8, 8, 8, 8);
    layout_->setSpacing(3);
}

void InspectorPage::heading(const QString& words, const QString& small) {
    auto* label = new QLabel{QStringLiteral("<span style='font-size:large'><b>%1</b></span>%2")
                                 .arg(words.toHtmlEscaped(), small.isEmpty() ? "" : "<br>" + small)};
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    layout_->addWidget(label);
}

void InspectorPage::section(const QString& words) {
    auto* label = new QLabel{QStringLiteral("<b>%1</b>").arg(words)};
    label->setContentsMargins(0, 10, 0, 2);
    layout_->addWidget(label);
    auto* line = new QFrame;
    line->setFrameShape(QFrame::HLine);
    line->setFrameShadow(QFrame::Plain);
    line->setForegroundRole(QPalette::Mid);
    layout_->addWidget(line);
}

void InspectorPage::paragraph(const QString& words) {
    auto* label = new QLabel{words};
    label->setWordWrap(true);
    label->setTextFormat(Qt::RichText);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    layout_->addWidget(label);
}

void InspectorPage::problems(const std::vector<LocatedProblem>& list) {
    if (list.empty()) return;
    auto* shown = new ProblemList{document_, list, ProblemList::Remedies::onDemand};
    connect(shown, &ProblemList::searchWanted, this, &InspectorPage::searchWanted);
    layout_->addWidget(shown);
}

ValueEditor& InspectorPage::value(EditedValue value) {
    auto* editor = new ValueEditor{document_, std::move(value)};
    layout_->addWidget(editor);
    return *editor;
}

QWidget& InspectorPage::add(QWidget* widget, Qt::Alignment alignment) {
    layout_->addWidget(widget, 0, alignment);
    return *widget;
}

void InspectorPage::button(const QString& words, const QString& place, const std::function<void()>& act) {
    auto* made = new QPushButton{words};
    made->setObjectName(place);
    connect(made, &QPushButton::clicked, this, act);
    layout_->addWidget(made, 0, Qt::AlignLeft);
}

void InspectorPage::patterns(const QString& place, const Json& list,
                             const std::function<void(const std::string&)>& append,
                             const std::function<void(const std::string&)>& remove) {
    const auto tensors = tensorNames(document_.document());
    if (list.is_array())
        for (const auto& item : list) {
            if (!item.is_string()) continue;
            const auto pattern = item.get<std::string>();
            auto* row = new QHBoxLayout;
            row->addWidget(new QLabel{"<b>" + text(pattern).toHtmlEscaped() + "</b>"}, 1);
            auto* away = new QToolButton;
            away->setText(QStringLiteral("✕"));
            away->setAutoRaise(true);
            away->setToolTip(tr("Train these tensors again"));
            away->setAccessibleName(tr("Remove the pattern %1").arg(text(pattern)));
            connect(away, &QToolButton::clicked, this, [remove, pattern] { remove(pattern); });
            row->addWidget(away);
            layout_->addLayout(row);
            QStringList matched;
            for (const auto& name : tensors)
                if (matches(pattern, name)) matched << text(name);
            layout_->addWidget(smallLabel(matched.isEmpty() ? tr("matches no tensor") : matched.join(", "),
                                          matched.isEmpty() ? theme().bad : theme().faint));
        }
    auto* edit = new QLineEdit;
    edit->setObjectName(place);
    edit->setPlaceholderText(tr("pattern such as core.* — Enter adds it"));
    edit->setAccessibleName(tr("New pattern of tensors that are not trained"));
    passUndoOn(*edit);
    auto* hits = smallLabel({}, theme().faint);
    hits->setTextInteractionFlags(Qt::TextBrowserInteraction);
    hits->hide();
    connect(edit, &QLineEdit::textEdited, this, [hits, tensors](const QString& typed) {
        QStringList matched;
        for (const auto& name : tensors)
            if (matches(typed.trimmed().toStdString(), name)) matched << text(name);
        hits->setVisible(!typed.trimmed().isEmpty());
        hits->setText(matched.isEmpty() ? tr("matches no tensor yet") : matched.join(", "));
    });
    connect(hits, &QLabel::linkActivated, this, [append](const QString& pattern) { append(pattern.toStdString()); });
    connect(edit, &QLineEdit::returnPressed, this, [this, edit, hits, append, tensors] {
        const auto pattern = edit->text().trimmed().toStdString();
        const bool any = std::any_of(tensors.begin(), tensors.end(),
                                     [&](const std::string& name) { return matches(pattern, name); });
        if (pattern.empty()) return;
        if (any) return append(pattern);
        const QString near = text(likelyPattern(document_.document(), pattern)).toHtmlEscaped();
        hits->setText(tr("No tensor matches this, so it is not added.") + " " +
                      (near.isEmpty() ? tr("There are: %1").arg(text(joined(tensors)).left(400).toHtmlEscaped())
                                      : tr("Did you mean %1?").arg("<a href='" + near + "'>" + near + "</a>")));
    });
    layout_->addWidget(edit);
    layout_->addWidget(hits);
}

void InspectorPage::interventions(const std::function<bool(const Intervention&)>& concerns) {
    const auto& list = experiment().interventions;
    bool any = false;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (!concerns(list[i])) continue;
        if (!any) section(tr("Interventions"));
        any = true;
        try { // one that cannot be read has only its problems
            interventionFromJson(document_.document().complete()["interventions"][i], {});
            layout_->addWidget(new InterventionEditor{document_, static_cast<int>(i)});
        } catch (const Error&) {
        }
        std::vector<LocatedProblem> wrong;
        for (const auto& problem : document_.document().problems())
            if (problem.intervention == static_cast<int>(i)) wrong.push_back(problem);
        problems(wrong);
    }
}

std::vector<std::string> tensorNames(const Document& document) {
    std::vector<std::string> names;
    if (document.problems().empty()) {
        Problems found;
        std::optional<Preflight> checked;
        found.collect([&] { checked = preflight(document.experiment(), document.registry(), {}, found); });
        if (checked) {
            for (const auto& tensor : checked->tensors) names.push_back(tensor.name);
            return names;
        }
    }
    for (const auto& node : document.experiment().nodes)
        if (document.registry().contains(node.mechanism))
            for (const auto& tensor : document.registry().find(node.mechanism, node.name).declaration.tensors)
                names.push_back(node.name + "." + tensor.name);
    return names;
}

} // namespace raphe
