// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/runs/runs_model.h"

#include "gui/shell/theme.h"

#include <algorithm>
#include <set>

namespace raphe {
namespace {

constexpr int fixedColumns = 5;

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

} // namespace

void RunsModel::setRuns(std::vector<RunEntry> runs) {
    beginResetModel();
    runs_ = std::move(runs);
    std::set<std::string> names;
    for (const auto& run : runs_)
        for (const auto& [name, value] : run.metrics) names.insert(name);
    metrics_.clear();
    for (const char* usual : {"reward", "return", "loss"})
        if (names.erase(usual) != 0) metrics_.emplace_back(usual);
    metrics_.insert(metrics_.end(), names.begin(), names.end());
    settings_ = differingSettings(runs_);
    refresh();
    endResetModel();
}

void RunsModel::setFilter(const std::string& filter) {
    RunFilter parsed(filter);
    beginResetModel();
    filter_ = std::move(parsed);
    refresh();
    endResetModel();
}

void RunsModel::refresh() {
    visible_.clear();
    for (std::size_t i = 0; i < runs_.size(); ++i)
        if (!filter_ || filter_->accepts(runs_[i])) visible_.push_back(i);
    std::stable_sort(visible_.begin(), visible_.end(), [this](std::size_t a, std::size_t b) {
        const QVariant left = value(runs_[a], sortColumn_), right = value(runs_[b], sortColumn_);
        if (left.isValid() != right.isValid()) return left.isValid(); // what has no value comes last
        const auto order = QVariant::compare(left, right);
        return sortOrder_ == Qt::AscendingOrder ? order == QPartialOrdering::Less : order == QPartialOrdering::Greater;
    });
}

void RunsModel::sort(int column, Qt::SortOrder order) {
    beginResetModel();
    sortColumn_ = column;
    sortOrder_ = order;
    refresh();
    endResetModel();
}

int RunsModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(visible_.size());
}
int RunsModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : fixedColumns + static_cast<int>(metrics_.size() + settings_.size());
}

QVariant RunsModel::value(const RunEntry& run, int column) const {
    switch (column) {
    case 0:
        return text(run.experiment.empty() ? run.folder.filename().string() : run.experiment);
    case 1:
        return text(run.state);
    case 2:
        return run.seed.empty() ? QVariant{} : QVariant{text(run.seed).toLongLong()};
    case 3:
        return static_cast<qlonglong>(run.iterations);
    case 4:
        return text(run.start);
    default:
        break;
    }
    const auto extra = static_cast<std::size_t>(column - fixedColumns);
    if (extra < metrics_.size()) {
        for (const auto& [name, number] : run.metrics)
            if (name == metrics_[extra]) return number;
        return {};
    }
    const auto found = run.settings.find(settings_[extra - metrics_.size()]);
    if (found == run.settings.end()) return {};
    const QString words = text(found->second);
    bool isNumber = false;
    const double number = words.toDouble(&isNumber);
    if (isNumber) return number;
    return words.startsWith('"') ? words.mid(1, words.size() - 2) : words;
}

QVariant RunsModel::data(const QModelIndex& index, int role) const {
    const RunEntry& entry = run(index.row());
    const int column = index.column();
    if (role == Qt::ToolTipRole) {
        QString tip = text(entry.folder.string());
        if (!entry.hash.empty()) tip += "\nrun hash " + text(entry.hash);
        if (!entry.problem.empty()) tip += "\n" + text(entry.problem);
        return tip;
    }
    if (role == Qt::ForegroundRole && column == 1) {
        if (entry.state == "failed" || entry.state == "unreadable") return theme().bad;
        if (entry.state == "interrupted") return theme().dark ? theme().warning : theme().modulation;
        return theme().good;
    }
    const QVariant shown = role == Qt::DisplayRole || role == Qt::TextAlignmentRole || role == sortRole
                               ? value(entry, column)
                               : QVariant{};
    if (role == Qt::TextAlignmentRole)
        return shown.typeId() == QMetaType::QString ? QVariant{}
                                                    : QVariant{static_cast<int>(Qt::AlignRight | Qt::AlignVCenter)};
    if (role == Qt::DisplayRole && shown.typeId() == QMetaType::Double)
        return QString::number(shown.toDouble(), 'g', 5);
    if (role == Qt::DisplayRole && column == 4) return shown.toString().replace('T', ' ').left(16);
    return shown;
}

QVariant RunsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
    const char* names[fixedColumns] = {"Experiment", "State", "Seed", "Iterations", "Begun (UTC)"};
    if (section < fixedColumns) return QString::fromLatin1(names[section]);
    const auto extra = static_cast<std::size_t>(section - fixedColumns);
    return text(extra < metrics_.size() ? metrics_[extra] : settings_[extra - metrics_.size()]);
}

} // namespace raphe
