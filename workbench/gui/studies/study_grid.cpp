// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/studies/study_grid.h"

#include "gui/shell/theme.h"

#include <cmath>

namespace raphe {

void StudyGrid::setSnapshot(const StudySnapshot* snapshot) {
    beginResetModel();
    snapshot_ = snapshot;
    endResetModel();
}

int StudyGrid::columnCount(const QModelIndex& parent) const {
    return parent.isValid() || !snapshot_ ? 0 : static_cast<int>(snapshot_->study.seeds.size());
}
int StudyGrid::rowCount(const QModelIndex& parent) const {
    const int columns = columnCount(parent);
    return columns == 0 ? 0 : static_cast<int>(snapshot_->rows.size()) / columns;
}

const StudyRow* StudyGrid::at(const QModelIndex& index) const {
    if (!index.isValid() || !snapshot_) return nullptr;
    return &snapshot_->rows[static_cast<std::size_t>(index.row() * columnCount() + index.column())];
}

QVariant StudyGrid::data(const QModelIndex& index, int role) const {
    const StudyRow* row = at(index);
    if (!row) return {};
    const auto& status = row->status;
    const auto state = QString::fromLatin1(nameOf(status.state));
    if (role == Qt::DisplayRole) {
        if (status.state != StudyRunState::done || snapshot_->study.measures.empty()) return state;
        const auto& first = snapshot_->study.measures.front().name;
        return QString::number(status.measures.at(first), 'g', 4);
    }
    if (role == Qt::ForegroundRole) {
        switch (status.state) {
        case StudyRunState::done:
            return theme().text;
        case StudyRunState::failed:
            return theme().bad;
        case StudyRunState::running:
            return theme().accent;
        case StudyRunState::interrupted:
            return theme().warning;
        default:
            return theme().faint;
        }
    }
    if (role == Qt::TextAlignmentRole) return int(Qt::AlignRight | Qt::AlignVCenter);
    if (role == Qt::ToolTipRole) {
        auto text =
            tr("%1, seed %2: %3").arg(QString::fromStdString(groupName(*row->run))).arg(row->run->seed).arg(state);
        for (const auto& [name, value] : status.measures)
            text += QStringLiteral("\n%1 = %2").arg(QString::fromStdString(name)).arg(value, 0, 'g', 6);
        if (status.iterations > 0) text += tr("\n%1 iterations").arg(status.iterations);
        if (!status.problem.empty()) text += QLatin1Char('\n') + QString::fromStdString(status.problem);
        return text;
    }
    return {};
}

QVariant StudyGrid::headerData(int section, Qt::Orientation orientation, int role) const {
    if (role != Qt::DisplayRole || !snapshot_) return QAbstractTableModel::headerData(section, orientation, role);
    if (orientation == Qt::Horizontal)
        return tr("seed %1").arg(snapshot_->study.seeds.at(static_cast<std::size_t>(section)));
    return QString::fromStdString(
        groupName(*snapshot_->rows.at(static_cast<std::size_t>(section * columnCount())).run));
}

} // namespace raphe
