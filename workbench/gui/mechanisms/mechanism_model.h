// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/mechanisms/plugin_host.h"

#include <QStandardItemModel>

namespace raphe {

/// "Miconi et al. 2019" of a full citation; empty if it has no year.
QString shortCitation(const std::string& citation);

/// What there is to build from, and the plugins that were refused.
class MechanismModel final : public QStandardItemModel {
    Q_OBJECT

public:
    enum Role { keyRole = Qt::UserRole, searchRole, refusalRole };
    enum class Grouping { kind, paper };

    explicit MechanismModel(const PluginHost& plugins, QObject* parent = nullptr);

    void setGrouping(Grouping grouping);
    QStringList mimeTypes() const override;
    QMimeData* mimeData(const QModelIndexList& indexes) const override;

private:
    const PluginHost& plugins_;
};

} // namespace raphe
