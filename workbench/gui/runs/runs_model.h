// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/runs/run_filter.h"

#include <QAbstractItemModel>

#include <map>

namespace raphe {

/// Stored runs as a table: what every run has, then its metrics, then the settings that differ between the runs of an
/// experiment. Grouped, the runs of an experiment are the rows below it, and its own row shows their number and
/// medians.
class RunsModel final : public QAbstractItemModel {
    Q_OBJECT

public:
    using QAbstractItemModel::QAbstractItemModel;
    static constexpr int sortRole = Qt::UserRole; ///< numbers as numbers

    enum Fixed { runColumn, stateColumn, seedColumn, iterationsColumn, dateColumn, durationColumn, sizeColumn, fixed };
    /// Names of columns that stay the same while others come and go: "state", "metric reward", "setting agent.hidden".
    QString columnKey(int column) const;
    /// Whether it is seen unless somebody chooses otherwise.
    bool columnShownAtFirst(int column) const;

    /// Takes over a list. Runs that are the same object as before have not changed.
    void setRuns(RunList runs);
    const RunList& runs() const { return runs_; }
    /// Shows only what the filter accepts. @throws Error, and then keeps the filter from before
    void setFilter(const std::string& text);
    const RunFilter& filter() const { return filter_; }
    void setGrouped(bool grouped);
    bool grouped() const { return grouped_; }

    int shownCount() const;
    /// Null for the row of a group.
    std::shared_ptr<const RunEntry> run(const QModelIndex& index) const;
    /// The run of a row, or those of a group.
    RunList runsOf(const QModelIndex& index) const;
    /// What a row is called however it moves; indexOf() finds it again.
    QString key(const QModelIndex& index) const;
    QModelIndex indexOf(const QString& key) const;

    QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    QModelIndex parent(const QModelIndex& index) const override;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    void sort(int column, Qt::SortOrder order) override;

private:
    struct Group {
        std::string name;
        RunList runs;                          ///< those that are shown
        mutable std::map<int, QVariant> cells; ///< by column, once they have been asked for
    };
    QVariant value(const RunEntry& run, int column) const;
    QVariant groupValue(const Group& group, int column) const;
    QVariant summary(const Group& group, int column) const;
    QVariant shown(const QVariant& value, int column) const;
    QString tip(const RunEntry& run) const;
    const Group* groupOf(const QModelIndex& index) const;
    const RunList& topRuns() const;
    void rebuild();
    void change(const std::function<void()>& act);

    RunList runs_;
    std::vector<Group> groups_; ///< not grouped: one, without a row of its own
    std::vector<std::string> metrics_, settings_;
    RunFilter filter_{""};
    bool grouped_ = true;
    int sortColumn_ = dateColumn;
    Qt::SortOrder sortOrder_ = Qt::DescendingOrder;
};

/// "2.1 MB"
QString sizeText(double bytes);

} // namespace raphe
