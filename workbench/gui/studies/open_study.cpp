// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/studies/open_study.h"

#include "gui/shell/background.h"

#include "engine/base/files.h"
#include "engine/studies/study_report.h"

namespace raphe {
namespace {

namespace fs = std::filesystem;

/// Reads what the folder says of the runs. @param known  study, plan and folder
void judge(StudySnapshot& snapshot) {
    const StudyFolder folder(snapshot.folder);
    snapshot.rows = rowsOf(snapshot.study, snapshot.plan, folder);
    snapshot.groups = groupsOf(snapshot.study, snapshot.rows);
    snapshot.bars = barsOf(snapshot.study, snapshot.rows);
    snapshot.pairs = pairsOf(snapshot.study, snapshot.rows);
}

QString textOf(const StudyProgress& progress) {
    auto text = OpenStudy::tr("%1 of %2 runs done").arg(progress.done).arg(progress.total);
    if (progress.failed > 0) text += OpenStudy::tr(", %1 failed").arg(progress.failed);
    if (progress.elsewhere > 0) text += OpenStudy::tr(", %1 at work elsewhere").arg(progress.elsewhere);
    if (!progress.active.empty()) text += OpenStudy::tr(", %1 at work").arg(progress.active.size());
    if (progress.remaining >= 0) {
        const auto seconds = static_cast<int>(progress.remaining);
        text += OpenStudy::tr(", about %1:%2 left").arg(seconds / 60).arg(seconds % 60, 2, 10, QLatin1Char('0'));
    }
    return text;
}

} // namespace

OpenStudy::OpenStudy(const PluginHost& plugins, QObject* parent) : QObject(parent), plugins_(plugins) {
    soon_.setSingleShot(true);
    soon_.setInterval(300);
    connect(&soon_, &QTimer::timeout, this, &OpenStudy::refresh);
}

OpenStudy::~OpenStudy() {
    stop_ = true;
    join();
}

void OpenStudy::join() {
    if (executor_.joinable()) executor_.join();
}

void OpenStudy::open(const QString& name, const fs::path& studies) {
    if (running_) {
        Q_EMIT failed(tr("A study is under way; stop it before you open another one."));
        return;
    }
    inBackground<std::shared_ptr<StudySnapshot>>(
        this,
        [name = name.toStdString(), studies, &plugins = plugins_] {
            auto snapshot = std::make_shared<StudySnapshot>();
            const bool isFolder = fs::is_directory(name);
            if (isFolder && !fs::exists(fs::path(name) / "study.json"))
                throw Error(name, "holds no study (there is no study.json)");
            snapshot->study = loadStudy(isFolder ? (fs::path(name) / "study.json").string() : name);
            snapshot->plan = planOf(snapshot->study, plugins.registry());
            snapshot->folder = isFolder ? fs::path(name) : studies / snapshot->study.name;
            judge(*snapshot);
            return snapshot;
        },
        [this](std::shared_ptr<StudySnapshot> snapshot) { adopt(std::move(snapshot)); },
        [this](const QString& why) { Q_EMIT failed(why); });
}

void OpenStudy::adopt(std::shared_ptr<StudySnapshot> snapshot) {
    snapshot_ = std::move(snapshot);
    Q_EMIT changed();
}

void OpenStudy::refresh() {
    if (!snapshot_) return;
    if (reading_) {
        again_ = true;
        return;
    }
    reading_ = true;
    inBackground<std::shared_ptr<StudySnapshot>>(
        this,
        [old = snapshot_] {
            auto snapshot =
                std::make_shared<StudySnapshot>(StudySnapshot{old->study, old->plan, {}, {}, {}, {}, old->folder});
            judge(*snapshot);
            return snapshot;
        },
        [this, old = snapshot_](std::shared_ptr<StudySnapshot> snapshot) {
            reading_ = false;
            if (old == snapshot_) adopt(std::move(snapshot));
            if (std::exchange(again_, false)) soon_.start();
        },
        [this](const QString& why) {
            reading_ = false;
            Q_EMIT failed(why);
        });
}

void OpenStudy::run() {
    if (!snapshot_ || running_) return;
    join();
    running_ = true;
    stop_ = false;
    Q_EMIT runningChanged(true);
    executor_ = std::thread([this, snapshot = snapshot_] {
        stepBackBehindTheWindow();
        LocalOptions options;
        options.retry = true;
        options.stop = [this] { return stop_.load(); };
        options.progress = [this](const StudyProgress& progress) {
            onGuiThread(this, [this, text = textOf(progress)] { Q_EMIT progressed(text); });
        };
        options.ended = [this](const StudyRun&, const StudyRunStatus&) {
            onGuiThread(this, [this] {
                if (!soon_.isActive()) soon_.start();
            });
        };
        QString why;
        try {
            const StudyFolder folder(snapshot->folder);
            runLocally(snapshot->study, snapshot->plan, folder, plugins_.registry(), options);
            writeAtomically(folder.path() / "table.csv",
                            csvOf(snapshot->study, rowsOf(snapshot->study, snapshot->plan, folder)));
        } catch (const std::exception& error) {
            why = QString::fromUtf8(error.what());
        }
        onGuiThread(this, [this, why] {
            running_ = false;
            Q_EMIT runningChanged(false);
            if (!why.isEmpty()) Q_EMIT failed(why);
            refresh();
        });
    });
}

void OpenStudy::stop() { stop_ = true; }

void OpenStudy::writeReport() {
    if (!snapshot_) return;
    inBackground<QString>(
        this,
        [snapshot = snapshot_] {
            const StudyFolder folder(snapshot->folder);
            const auto file = folder.path() / "report.html";
            raphe::writeReport(file, snapshot->study, snapshot->rows, folder);
            return QString::fromStdString(fs::absolute(file).string());
        },
        [this](const QString& file) { Q_EMIT reportWritten(file); },
        [this](const QString& why) { Q_EMIT failed(why); });
}

} // namespace raphe
