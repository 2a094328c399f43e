// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_index.h"

#include "engine/runs/hash.h"
#include "engine/runs/run_entry_code.h"
#include "engine/runs/run_schema.h"
#include "engine/runs/sqlite.h"
#include "engine/runs/writer_lock.h"
#include "raphe/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <system_error>
#include <unordered_map>
#include <unordered_set>

namespace raphe {

namespace fs = std::filesystem;
using sqlite::Access;
using sqlite::Database;
using sqlite::Transaction;

namespace {

constexpr std::int64_t applicationId = 0x52615278; // "RaRx"
/// Of the table and of what an entry holds. Another number means that the index is made anew.
constexpr std::int64_t indexVersion = 1;
constexpr const char* table =
    "CREATE TABLE run(folder TEXT PRIMARY KEY, inode INTEGER NOT NULL, bytes INTEGER NOT NULL, modified INTEGER NOT "
    "NULL, journal_bytes INTEGER NOT NULL, journal_modified INTEGER NOT NULL, entry BLOB NOT NULL, checksum INTEGER "
    "NOT NULL) STRICT, WITHOUT ROWID";

std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::int64_t checksumOf(const std::string& folder, const RunStamp& stamp, std::string_view entry) {
    return Hash()
        .add(folder)
        .add(stamp.inode)
        .add(stamp.bytes)
        .add(stamp.modified)
        .add(stamp.journalBytes)
        .add(stamp.journalModified)
        .add(entry)
        .low();
}

/// A file system counts time in ticks. What was written in the tick in which it was read may have been written twice.
bool settled(const RunStamp& stamp, std::int64_t readAt) {
    constexpr std::int64_t tick = 50'000'000;
    return stamp.modified + tick < readAt && stamp.journalModified + tick < readAt;
}

fs::path withoutSlash(const fs::path& folder) {
    if (folder.empty()) return ".";
    return folder.has_filename() || folder == folder.root_path() ? folder : folder.parent_path();
}

} // namespace

class RunIndex::Impl {
public:
    Impl(fs::path root, fs::path file) : root_(std::move(root)), file_(std::move(file)) {}

    RunList list() {
        RunList runs;
        runs.reserve(items_.size());
        for (const auto& [folder, item] : items_) runs.push_back(item.entry);
        std::sort(runs.begin(), runs.end(),
                  [](const auto& a, const auto& b) { return a->folder.native() < b->folder.native(); });
        return runs;
    }

    /// What the file holds, once.
    void load() {
        if (loaded_) return;
        loaded_ = true;
        if (file_.empty()) {
            trouble_ = "there is no folder for caches; set HOME or XDG_CACHE_HOME";
            return;
        }
        try {
            read();
        } catch (const std::exception&) {
            items_.clear();
            startAnew();
        }
    }

    void refresh(const std::function<void(const Progress&)>& report, const std::atomic<bool>* stop) {
        load();
        opened = 0;
        const auto found = scanRuns(root_, stop);
        if (stop && *stop) return;
        std::vector<const FoundRun*> toRead;
        std::unordered_set<std::string> present;
        present.reserve(found.size());
        for (const auto& run : found) {
            present.insert(run.folder);
            if (!upToDate(run)) toRead.push_back(&run);
        }
        std::vector<std::string> gone;
        for (const auto& [folder, item] : items_)
            if (present.count(folder) == 0) gone.push_back(folder);
        for (const auto& folder : gone) items_.erase(folder);

        std::vector<std::string> changed;
        auto told = std::chrono::steady_clock::now();
        for (const FoundRun* run : toRead) {
            if (stop && *stop) break;
            const auto readAt = now();
            auto entry = run->problem.empty() ? runEntry(run->folder) : unreadableRun(run->folder, run->problem);
            items_[run->folder] = {run->stamp, std::make_shared<const RunEntry>(std::move(entry)),
                                   run->problem.empty() && settled(run->stamp, readAt)};
            changed.push_back(run->folder);
            ++opened;
            if (std::chrono::steady_clock::now() - told < std::chrono::milliseconds(250)) continue;
            told = std::chrono::steady_clock::now();
            keep(changed, {});
            changed.clear();
            if (report) report({found.size(), opened});
        }
        keep(changed, gone);
    }

    std::size_t opened = 0;
    const std::string& trouble() const { return trouble_; }

private:
    struct Item {
        RunStamp stamp;
        std::shared_ptr<const RunEntry> entry;
        bool settled = true; ///< otherwise the stamp does not yet tell whether the run has changed since
    };

    bool upToDate(const FoundRun& run) const {
        const auto known = items_.find(run.folder);
        if (known == items_.end() || !known->second.settled || known->second.stamp != run.stamp) return false;
        const bool running = known->second.entry->state == "running";
        // The end of a writer that was killed leaves no trace but its lock.
        return (!running && run.stamp.journalBytes == 0) || stored::WriterLock::held(run.folder) == running;
    }

    void open() {
        std::error_code error;
        fs::create_directories(file_.parent_path(), error);
        database_.emplace(file_, Access::create);
        database_->execute("PRAGMA synchronous=OFF");
    }

    void read() {
        open();
        if (database_->integer("SELECT count(*) FROM sqlite_schema") == 0) {
            makeTable();
            return;
        }
        if (database_->integer("PRAGMA application_id") != applicationId ||
            database_->integer("PRAGMA user_version") != indexVersion)
            throw Error(file_.string(), "is an index of another version");
        auto row = database_->prepare(
            "SELECT folder, inode, bytes, modified, journal_bytes, journal_modified, entry, checksum FROM run");
        SettingsPool pool;
        const auto prefix = root_.native() + (root_.native().back() == '/' ? "" : "/");
        while (row.step()) {
            const auto folder = row.text(0);
            const RunStamp stamp{row.integer(1), row.integer(2), row.integer(3), row.integer(4), row.integer(5)};
            if (checksumOf(folder, stamp, row.blob(6)) != row.integer(7))
                throw Error(file_.string(), "an entry is damaged");
            auto entry = std::make_shared<RunEntry>(decodedEntry(row.blob(6), pool));
            const auto path = folder == "." ? root_.native() : prefix + folder;
            entry->folder = path;
            items_[path] = {stamp, std::move(entry), true};
        }
    }

    void makeTable() {
        Transaction transaction(*database_, Transaction::Kind::write);
        database_->execute(table);
        database_->execute(
            fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", applicationId, indexVersion));
        transaction.commit();
    }

    /// After damage, or where another version was.
    void startAnew() {
        database_.reset();
        std::error_code ignored;
        if (fs::is_regular_file(file_, ignored)) {
            fs::remove(file_, ignored);
            fs::remove(file_.string() + "-journal", ignored);
        }
        try {
            open();
            if (database_->integer("SELECT count(*) FROM sqlite_schema") == 0) makeTable();
        } catch (const std::exception& error) {
            database_.reset();
            trouble_ = error.what();
        }
    }

    std::string keyOf(const std::string& folder) const {
        const auto& root = root_.native();
        return folder == root ? "." : folder.substr(root.size() + (root.back() == '/' ? 0 : 1));
    }

    void keep(const std::vector<std::string>& changed, const std::vector<std::string>& gone) {
        if (!database_ || (changed.empty() && gone.empty())) return;
        try {
            write(changed, gone);
        } catch (const std::exception&) { // damaged after it was read, or full: everything once more, or not at all
            startAnew();
            if (!database_) return;
            std::vector<std::string> all;
            for (const auto& [folder, item] : items_) all.push_back(folder);
            try {
                write(all, {});
            } catch (const std::exception& error) {
                database_.reset();
                trouble_ = error.what();
            }
        }
    }

    void write(const std::vector<std::string>& changed, const std::vector<std::string>& gone) {
        Transaction transaction(*database_, Transaction::Kind::write);
        auto remove = database_->prepare("DELETE FROM run WHERE folder = ?");
        for (const auto& folder : gone) {
            const auto key = keyOf(folder);
            remove.bind(0, std::string_view(key)).run();
        }
        auto put = database_->prepare("INSERT OR REPLACE INTO run(folder, inode, bytes, modified, journal_bytes, "
                                      "journal_modified, entry, checksum) VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
        for (const auto& folder : changed) {
            const auto& item = items_.at(folder);
            const auto key = keyOf(folder), code = encodedEntry(*item.entry);
            if (!item.settled) { // the next one who reads the index must look again
                remove.bind(0, std::string_view(key)).run();
                continue;
            }
            const auto& stamp = item.stamp;
            put.bind(0, std::string_view(key))
                .bind(1, stamp.inode)
                .bind(2, stamp.bytes)
                .bind(3, stamp.modified)
                .bind(4, stamp.journalBytes)
                .bind(5, stamp.journalModified)
                .bindBlob(6, code)
                .bind(7, checksumOf(key, stamp, code))
                .run();
        }
        transaction.commit();
    }

    fs::path root_, file_;
    std::optional<Database> database_;
    std::unordered_map<std::string, Item> items_; ///< by folder
    std::string trouble_;
    bool loaded_ = false;
};

RunIndex::RunIndex(const fs::path& root, fs::path file)
    : impl_(std::make_unique<Impl>(withoutSlash(root), std::move(file))) {}
RunIndex::RunIndex(RunIndex&&) noexcept = default;
RunIndex& RunIndex::operator=(RunIndex&&) noexcept = default;
RunIndex::~RunIndex() = default;

fs::path RunIndex::cacheFile(const fs::path& root) {
    fs::path cache;
    if (const char* given = std::getenv("XDG_CACHE_HOME"); given && *given == '/')
        cache = given;
    else if (const char* home = std::getenv("HOME"); home && *home == '/')
        cache = fs::path(home) / ".cache";
    else
        return {};
    std::error_code error;
    const auto absolute = fs::weakly_canonical(fs::absolute(root, error), error);
    return cache / "raphe" /
           fmt::format("runs-{:016x}.sqlite", static_cast<std::uint64_t>(Hash().add(absolute.string()).low()));
}

RunList RunIndex::known() {
    impl_->load();
    return impl_->list();
}

RunList RunIndex::refresh(const std::function<void(const Progress&)>& report, const std::atomic<bool>* stop) {
    impl_->refresh(report, stop);
    return impl_->list();
}

std::size_t RunIndex::opened() const { return impl_->opened; }
const std::string& RunIndex::trouble() const { return impl_->trouble(); }

} // namespace raphe
