// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/mechanisms/mechanism_model.h"

#include <QWidget>

class QLabel;
class QLineEdit;
class QSortFilterProxyModel;
class QTreeView;

namespace raphe {

/// The mechanisms, to be searched, read about, and dragged onto the canvas or added with Enter.
class MechanismPanel final : public QWidget {
    Q_OBJECT

public:
    explicit MechanismPanel(const PluginHost& plugins, QWidget* parent = nullptr);

    void focusSearch();
    /// Shows the mechanisms that these words find.
    void search(const QString& words);

Q_SIGNALS:
    void wanted(const QString& key);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void explain();
    void addCurrent();

    const PluginHost& plugins_;
    MechanismModel model_;
    QSortFilterProxyModel* filter_;
    QLineEdit* search_;
    QTreeView* view_;
    QLabel* doc_;
};

} // namespace raphe
