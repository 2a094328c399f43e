// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/runs/runs_model.h"

#include "engine/analysis/comparison.h"
#include "engine/runs/run_table.h"
#include "gui/running/run_queue.h"
#include "gui/shell/theme.h"

#include <QDateTime>
#include <QFont>

#include <algorithm>
#include <numeric>
#include <set>
#include <unordered_map>

namespace raphe {
namespace {

constexpr std::size_t metricsAtFirst = 4, settingsAtFirst = 10;

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

QVariant settingValue(const std::string& json) {
    const QString words = text(settingText(json));
    bool isNumber = false;
    const double number = words.toDouble(&isNumber);
    return isNumber ? QVariant{number} : QVariant{words};
}

/// A list sorted by keys that are computed once; what has no key comes last, either way.
template <class Item, class Key>
void sortByKey(std::vector<Item>& items, Qt::SortOrder order, const Key& key) {
    std::vector<std::pair<QVariant, std::size_t>> keys;
    keys.reserve(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) keys.emplace_back(key(items[i]), i);
    std::stable_sort(keys.begin(), keys.end(), [order](const auto& a, const auto& b) {
        if (a.first.isValid() != b.first.isValid()) return a.first.isValid();
        if (!a.first.isValid()) return false;
        const bool numbers = a.first.typeId() != QMetaType::QString && b.first.typeId() != QMetaType::QString;
        const int sign = numbers
                             ? (a.first.toDouble() < b.first.toDouble() ? -1 : a.first.toDouble() > b.first.toDouble())
                             : QString::compare(a.first.toString(), b.first.toString(), Qt::CaseInsensitive);
        return order == Qt::AscendingOrder ? sign < 0 : sign > 0;
    });
    std::vector<Item> sorted;
    sorted.reserve(items.size());
    for (const auto& [value, i] : keys) sorted.push_back(std::move(items[i]));
    items = std::move(sorted);
}

} // namespace

QString sizeText(double bytes) {
    if (bytes < 1e6) return QStringLiteral("%1 kB").arg(bytes / 1e3, 0, 'f', 0);
    if (bytes < 1e9) return QStringLiteral("%1 MB").arg(bytes / 1e6, 0, 'f', 1);
    return QStringLiteral("%1 GB").arg(bytes / 1e9, 0, 'f', 2);
}

void RunsModel::setRuns(RunList runs) {
    if (runs == runs_) return;
    runs_ = std::move(runs);
    auto metrics = metricNames(runs_), settings = changedSettings(runs_);
    if (metrics == metrics_ && settings == settings_) {
        change([] {});
        return;
    }
    beginResetModel();
    metrics_ = std::move(metrics);
    settings_ = std::move(settings);
    rebuild();
    endResetModel();
}

void RunsModel::setFilter(const std::string& filter) {
    RunFilter parsed(filter);
    change([&] { filter_ = std::move(parsed); });
}

void RunsModel::setGrouped(bool grouped) {
    if (grouped == grouped_) return;
    beginResetModel();
    grouped_ = grouped;
    rebuild();
    endResetModel();
}

void RunsModel::sort(int column, Qt::SortOrder order) {
    change([&] {
        sortColumn_ = column;
        sortOrder_ = order;
    });
}

void RunsModel::change(const std::function<void()>& act) {
    Q_EMIT layoutAboutToBeChanged();
    const auto before = persistentIndexList();
    std::vector<QString> keys;
    for (const QModelIndex& index : before) keys.push_back(key(index));
    act();
    rebuild();
    QModelIndexList after;
    std::unordered_map<std::string, QModelIndex> places;
    const auto note = [&](const QModelIndex& index) { places.emplace(key(index).toStdString(), index); };
    for (int row = 0; !before.empty() && row < rowCount(); ++row) {
        const QModelIndex top = index(row, 0);
        note(top);
        for (int below = 0; below < rowCount(top); ++below) note(index(below, 0, top));
    }
    for (qsizetype i = 0; i < before.size(); ++i) {
        const auto found = places.find(keys[static_cast<std::size_t>(i)].toStdString());
        after << (found == places.end() ? QModelIndex{} : found->second.siblingAtColumn(before[i].column()));
    }
    changePersistentIndexList(before, after);
    Q_EMIT layoutChanged();
}

void RunsModel::rebuild() {
    if (sortColumn_ >= columnCount()) sortColumn_ = dateColumn;
    groups_.clear();
    if (!grouped_) {
        groups_.push_back({{}, filter_(runs_), {}});
    } else {
        std::map<std::string, std::size_t> places;
        for (const auto& run : runs_) {
            if (!filter_.accepts(*run)) continue;
            // What cannot be read belongs to no experiment.
            const auto name = run->state == "unreadable" ? std::string() : nameOf(*run);
            const auto [place, fresh] = places.try_emplace(name, groups_.size());
            if (fresh) groups_.push_back({name, {}, {}});
            groups_[place->second].runs.push_back(run);
        }
    }
    for (auto& group : groups_)
        sortByKey(group.runs, sortOrder_, [this](const auto& run) { return value(*run, sortColumn_); });
    if (grouped_) sortByKey(groups_, sortOrder_, [this](const Group& group) { return groupValue(group, sortColumn_); });
}

int RunsModel::shownCount() const {
    return std::accumulate(groups_.begin(), groups_.end(), 0,
                           [](int sum, const Group& group) { return sum + static_cast<int>(group.runs.size()); });
}

const RunList& RunsModel::topRuns() const { return groups_.front().runs; }

const RunsModel::Group* RunsModel::groupOf(const QModelIndex& index) const {
    if (!index.isValid() || !grouped_) return nullptr;
    const auto id = index.internalId();
    const auto place = id == 0 ? static_cast<std::size_t>(index.row()) : static_cast<std::size_t>(id - 1);
    return place < groups_.size() ? &groups_[place] : nullptr;
}

std::shared_ptr<const RunEntry> RunsModel::run(const QModelIndex& index) const {
    if (!index.isValid() || (grouped_ && index.internalId() == 0)) return nullptr;
    const auto& runs = grouped_ ? groupOf(index)->runs : topRuns();
    const auto row = static_cast<std::size_t>(index.row());
    return row < runs.size() ? runs[row] : nullptr;
}

RunList RunsModel::runsOf(const QModelIndex& index) const {
    if (auto single = run(index)) return {std::move(single)};
    const Group* group = groupOf(index);
    return group ? group->runs : RunList{};
}

QString RunsModel::key(const QModelIndex& index) const {
    if (const auto single = run(index)) return text(single->folder.string());
    const Group* group = groupOf(index);
    return group ? "group " + text(group->name) : QString{};
}

QModelIndex RunsModel::indexOf(const QString& key) const {
    const auto wanted = key.toStdString();
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        if (grouped_ && wanted == "group " + groups_[g].name) return index(static_cast<int>(g), 0);
        const auto& runs = groups_[g].runs;
        for (std::size_t r = 0; r < runs.size(); ++r)
            if (runs[r]->folder.native() == wanted)
                return createIndex(static_cast<int>(r), 0, quintptr{grouped_ ? g + 1 : 0});
    }
    return {};
}

QModelIndex RunsModel::index(int row, int column, const QModelIndex& parent) const {
    if (row < 0 || column < 0 || row >= rowCount(parent) || column >= columnCount()) return {};
    return createIndex(row, column, parent.isValid() ? static_cast<quintptr>(parent.row() + 1) : quintptr{0});
}

QModelIndex RunsModel::parent(const QModelIndex& index) const {
    if (!index.isValid() || index.internalId() == 0) return {};
    return createIndex(static_cast<int>(index.internalId() - 1), 0, quintptr{0});
}

int RunsModel::rowCount(const QModelIndex& parent) const {
    if (!parent.isValid()) {
        if (groups_.empty()) return 0;
        return static_cast<int>(grouped_ ? groups_.size() : topRuns().size());
    }
    if (!grouped_ || parent.internalId() != 0 || parent.column() != 0) return 0;
    return static_cast<int>(groups_[static_cast<std::size_t>(parent.row())].runs.size());
}

int RunsModel::columnCount(const QModelIndex&) const {
    return fixed + static_cast<int>(metrics_.size() + settings_.size());
}

QVariant RunsModel::value(const RunEntry& run, int column) const {
    if (run.state == "unreadable" && column != runColumn && column != stateColumn) return {};
    switch (column) {
    case runColumn:
        return text(grouped_ || run.experiment.empty() ? run.folder.filename().string() : run.experiment);
    case stateColumn:
        return text(run.state);
    case seedColumn:
        return run.seed.empty() ? QVariant{} : QVariant{text(run.seed).toDouble()};
    case iterationsColumn:
        return static_cast<double>(run.iterations);
    case dateColumn:
        return run.start.empty() ? QVariant{} : QVariant{text(run.start)};
    case durationColumn:
        return run.seconds;
    case sizeColumn:
        return static_cast<double>(run.bytes);
    default:
        break;
    }
    const auto extra = static_cast<std::size_t>(column - fixed);
    if (extra < metrics_.size()) {
        for (const auto& [name, number] : run.metrics)
            if (name == metrics_[extra]) return number;
        return {};
    }
    const auto found = run.settings.find(settings_[extra - metrics_.size()]);
    return found == run.settings.end() ? QVariant{} : settingValue(found->second);
}

QVariant RunsModel::groupValue(const Group& group, int column) const {
    const auto [cell, fresh] = group.cells.try_emplace(column);
    if (fresh) cell->second = summary(group, column);
    return cell->second;
}

QVariant RunsModel::summary(const Group& group, int column) const {
    const auto sum = [&](auto member) {
        double total = 0;
        for (const auto& run : group.runs) total += static_cast<double>((*run).*member);
        return total;
    };
    switch (column) {
    case runColumn:
        return group.name.empty() ? tr("what cannot be read") : text(group.name);
    case stateColumn: {
        std::map<std::string, int> counts;
        for (const auto& run : group.runs) ++counts[run->state];
        QStringList parts;
        for (const char* state : {"running", "interrupted", "failed", "done", "unreadable"})
            if (const auto found = counts.find(state); found != counts.end())
                parts << QStringLiteral("%1 %2").arg(found->second).arg(QLatin1String{state});
        return parts.join(", ");
    }
    case dateColumn: {
        const std::string* last = nullptr;
        for (const auto& run : group.runs)
            if (!run->start.empty() && (!last || run->start > *last)) last = &run->start;
        return last ? QVariant{text(*last)} : QVariant{};
    }
    case durationColumn:
        return group.name.empty() ? QVariant{} : QVariant{sum(&RunEntry::seconds)};
    case sizeColumn:
        return group.name.empty() ? QVariant{} : QVariant{sum(&RunEntry::bytes)};
    case seedColumn:
    case iterationsColumn:
        return {};
    default:
        break;
    }
    const auto extra = static_cast<std::size_t>(column - fixed);
    if (extra < metrics_.size()) {
        const auto found = finalMetric(group.runs, metrics_[extra]);
        return found.count > 0 ? QVariant{found.median} : QVariant{};
    }
    const auto& name = settings_[extra - metrics_.size()];
    std::set<std::string> values;
    for (const auto& run : group.runs)
        if (const auto found = run->settings.find(name); found != run->settings.end()) values.insert(found->second);
    if (values.empty()) return {};
    return values.size() == 1 ? settingValue(*values.begin()) : QVariant{tr("%1 values").arg(values.size())};
}

QVariant RunsModel::shown(const QVariant& value, int column) const {
    if (!value.isValid()) return {};
    if (column == dateColumn)
        return QDateTime::fromString(value.toString(), Qt::ISODate).toLocalTime().toString("yyyy-MM-dd HH:mm");
    if (column == durationColumn) return durationText(value.toDouble());
    if (column == sizeColumn) return sizeText(value.toDouble());
    if (value.typeId() != QMetaType::Double) return value;
    const double number = value.toDouble();
    if (column == seedColumn || column == iterationsColumn) return QString::number(number, 'f', 0);
    return QString::number(number, 'g', 5);
}

QString RunsModel::tip(const RunEntry& run) const {
    QString tip = text(run.folder.string());
    if (!run.problem.empty()) return tip + "\n" + text(run.problem);
    tip += tr("\n%1, seed %2").arg(text(run.experiment), text(run.seed));
    if (!run.hash.empty()) tip += tr("\nrun hash %1").arg(text(run.hash));
    if (run.state == "interrupted") tip += tr("\nIt can be resumed.");
    return tip;
}

QVariant RunsModel::data(const QModelIndex& index, int role) const {
    const int column = index.column();
    const auto entry = run(index);
    const Group* group = entry ? nullptr : groupOf(index);
    if (!entry && !group) return {};
    switch (role) {
    case Qt::ToolTipRole:
        if (entry) return tip(*entry);
        return column >= fixed && column < fixed + static_cast<int>(metrics_.size()) ? tr("median of the group")
                                                                                     : QVariant{};
    case Qt::FontRole: {
        QFont font;
        font.setBold(true);
        return group && column == runColumn ? QVariant{font} : QVariant{};
    }
    case Qt::ForegroundRole:
        if (!entry || column != stateColumn) return {};
        if (entry->state == "failed" || entry->state == "unreadable") return theme().bad;
        if (entry->state == "interrupted") return theme().dark ? theme().warning : theme().modulation;
        return theme().good;
    case Qt::DisplayRole:
    case Qt::TextAlignmentRole:
    case sortRole:
        break;
    default:
        return {};
    }
    const QVariant raw = entry ? value(*entry, column) : groupValue(*group, column);
    if (role == sortRole) return raw;
    if (role == Qt::TextAlignmentRole) {
        const bool number = raw.typeId() == QMetaType::Double;
        return number ? QVariant{static_cast<int>(Qt::AlignRight | Qt::AlignVCenter)} : QVariant{};
    }
    if (column == runColumn) {
        if (group) return tr("%1  (%2)").arg(raw.toString()).arg(group->runs.size());
        if (!entry->problem.empty())
            return tr("%1: %2").arg(text(entry->folder.filename().string()), text(entry->problem));
    }
    if (entry && column == iterationsColumn && entry->iterations != entry->planned && entry->planned > 0)
        return tr("%1 of %2").arg(entry->iterations).arg(entry->planned);
    return shown(raw, column);
}

QString RunsModel::columnKey(int column) const {
    static const char* const keys[fixed] = {"run", "state", "seed", "iterations", "date", "duration", "size"};
    if (column < fixed) return QLatin1String{keys[column]};
    const auto extra = static_cast<std::size_t>(column - fixed);
    return extra < metrics_.size() ? "metric " + text(metrics_[extra])
                                   : "setting " + text(settings_[extra - metrics_.size()]);
}

bool RunsModel::columnShownAtFirst(int column) const {
    const auto extra = static_cast<std::size_t>(column - fixed);
    if (column < fixed) return true;
    return extra < metrics_.size() ? extra < metricsAtFirst : extra - metrics_.size() < settingsAtFirst;
}

QVariant RunsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    const bool metric = section >= fixed && section < fixed + static_cast<int>(metrics_.size());
    if (role == Qt::ToolTipRole && metric) return tr("mean over the last 5 % of the iterations");
    if (role != Qt::DisplayRole) return {};
    const QString names[fixed] = {tr("Run"),   tr("State"),    tr("Seed"), tr("Iterations"),
                                  tr("Begun"), tr("Duration"), tr("Size")};
    if (section < fixed) return names[section];
    return columnKey(section).section(' ', 1);
}

} // namespace raphe
