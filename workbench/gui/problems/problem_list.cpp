// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/problems/problem_list.h"

#include "gui/shell/theme.h"

#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QTimer>
#include <QVBoxLayout>

namespace raphe {
namespace {

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

template <class Concerns>
std::vector<LocatedProblem> chosen(const Document& document, Concerns concerns) {
    std::vector<LocatedProblem> result;
    for (const auto& problem : document.problems())
        if (concerns(problem)) result.push_back(problem);
    return result;
}

} // namespace

ProblemList::ProblemList(OpenDocument& document, const std::vector<LocatedProblem>& problems, Remedies remedies,
                         QWidget* parent)
    : QFrame(parent), document_(document) {
    setObjectName("problems");
    setStyleSheet(QStringLiteral("#problems { border-left: 3px solid %1; background: %2; }")
                      .arg(theme().bad.name(), theme().raised.name()));
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(9, 5, 8, 6);
    layout->setSpacing(3);
    for (const auto& problem : problems) {
        if (layout->count() > 0) layout->addSpacing(5);
        auto* sentence = new QLabel{text(problem.text())};
        sentence->setTextFormat(Qt::PlainText);
        sentence->setWordWrap(true);
        sentence->setTextInteractionFlags(Qt::TextSelectableByMouse);
        layout->addWidget(sentence);
        if (remedies == Remedies::shown) {
            for (const auto& fix : document_.document().fixes(problem)) {
                auto* button = new QPushButton{text(fix.title)};
                connect(button, &QPushButton::clicked, this, [this, fix] { carryOut(fix); });
                layout->addWidget(button, 0, Qt::AlignLeft);
            }
        } else if (!possibleFixes(document_.document(), problem).empty()) {
            auto* button = new QPushButton{tr("Fix")};
            button->setAccessibleName(tr("Remedies for: %1").arg(text(problem.text())));
            auto* menu = new QMenu{button};
            connect(menu, &QMenu::aboutToShow, this, [this, menu, problem] {
                menu->clear();
                for (const auto& fix : document_.document().fixes(problem))
                    menu->addAction(text(fix.title), this, [this, fix] { carryOut(fix); });
                if (menu->isEmpty()) menu->addAction(tr("no remedy helps by itself"))->setEnabled(false);
            });
            button->setMenu(menu);
            layout->addWidget(button, 0, Qt::AlignLeft);
        }
    }
}

void ProblemList::carryOut(const Fix& fix) {
    // What is done may take this widget away.
    auto* document = &document_;
    if (fix.isChoice()) {
        Q_EMIT searchWanted(text(fix.search));
    } else {
        QTimer::singleShot(0, document, [document, command = fix.command()] { document->execute(command); });
    }
    Q_EMIT chosen();
}

std::vector<LocatedProblem> problemsOf(const Document& document, const std::string& node) {
    return chosen(document, [&](const LocatedProblem& problem) { return problem.node == node; });
}

std::vector<LocatedProblem> problemsOf(const Document& document, const Address& port) {
    return chosen(document, [&](const LocatedProblem& problem) {
        return problem.node == port.node && problem.port == port.port;
    });
}

std::vector<LocatedProblem> problemsOf(const Document& document, const WireSpec& wire) {
    const auto& wires = document.experiment().wires;
    return chosen(document, [&](const LocatedProblem& problem) {
        return problem.wire >= 0 && problem.wire < static_cast<int>(wires.size()) &&
               wires[static_cast<std::size_t>(problem.wire)].from == wire.from &&
               wires[static_cast<std::size_t>(problem.wire)].to == wire.to;
    });
}

} // namespace raphe
