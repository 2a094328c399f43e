// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/shell/settings_guard.h"

#include "engine/base/set_aside.h"

#include <QCryptographicHash>
#include <QFile>
#include <QFileInfo>
#include <QRegularExpression>
#include <QSettings>
#include <QStringDecoder>

namespace raphe {
namespace {

constexpr qint64 largest = 8 << 20;

/// What is wrong with a file of settings; empty: nothing.
QString complaint(const QString& path) {
    QFile file{path};
    if (!file.open(QIODevice::ReadOnly)) return QStringLiteral("they cannot be read (%1)").arg(file.errorString());
    if (file.size() > largest) return QStringLiteral("they are larger than %1 MiB").arg(largest >> 20);
    const QByteArray bytes = file.readAll();
    if (bytes.contains('\0')) return QStringLiteral("they hold binary data");
    QStringDecoder decoder{QStringDecoder::Utf8};
    const QString text = decoder(bytes);
    if (decoder.hasError()) return QStringLiteral("they are no text in UTF-8");
    static const QRegularExpression form{QStringLiteral("^(\\[[^\\[\\]\\r]+\\]|[^=\\[\\]\\s][^=]*=.*|[;#].*|\\s*)$")};
    int number = 0;
    for (const QString& line : text.split('\n')) {
        ++number;
        if (!form.match(line).hasMatch()) return QStringLiteral("line %1 makes no sense").arg(number);
    }
    const QSettings settings{path, QSettings::IniFormat};
    settings.allKeys();
    if (settings.status() != QSettings::NoError) return QStringLiteral("they are damaged");
    return {};
}

QByteArray sumOf(const QByteArray& bytes) { return QCryptographicHash::hash(bytes, QCryptographicHash::Md5).toHex(); }

} // namespace

QString setAsideBrokenSettings() {
    // Only the place is asked for; nothing has been read yet.
    const QString path = QSettings{}.fileName();
    if (!QFileInfo::exists(path)) return {};
    const QString why = complaint(path);
    if (why.isEmpty()) return {};
    try {
        const auto aside = setAside(path.toStdString());
        QSettings{}.sync(); // what it may have read of them is forgotten
        QSettings{}.clear();
        return QStringLiteral(
                   "The settings could not be used: %1. They are kept as %2; the window starts with fresh ones.")
            .arg(why, QString::fromStdString(aside.string()));
    } catch (const std::exception& error) {
        return QStringLiteral("The settings could not be used: %1. %2").arg(why, error.what());
    }
}

void storeChecked(const QString& key, const QByteArray& bytes) { QSettings{}.setValue(key, sumOf(bytes) + bytes); }

QByteArray readChecked(const QString& key, bool& broken) {
    const QByteArray stored = QSettings{}.value(key).toByteArray();
    if (stored.isEmpty() && !QSettings{}.contains(key)) return {};
    const QByteArray bytes = stored.mid(32);
    if (stored.size() >= 32 && stored.left(32) == sumOf(bytes)) return bytes;
    broken = true;
    return {};
}

QString forgetBroken(const QStringList& keys, const QString& what) {
    QSettings settings;
    settings.sync();
    const QString path = settings.fileName();
    QString aside;
    for (int number = 1; number < 10000; ++number) {
        aside = QStringLiteral("%1.corrupt-%2").arg(path).arg(number);
        if (!QFileInfo::exists(aside)) break;
    }
    const bool kept = QFile::copy(path, aside);
    for (const QString& key : keys) settings.remove(key);
    return kept ? QStringLiteral("%1 could not be used and begins anew; the settings of before are kept as %2.")
                      .arg(what, aside)
                : QStringLiteral("%1 could not be used and begins anew.").arg(what);
}

} // namespace raphe
