// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QString>

namespace raphe {

/// Settings that make no sense are set aside under another name, so that the window starts with fresh ones. To be
/// called before anything reads settings. @return a sentence for the user; empty: they are in order
QString setAsideBrokenSettings();

/// Bytes that Qt made and will read again (layouts), with a checksum: what does not match it is never given to Qt.
void storeChecked(const QString& key, const QByteArray& bytes);
/// @param broken  set to whether there was something that does not match
QByteArray readChecked(const QString& key, bool& broken);
/// Keeps a copy of the settings as they are beside them, and removes `keys`. @return a sentence for the user
QString forgetBroken(const QStringList& keys, const QString& what);

} // namespace raphe
