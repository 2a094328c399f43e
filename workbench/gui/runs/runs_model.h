// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/runs/run_list.h"

#include <QAbstractTableModel>

#include <optional>

namespace raphe {

/// Stored runs as a table: what every run has, then its metrics, then the settings that differ between the runs.
class RunsModel final : public QAbstractTableModel {
    Q_OBJECT

public:
    using QAbstractTableModel::QAbstractTableModel;
    static constexpr int sortRole = Qt::UserRole; ///< numbers as numbers

    void setRuns(std::vector<RunEntry> runs);
    const std::vector<RunEntry>& runs() const { return runs_; }
    /// Shows only what the filter accepts. @throws Error, and then keeps the filter from before
    void setFilter(const std::string& text);
    const RunEntry& run(int row) const { return runs_[visible_[static_cast<std::size_t>(row)]]; }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    void sort(int column, Qt::SortOrder order) override;

private:
    QVariant value(const RunEntry& run, int column) const;
    void refresh();

    std::vector<RunEntry> runs_;
    std::vector<std::size_t> visible_;
    std::vector<std::string> metrics_, settings_;
    std::optional<RunFilter> filter_;
    int sortColumn_ = 4;
    Qt::SortOrder sortOrder_ = Qt::DescendingOrder;
};

} // namespace raphe
