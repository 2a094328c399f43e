// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/perturbation_list.h"

#include "gui/watching/perturbation_row.h"

#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

#include <algorithm>

namespace raphe {

PerturbationList::PerturbationList(QWidget* parent) : QWidget(parent), list_(new QVBoxLayout), empty_(new QLabel) {
    empty_->setText(tr("Add a change, or switch on an intervention of the document: the same trials are run with it "
                       "as well, with the same random draws, and both are shown."));
    empty_->setWordWrap(true);
    empty_->setEnabled(false);
    empty_->setContentsMargins(8, 8, 8, 8);
    auto* more = new QPushButton{tr("Add a change")};
    connect(more, &QPushButton::clicked, this, [this] {
        if (targets_.empty()) return;
        Intervention intervention;
        intervention.target = parseAddress(targets_.front().name, "intervention");
        add(intervention);
    });
    list_->setContentsMargins(0, 0, 0, 0);
    list_->setSpacing(0);
    list_->addWidget(empty_);
    list_->addStretch();
    auto* inside = new QWidget;
    inside->setLayout(list_);
    auto* scroll = new QScrollArea;
    scroll->setWidget(inside);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(2, 2, 2, 2);
    layout->setSpacing(2);
    layout->addWidget(more);
    layout->addWidget(scroll, 1);
}

PerturbationRow* PerturbationList::append(const Intervention& intervention, bool ofDocument) {
    auto* row = new PerturbationRow{intervention, ofDocument};
    row->setTargets(targets_, largest_, steps_);
    const auto behind = std::find_if(rows_.begin(), rows_.end(),
                                     [&](const PerturbationRow* item) { return ofDocument && !item->ofDocument(); });
    list_->insertWidget(1 + static_cast<int>(behind - rows_.begin()), row); // the hint is first
    rows_.insert(behind, row);
    connect(row, &PerturbationRow::changed, this, &PerturbationList::changed);
    connect(row, &PerturbationRow::keepWanted, this, [this, row] {
        Q_EMIT keepWanted(row->intervention());
        remove(row);
    });
    connect(row, &PerturbationRow::removeWanted, this, [this, row] { remove(row); });
    showEmpty();
    return row;
}

void PerturbationList::remove(PerturbationRow* row) {
    rows_.erase(std::remove(rows_.begin(), rows_.end(), row), rows_.end());
    row->hide();
    row->deleteLater();
    showEmpty();
    Q_EMIT changed();
}

void PerturbationList::showEmpty() { empty_->setVisible(rows_.empty()); }

void PerturbationList::setTargets(std::vector<TrialTarget> targets, std::vector<double> largest, int steps) {
    targets_ = std::move(targets);
    largest_ = std::move(largest);
    steps_ = steps;
    for (auto* row : rows_) row->setTargets(targets_, largest_, steps_);
}

void PerturbationList::setDocument(const std::vector<Intervention>& interventions) {
    if (document_ == interventions) return; // what was turned here stays turned
    document_ = interventions;
    for (const auto* row : std::vector<PerturbationRow*>(rows_))
        if (row->ofDocument()) {
            rows_.erase(std::remove(rows_.begin(), rows_.end(), row), rows_.end());
            delete row;
        }
    for (const auto& intervention : interventions) append(intervention, true);
    showEmpty();
    Q_EMIT changed();
}

std::vector<Intervention> PerturbationList::interventions() const {
    std::vector<Intervention> result;
    for (const auto* row : rows_) result.push_back(row->intervention());
    return result;
}

void PerturbationList::clear() {
    document_.clear();
    if (rows_.empty()) return;
    for (auto* row : rows_) delete row;
    rows_.clear();
    showEmpty();
    Q_EMIT changed();
}

void PerturbationList::add(const Intervention& intervention) {
    append(intervention, false);
    Q_EMIT changed();
}

} // namespace raphe
