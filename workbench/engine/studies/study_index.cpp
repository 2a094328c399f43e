// SPDX-License-Identifier: Apache-2.0
#include "engine/studies/study_index.h"

#include "engine/base/files.h"
#include "engine/runs/byte_code.h"
#include "engine/runs/hash.h"
#include "engine/runs/run_index.h"
#include "engine/runs/run_schema.h"
#include "engine/runs/writer_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>

namespace raphe {

namespace fs = std::filesystem;

namespace {

/// Of fewer runs nothing is kept: they are read as quickly.
constexpr std::size_t fewRuns = 64;
constexpr const char* heading = "raphe study index 1";

std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// Looks at the files of runs without opening any.
class Stamps {
public:
    explicit Stamps(const StudyFolder& folder)
        : runs_(::open((folder.path() / "runs").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}
    Stamps(const Stamps&) = delete;
    Stamps& operator=(const Stamps&) = delete;
    ~Stamps() {
        if (runs_ >= 0) ::close(runs_);
    }

    struct Stamp {
        std::int64_t hash = 0, latest = 0; ///< latest: change, in ns since 1970
        bool journal = false; ///< there is something that is not yet in the database, and may grow without a trace
    };
    /// Nothing where there is no such run. Whatever changes a run changes this: the database is written, a failure or
    /// measures are, or a worker or writer writes its number into a lock.
    std::optional<Stamp> of(const std::string& id) {
        struct stat found {};
        if (runs_ < 0 || ::fstatat(runs_, id.c_str(), &found, 0) != 0) return std::nullopt;
        Hash hash;
        Stamp stamp;
        for (const auto& file : files_) {
            name_ = id;
            name_ += file;
            if (::fstatat(runs_, name_.c_str(), &found, 0) != 0) {
                hash.add(std::int64_t{-1});
                continue;
            }
            for (const auto& time : {found.st_mtim, found.st_ctim}) {
                const auto at = std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
                hash.add(at);
                stamp.latest = std::max(stamp.latest, at);
            }
            hash.add(static_cast<std::int64_t>(found.st_ino)).add(std::int64_t{found.st_size});
        }
        name_ = id;
        name_ += journal_;
        stamp.journal = ::fstatat(runs_, name_.c_str(), &found, 0) == 0 && found.st_size > 0;
        stamp.hash = hash.low();
        return stamp;
    }

private:
    int runs_;
    const std::vector<std::string> files_{std::string("/") + stored::databaseName, std::string("/") + stored::lockName,
                                          "/failure.json", "/measures.json", std::string("/claim/") + stored::lockName};
    const std::string journal_ = std::string("/") + stored::databaseName + "-wal";
    std::string name_;
};

/// A file system counts time in ticks: what was written in the tick in which it was read may have been written twice.
bool settled(std::int64_t latest, std::int64_t readAt) { return latest + 50'000'000 < readAt; }

/// In one order for reading and writing.
template <class Code, class Record>
void plainFields(Code& code, Record& record) {
    code.number(record.state);
    code.number(record.iterations);
    code.text(record.hash);
    code.text(record.problem);
}

} // namespace

fs::path StudyIndex::cacheFile(const StudyFolder& folder) {
    auto path = RunIndex::cacheFile(folder.path());
    if (!path.empty()) path.replace_filename("study" + path.stem().string().substr(4) + ".index");
    return path;
}

void StudyIndex::load() {
    std::error_code none;
    if (file_.empty() || !fs::is_regular_file(file_, none)) return;
    try {
        const auto bytes = readBytes(file_, std::size_t{1} << 30);
        std::int64_t checksum = 0;
        if (bytes.size() < sizeof checksum) return;
        const auto body = std::string_view(bytes).substr(sizeof checksum);
        Decoder(bytes).number(checksum);
        if (checksum != Hash().add(body).low()) return;
        Decoder code(body);
        std::string text;
        code.text(text);
        if (text != heading) return;
        const auto count = code.count();
        items_.reserve(count);
        for (std::uint32_t i = 0; i < count; ++i) {
            code.text(text);
            auto& item = items_[text];
            code.number(item.stamp);
            plainFields(code, item.record);
            item.record.measures.resize(code.count());
            for (auto& measure : item.record.measures) {
                code.text(measure.name);
                code.number(measure.definition);
                code.number(measure.value);
            }
        }
        code.end();
    } catch (const std::exception&) {
        items_.clear();
    }
}

void StudyIndex::store() const {
    if (file_.empty()) return;
    Encoder code;
    code.text(heading);
    code.list(items_, [&](const auto& item) {
        code.text(item.first);
        code.number(item.second.stamp);
        plainFields(code, item.second.record);
        code.list(item.second.record.measures, [&](const auto& measure) {
            code.text(measure.name);
            code.number(measure.definition);
            code.number(measure.value);
        });
    });
    Encoder file;
    file.number(Hash().add(code.bytes).low());
    try {
        fs::create_directories(file_.parent_path());
        writeAtomically(file_, file.bytes + code.bytes);
    } catch (const std::exception&) {
        return; // a cache only
    }
}

std::vector<StudyRunStatus> StudyIndex::statuses(const std::vector<StudyRun>& plan,
                                                 const std::vector<StudyMeasure>& measures) {
    const bool many = plan.size() >= fewRuns;
    if (many && items_.empty()) load();
    opened_ = 0;
    bool changed = false;
    Stamps stamps(folder_);
    std::vector<StudyRunStatus> result;
    result.reserve(plan.size());
    for (const auto& run : plan) {
        const auto readAt = now();
        const auto stamp = stamps.of(run.id);
        if (!stamp) {
            result.emplace_back(); // missing
            continue;
        }
        const auto known = items_.find(run.id);
        if (known != items_.end() && known->second.stamp == stamp->hash && !stamp->journal) {
            result.push_back(statusOf(known->second.record, measures));
            continue;
        }
        ++opened_;
        auto record = folder_.record(run.id);
        result.push_back(statusOf(record, measures));
        // The end of a worker or writer leaves no trace but its lock.
        if (!many || record.state == StudyRunState::running || stamp->journal || !settled(stamp->latest, readAt) ||
            stored::WriterLock::held(folder_.run(run.id)))
            continue;
        items_[run.id] = {stamp->hash, std::move(record)};
        changed = true;
    }
    if (changed) store();
    return result;
}

} // namespace raphe
