// SPDX-License-Identifier: Apache-2.0
#include "engine/studies/study_clean.h"

#include "engine/runs/run_list.h"
#include "engine/runs/run_store.h"
#include "engine/runs/writer_lock.h"

#include <fmt/format.h>

#include <optional>

namespace raphe {

namespace fs = std::filesystem;

namespace {

double bytesIn(const fs::path& folder) {
    double bytes = 0;
    std::error_code none;
    for (fs::recursive_directory_iterator item(folder, none), end; !none && item != end; item.increment(none)) {
        std::error_code gone;
        if (!item->is_regular_file(gone)) continue;
        const auto size = item->file_size(gone);
        if (!gone) bytes += static_cast<double>(size);
    }
    return bytes;
}

} // namespace

std::vector<StrayRun> strayRuns(const StudyFolder& folder, const std::vector<StudyRun>& plan) {
    std::vector<StrayRun> strays;
    for (const auto& id : folder.strays(plan)) {
        const auto record = folder.record(id);
        StrayRun stray{id, {}, record.state, record.iterations, 0, bytesIn(folder.run(id))};
        if (RunStore::holdsRun(folder.run(id))) {
            const auto entry = runEntry(folder.run(id));
            stray.what = fmt::format("{}{}{}", entry.experiment, entry.seed.empty() ? "" : ", seed ", entry.seed);
            stray.seconds = entry.seconds;
        }
        strays.push_back(std::move(stray));
    }
    return strays;
}

void removeRun(const StudyFolder& folder, const std::string& id) {
    const auto path = folder.run(id);
    std::error_code error;
    fs::create_directories(path / "claim", error); // a read-only folder is told of below
    std::optional<stored::WriterLock> claim;       // kept until the end, so that no worker begins
    try {
        if (!error) claim.emplace(path / "claim");
    } catch (const Error&) {
        if (folder.claimed(id)) throw Error(path.string(), "is being worked on, and stays");
        throw;
    }
    auto aside = path;
    if (!id.starts_with(removedPrefix)) {
        aside = path.parent_path() / (removedPrefix + id);
        fs::remove_all(aside, error);
        fs::rename(path, aside, error);
    }
    if (!error) fs::remove_all(aside, error);
    if (error) throw Error(path.string(), fmt::format("cannot be removed ({})", error.message()));
}

} // namespace raphe
