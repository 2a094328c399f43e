// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDBusVariant>
#include <QObject>

namespace raphe {

/// Asks the desktop (its settings portal) whether it is dark, and hears when that changes. Where there is no portal,
/// nothing is ever said.
class DesktopColours final : public QObject {
    Q_OBJECT

public:
    explicit DesktopColours(QObject* parent = nullptr);

Q_SIGNALS:
    void told(bool dark);

private Q_SLOTS:
    void settingChanged(const QString& group, const QString& key, const QDBusVariant& value);
};

} // namespace raphe
