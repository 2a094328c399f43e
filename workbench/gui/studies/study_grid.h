// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/studies/open_study.h"

#include <QAbstractTableModel>

namespace raphe {

/// The runs of a study: a row for each variant at each point of the axes, a column for each seed.
class StudyGrid final : public QAbstractTableModel {
    Q_OBJECT

public:
    using QAbstractTableModel::QAbstractTableModel;

    void setSnapshot(const StudySnapshot* snapshot);
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    /// @return null outside of the grid
    const StudyRow* at(const QModelIndex& index) const;

private:
    const StudySnapshot* snapshot_ = nullptr;
};

} // namespace raphe
