// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/runs/run_list.h"
#include "gui/shell/worker_pool.h"

#include <QObject>
#include <QTimer>

#include <atomic>
#include <filesystem>
#include <memory>

namespace raphe {

/// Keeps a list of the runs below a folder up to date, on a thread of its own. While it is awake it looks again every
/// few seconds, the less often the longer that takes.
class RunWatcher final : public QObject {
    Q_OBJECT

public:
    explicit RunWatcher(std::filesystem::path root, QObject* parent = nullptr);
    ~RunWatcher() override;

    const std::filesystem::path& root() const { return root_; }
    void setRoot(const std::filesystem::path& root);
    void setAwake(bool awake);
    /// Looks now, whether awake or not.
    void look();
    /// Forgets what it knows of the runs, and reads each of them again.
    void readAnew();

Q_SIGNALS:
    /// @param complete  false: what is known from the last time
    void listed(const raphe::RunList& runs, bool complete);
    void progress(int read, int runs); ///< while many runs are opened

private:
    struct Shared;
    void begin();
    void finish(const std::shared_ptr<Shared>& shared, const RunList& runs, double seconds);

    std::filesystem::path root_;
    std::shared_ptr<Shared> shared_; ///< the index and who uses it; another one for every root
    WorkerPool pool_{1};
    QTimer timer_;
    bool awake_ = false, busy_ = false, again_ = false;
};

} // namespace raphe
