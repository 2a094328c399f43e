// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/analysis/comparison.h"

#include <QAbstractItemModel>

namespace raphe {

/// Compared runs: a row for each group with the medians and quartiles of its metrics at the end, and its runs below.
/// Columns: name, state, the settings in which the groups differ, the metrics.
class ComparisonModel final : public QAbstractItemModel {
    Q_OBJECT

public:
    explicit ComparisonModel(std::vector<RunGroup> groups, QObject* parent = nullptr);

    const std::vector<RunGroup>& groups() const { return groups_; }
    const std::vector<std::string>& metrics() const { return metrics_; }
    /// Those of a group's row, or the one of a run's row.
    RunList runsOf(const QModelIndex& index) const;

    QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    QModelIndex parent(const QModelIndex& index) const override;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    enum Fixed { nameColumn, stateColumn, fixed };
    QString groupText(const RunGroup& group, int column) const;
    QString runText(const RunEntry& run, int column) const;

    std::vector<RunGroup> groups_;
    std::vector<std::string> settings_, metrics_;
};

} // namespace raphe
