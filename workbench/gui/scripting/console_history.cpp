// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/scripting/console_history.h"

#include <QSettings>

namespace raphe {
namespace {

constexpr const char* key = "console/history";
constexpr qsizetype most = 300, longest = 20000;

} // namespace

ConsoleHistory::ConsoleHistory() : entries_(QSettings{}.value(key).toStringList().mid(0, most)) {
    at_ = entries_.size();
}

void ConsoleHistory::add(const QString& entry) {
    if (entry.trimmed().isEmpty()) return;
    // Another window may have added some meanwhile.
    entries_ = QSettings{}.value(key).toStringList();
    entries_.removeAll(entry);
    if (entry.size() <= longest) entries_ << entry;
    if (entries_.size() > most) entries_ = entries_.mid(entries_.size() - most);
    at_ = entries_.size();
    typed_.clear();
    QSettings{}.setValue(key, entries_);
}

QString ConsoleHistory::older(const QString& present) {
    if (at_ == entries_.size()) typed_ = present;
    if (at_ == 0) return present;
    return entries_[--at_];
}

QString ConsoleHistory::newer(const QString& present) {
    if (at_ >= entries_.size()) return present;
    return ++at_ == entries_.size() ? typed_ : entries_[at_];
}

} // namespace raphe
