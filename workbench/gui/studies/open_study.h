// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/mechanisms/plugin_host.h"
#include "engine/studies/local_executor.h"
#include "engine/studies/study_results.h"

#include <QObject>
#include <QTimer>

#include <atomic>
#include <memory>
#include <thread>

namespace raphe {

/// What is known of a study, all at one time.
struct StudySnapshot {
    Study study;
    std::vector<StudyRun> plan;
    std::vector<StudyRow> rows; ///< of the plan of this snapshot
    std::vector<GroupResult> groups;
    std::vector<BarResult> bars;
    std::vector<PairResult> pairs;
    std::filesystem::path folder;
};

/// A study of the window: read, run and judged on other threads, told on this one.
class OpenStudy final : public QObject {
    Q_OBJECT

public:
    explicit OpenStudy(const PluginHost& plugins, QObject* parent = nullptr);
    ~OpenStudy() override; ///< workers write a checkpoint first

    /// A document, the name of a study that comes with Raphe, or a study folder. What is under way of another is
    /// stopped.
    void open(const QString& study, const std::filesystem::path& studies);
    /// Reads the folder anew.
    void refresh();
    void run();
    void stop();
    /// Writes the page and says where it is.
    void writeReport();

    const StudySnapshot* snapshot() const { return snapshot_.get(); }
    bool running() const { return running_; }

Q_SIGNALS:
    void changed();                       ///< the snapshot is another one
    void progressed(const QString& text); ///< while it runs
    void runningChanged(bool running);
    void failed(const QString& sentence);
    void reportWritten(const QString& file);

private:
    void adopt(std::shared_ptr<StudySnapshot> snapshot);
    void join();

    const PluginHost& plugins_;
    std::shared_ptr<StudySnapshot> snapshot_;
    std::thread executor_;
    std::atomic<bool> stop_{false};
    bool running_ = false, reading_ = false, again_ = false;
    QTimer soon_; ///< several runs that end at once lead to one reading
};

} // namespace raphe
