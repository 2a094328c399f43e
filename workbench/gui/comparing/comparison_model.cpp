// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/comparing/comparison_model.h"

#include "engine/runs/run_table.h"
#include "gui/runs/runs_panel.h"

#include <QFont>

namespace raphe {
namespace {

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }
QString text(double number) { return QString::number(number, 'g', 4); }

QString setting(const RunEntry& run, const std::string& name) {
    const auto found = run.settings.find(name);
    return found == run.settings.end() ? QString{} : text(settingText(found->second));
}

} // namespace

ComparisonModel::ComparisonModel(std::vector<RunGroup> groups, QObject* parent)
    : QAbstractItemModel(parent), groups_(std::move(groups)) {
    RunList runs;
    for (const auto& group : groups_) runs.insert(runs.end(), group.runs.begin(), group.runs.end());
    settings_ = differingSettings(runs);
    metrics_ = metricNames(runs);
}

RunList ComparisonModel::runsOf(const QModelIndex& index) const {
    if (!index.isValid()) return {};
    if (index.internalId() == 0) return groups_[static_cast<std::size_t>(index.row())].runs;
    return {groups_[index.internalId() - 1].runs[static_cast<std::size_t>(index.row())]};
}

QModelIndex ComparisonModel::index(int row, int column, const QModelIndex& parent) const {
    if (row < 0 || column < 0 || row >= rowCount(parent) || column >= columnCount()) return {};
    return createIndex(row, column, parent.isValid() ? static_cast<quintptr>(parent.row() + 1) : quintptr{0});
}

QModelIndex ComparisonModel::parent(const QModelIndex& index) const {
    if (!index.isValid() || index.internalId() == 0) return {};
    return createIndex(static_cast<int>(index.internalId() - 1), 0, quintptr{0});
}

int ComparisonModel::rowCount(const QModelIndex& parent) const {
    if (!parent.isValid()) return static_cast<int>(groups_.size());
    if (parent.internalId() != 0 || parent.column() != 0) return 0;
    return static_cast<int>(groups_[static_cast<std::size_t>(parent.row())].runs.size());
}

int ComparisonModel::columnCount(const QModelIndex&) const {
    return fixed + static_cast<int>(settings_.size() + metrics_.size());
}

QString ComparisonModel::groupText(const RunGroup& group, int column) const {
    if (column == nameColumn) return text(group.name);
    if (column == stateColumn) return group.runs.size() == 1 ? tr("1 run") : tr("%1 runs").arg(group.runs.size());
    const auto extra = static_cast<std::size_t>(column - fixed);
    if (extra < settings_.size()) return setting(*group.runs.front(), settings_[extra]);
    const auto found = finalMetric(group.runs, metrics_[extra - settings_.size()]);
    if (found.count == 0) return {};
    if (found.count == 1) return text(found.median);
    return tr("%1  [%2, %3]").arg(text(found.median), text(found.lower), text(found.upper));
}

QString ComparisonModel::runText(const RunEntry& run, int column) const {
    if (column == nameColumn) return tr("seed %1").arg(text(run.seed));
    if (column == stateColumn) return text(run.state);
    const auto extra = static_cast<std::size_t>(column - fixed);
    if (extra < settings_.size()) return {}; // the same as in the row of its group
    const auto found = finalMetric({std::make_shared<RunEntry>(run)}, metrics_[extra - settings_.size()]);
    return found.count == 0 ? QString{} : text(found.median);
}

QVariant ComparisonModel::data(const QModelIndex& index, int role) const {
    const bool group = index.internalId() == 0;
    const auto runs = runsOf(index);
    const bool metric = index.column() >= fixed + static_cast<int>(settings_.size());
    switch (role) {
    case Qt::DisplayRole:
        return group ? groupText(groups_[static_cast<std::size_t>(index.row())], index.column())
                     : runText(*runs.front(), index.column());
    case Qt::ToolTipRole:
        if (group && metric && runs.size() > 1) return tr("median [lower quartile, upper quartile]");
        return group ? QVariant{} : QVariant{text(runs.front()->folder.string())};
    case Qt::FontRole: {
        QFont font;
        font.setBold(true);
        return group ? QVariant{font} : QVariant{};
    }
    default:
        return {};
    }
}

QVariant ComparisonModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    const auto extra = static_cast<std::size_t>(section - fixed);
    const bool metric = section >= fixed && extra >= settings_.size();
    if (role == Qt::ToolTipRole && metric)
        return tr("mean over the last 5 % of the iterations; of groups the median, with both quartiles");
    if (role != Qt::DisplayRole) return {};
    if (section == nameColumn) return tr("Group");
    if (section == stateColumn) return tr("Runs");
    return text(metric ? metrics_[extra - settings_.size()] : settings_[extra]);
}

} // namespace raphe
