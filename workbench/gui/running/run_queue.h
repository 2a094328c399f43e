// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/running/run_job.h"

#include <QAbstractTableModel>
#include <QTimer>

#include <memory>

namespace raphe {

/// The runs of this window: those that wait, in their order, those under way and those that have ended.
class RunQueue final : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { nameColumn, stateColumn, progressColumn, rateColumn, remainingColumn, metricColumn, columns };
    /// Of the progress column: done, 0 to 1.
    static constexpr int fractionRole = Qt::UserRole;

    explicit RunQueue(const PluginHost& plugins, QObject* parent = nullptr);
    ~RunQueue() override;

    struct Settings {
        std::filesystem::path runs = "runs"; ///< where folders of runs are made
        int threads = 0; ///< of each run; 0: as many as there are cores, shared evenly with those that run beside it
        int atOnce = 1;
    };
    const Settings& settings() const { return settings_; }
    void setSettings(const Settings& settings);

    /// Takes a run in; it begins when its turn comes. @param paused  pauses after its first iteration
    /// @return its row
    int add(Experiment experiment, bool paused = false);
    /// Goes on with the run of a folder. @throws Error
    int addResumed(const std::filesystem::path& folder);
    /// The same with the folder's experiment, which then is not read here.
    int addResumed(const std::filesystem::path& folder, Experiment experiment);
    /// Goes on with a copy of a run, until it has the iterations of `experiment`, the run's own otherwise.
    int addCopy(const std::filesystem::path& original, Experiment experiment);
    void removeEnded();
    /// Lets a run that waits be the next to begin.
    void putFirst(int row);

    int jobCount() const { return static_cast<int>(jobs_.size()); }
    RunJob& job(int row) const { return *jobs_[static_cast<std::size_t>(row)].job; }
    /// The job shared with who reads its session on another thread.
    std::shared_ptr<RunJob> shared(int row) const { return jobs_[static_cast<std::size_t>(row)].job; }
    bool anyActive() const;

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

Q_SIGNALS:
    void measured();            ///< some job has new metrics
    void stateChanged(int row); ///< a job has begun, paused, ended ...
    void ended(int row);

private:
    struct Item {
        std::shared_ptr<RunJob> job;
        bool paused = false;
        JobState shown = JobState::waiting;
    };
    int append(Item item);
    void startDue();
    void poll();
    QString shownMetric(const RunJob& job) const;

    const PluginHost& plugins_;
    Settings settings_;
    std::vector<Item> jobs_;
    QTimer timer_;
};

/// "12 s", "3 min 05 s", "2 h 10 min"
QString durationText(double seconds);

} // namespace raphe
