// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/shell/desktop_colours.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>

namespace raphe {
namespace {

const QString service = QStringLiteral("org.freedesktop.portal.Desktop"),
              path = QStringLiteral("/org/freedesktop/portal/desktop"),
              interface = QStringLiteral("org.freedesktop.portal.Settings"),
              group = QStringLiteral("org.freedesktop.appearance"), key = QStringLiteral("color-scheme");
constexpr uint prefersDark = 1;

} // namespace

DesktopColours::DesktopColours(QObject* parent) : QObject(parent) {
    auto bus = QDBusConnection::sessionBus();
    if (!bus.isConnected()) return;
    bus.connect(service, path, interface, QStringLiteral("SettingChanged"), this,
                SLOT(settingChanged(QString, QString, QDBusVariant)));
    auto question = QDBusMessage::createMethodCall(service, path, interface, QStringLiteral("Read"));
    question << group << key;
    auto* answer = new QDBusPendingCallWatcher{bus.asyncCall(question), this};
    connect(answer, &QDBusPendingCallWatcher::finished, this, [this](QDBusPendingCallWatcher* call) {
        const QDBusPendingReply<QDBusVariant> reply = *call;
        call->deleteLater();
        if (reply.isError()) return;
        const QVariant value = reply.value().variant(); // some portals wrap it twice
        settingChanged(group, key,
                       value.canConvert<QDBusVariant>() ? value.value<QDBusVariant>() : QDBusVariant{value});
    });
}

void DesktopColours::settingChanged(const QString& changedGroup, const QString& changedKey, const QDBusVariant& value) {
    if (changedGroup == group && changedKey == key) Q_EMIT told(value.variant().toUInt() == prefersDark);
}

} // namespace raphe
