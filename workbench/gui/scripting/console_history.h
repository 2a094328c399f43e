// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <QStringList>

namespace raphe {

/// What was typed into a console, the newest last. Kept in the settings.
class ConsoleHistory {
public:
    ConsoleHistory();

    void add(const QString& entry);
    /// Goes back in time. @param present  what stands in the field now, for the way back  @return what shall stand
    /// there
    QString older(const QString& present);
    QString newer(const QString& present);
    const QStringList& entries() const { return entries_; }

private:
    QStringList entries_;
    qsizetype at_ = 0; ///< entries_.size(): at what is being typed
    QString typed_;
};

} // namespace raphe
