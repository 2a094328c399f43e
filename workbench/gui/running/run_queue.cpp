// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/running/run_queue.h"

#include "engine/document/json_reader.h"
#include "gui/shell/theme.h"

#include <QThread>

#include <algorithm>
#include <cmath>

namespace raphe {

QString durationText(double seconds) {
    const auto whole = static_cast<long long>(std::lround(seconds));
    if (whole < 60) return QStringLiteral("%1 s").arg(whole);
    if (whole < 3600) return QStringLiteral("%1 min %2 s").arg(whole / 60).arg(whole % 60, 2, 10, QLatin1Char('0'));
    return QStringLiteral("%1 h %2 min").arg(whole / 3600).arg(whole / 60 % 60, 2, 10, QLatin1Char('0'));
}

RunQueue::RunQueue(const PluginHost& plugins, QObject* parent) : QAbstractTableModel(parent), plugins_(plugins) {
    timer_.setInterval(100);
    connect(&timer_, &QTimer::timeout, this, &RunQueue::poll);
}

RunQueue::~RunQueue() {
    for (auto& item : jobs_) item.job->stop(); // all at once, before the first is waited for
}

void RunQueue::setSettings(const Settings& settings) {
    settings_ = settings;
    startDue();
}

int RunQueue::addCopy(const std::filesystem::path& original, Experiment experiment) {
    RunOptions runOptions;
    runOptions.folder = freshRunFolder(experiment.name, settings_.runs);
    runOptions.copyOf = original;
    std::filesystem::create_directories(runOptions.folder);
    return append({std::make_shared<RunJob>(std::move(experiment), plugins_, std::move(runOptions)), false});
}

int RunQueue::add(Experiment experiment, bool paused) {
    RunOptions runOptions;
    runOptions.folder = freshRunFolder(experiment.name, settings_.runs);
    // Taken at once, so that the next one of this second gets another.
    std::filesystem::create_directories(runOptions.folder);
    return append({std::make_shared<RunJob>(std::move(experiment), plugins_, std::move(runOptions)), paused});
}

int RunQueue::addResumed(const std::filesystem::path& folder) {
    return addResumed(folder, experimentOfRun(folder, plugins_.registry()));
}

int RunQueue::addResumed(const std::filesystem::path& folder, Experiment experiment) {
    for (const auto& item : jobs_)
        if (item.job->folder() == folder && !item.job->status().ended())
            throw Error(folder.string(), "is being run already");
    RunOptions runOptions;
    runOptions.folder = folder;
    runOptions.resume = true;
    return append({std::make_shared<RunJob>(std::move(experiment), plugins_, std::move(runOptions)), false});
}

int RunQueue::append(Item item) {
    const int row = jobCount();
    beginInsertRows({}, row, row);
    jobs_.push_back(std::move(item));
    endInsertRows();
    startDue();
    return row;
}

void RunQueue::removeEnded() {
    for (int row = jobCount() - 1; row >= 0; --row) {
        if (!job(row).status().ended()) continue;
        beginRemoveRows({}, row, row);
        jobs_.erase(jobs_.begin() + row);
        endRemoveRows();
    }
}

void RunQueue::putFirst(int row) {
    int first = 0;
    while (first < row && job(first).status().state != JobState::waiting) ++first;
    if (first >= row || job(row).status().state != JobState::waiting) return;
    beginMoveRows({}, row, row, {}, first);
    std::rotate(jobs_.begin() + first, jobs_.begin() + row, jobs_.begin() + row + 1);
    endMoveRows();
}

bool RunQueue::anyActive() const {
    return std::any_of(jobs_.begin(), jobs_.end(), [](const Item& item) { return !item.job->status().ended(); });
}

void RunQueue::startDue() {
    auto active = std::count_if(jobs_.begin(), jobs_.end(), [](const Item& i) { return i.job->status().active(); });
    for (auto& item : jobs_) {
        if (active >= settings_.atOnce) break;
        if (item.job->status().state != JobState::waiting) continue;
        // Runs side by side may each use all cores: the system serves their threads evenly, and no core stands idle
        // when one run pauses or ends.
        item.job->setThreads(settings_.threads > 0 ? settings_.threads : std::max(1, QThread::idealThreadCount()));
        item.job->start(item.paused);
        ++active;
    }
    if (anyActive()) timer_.start();
}

void RunQueue::poll() {
    bool measuredAny = false, endedAny = false;
    for (int row = 0; row < jobCount(); ++row) {
        Item& item = jobs_[static_cast<std::size_t>(row)];
        const JobState now = item.job->status().state;
        const bool fresh = item.job->collect();
        measuredAny = measuredAny || fresh;
        if (now == item.shown && !fresh && now != JobState::running) continue;
        Q_EMIT dataChanged(index(row, 0), index(row, columns - 1));
        if (now == item.shown) continue;
        item.shown = now;
        Q_EMIT stateChanged(row);
        if (now < JobState::done) continue;
        endedAny = true;
        Q_EMIT ended(row);
    }
    if (measuredAny) Q_EMIT measured();
    if (endedAny) startDue();
    if (!anyActive()) timer_.stop();
}

int RunQueue::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : jobCount(); }
int RunQueue::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : columns; }

QString RunQueue::shownMetric(const RunJob& job) const {
    const auto& metrics = job.history().metrics;
    for (const char* name : {"reward", "return", "loss"}) {
        const auto found = metrics.find(name);
        if (found == metrics.end() || found->second.empty()) continue;
        const auto& values = found->second;
        const std::size_t count = std::min<std::size_t>(values.size(), 100);
        double sum = 0;
        for (std::size_t i = values.size() - count; i < values.size(); ++i) sum += values[i];
        return QStringLiteral("%1 %2").arg(name).arg(sum / static_cast<double>(count), 0, 'g', 4);
    }
    return {};
}

QVariant RunQueue::data(const QModelIndex& index, int role) const {
    const RunJob& item = job(index.row());
    const JobStatus status = item.status();
    if (role == fractionRole)
        return status.iterations > 0 ? std::min(1.0, (status.iteration + status.within) / status.iterations) : 0.0;
    if (role == Qt::ToolTipRole) {
        QString tip = QString::fromStdString(item.folder().string());
        if (!status.message.empty()) tip += "\n" + QString::fromStdString(status.message);
        return tip;
    }
    if (role == Qt::ForegroundRole && index.column() == stateColumn) {
        if (status.state == JobState::failed) return theme().bad;
        if (status.state == JobState::running || status.state == JobState::done) return theme().good;
        return {};
    }
    if (role == Qt::TextAlignmentRole && (index.column() == rateColumn || index.column() == remainingColumn))
        return static_cast<int>(Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole) return {};
    switch (index.column()) {
    case nameColumn:
        return QStringLiteral("%1 · seed %2")
            .arg(QString::fromStdString(item.experiment().name))
            .arg(item.experiment().seed);
    case stateColumn:
        return QString::fromLatin1(nameOf(status.state));
    case progressColumn: {
        QString words = QStringLiteral("%1 / %2").arg(status.iteration).arg(status.iterations);
        if (!status.stage.empty()) words += " · " + QString::fromStdString(status.stage);
        return words;
    }
    case rateColumn:
        return status.state == JobState::running && status.rate > 0
                   ? QStringLiteral("%1 it/s").arg(status.rate, 0, 'f', status.rate < 10 ? 1 : 0)
                   : QString{};
    case remainingColumn: {
        const auto seconds = status.remainingSeconds();
        return seconds ? durationText(*seconds) : QString{};
    }
    case metricColumn:
        return status.state == JobState::failed ? QString::fromStdString(status.message) : shownMetric(item);
    default:
        return {};
    }
}

QVariant RunQueue::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
    const char* names[columns] = {"Run", "State", "Iterations", "Rate", "Remaining", "Lately"};
    return QString::fromLatin1(names[section]);
}

} // namespace raphe
