// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_store.h"

#include "engine/base/files.h"
#include "engine/runs/run_schema.h"
#include "engine/runs/sqlite.h"
#include "engine/runs/stored_tensor.h"
#include "engine/runs/writer_lock.h"
#include "raphe/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <unordered_map>

namespace raphe {
namespace {

using namespace stored;
using sqlite::Access;
using sqlite::Database;
using sqlite::Transaction;

constexpr std::size_t maxBufferedBytes = std::size_t{64} << 20;
constexpr std::size_t keptCheckpoints = 2;

double wallClock() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

} // namespace

class RunStore::Impl {
public:
    Impl(const std::filesystem::path& directory, Access access)
        : directory_(directory), place_((directory / databaseName).string()), lock_(directory),
          database_(directory / databaseName, access) {}
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        if (!ready_) return;
        try {
            commit();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s\n", error.what());
        }
    }

    void initialise(const std::string& experimentJson) {
        std::error_code ignored;
        // A database without tables is what a kill during an earlier create() leaves; it is free to use.
        if (database_.integer("SELECT count(*) FROM sqlite_schema") > 0 ||
            std::filesystem::exists(directory_ / documentName, ignored))
            throw Error(directory_.string(), "already holds a run; continue it with --resume, or choose another --out");
        configure();
        {
            Transaction transaction(database_, Transaction::Kind::write);
            createSchema(database_);
            database_.prepare("INSERT INTO document(id, experiment) VALUES(1, ?)")
                .bind(0, std::string_view(experimentJson))
                .run();
            transaction.commit();
        }
        writeAtomically(directory_ / documentName, experimentJson);
        begin();
    }

    void resume() {
        checkSchema(database_, place_);
        configure();
        std::error_code ignored;
        if (!std::filesystem::exists(directory_ / documentName, ignored))
            writeAtomically(directory_ / documentName, experimentOf(database_, place_));
        begin();
    }

    void setProvenance(const std::string& key, const std::string& value) {
        provenance_.emplace_back(key, value);
        touched(key.size() + value.size());
    }
    void appendMetrics(const Metrics& metrics) {
        if (metrics.iteration <= last_)
            throw Error(
                place_,
                fmt::format("metrics of iteration {} come after iteration {} was stored; truncate the run first",
                            metrics.iteration, last_));
        metrics_.push_back(metrics);
        last_ = metrics.iteration;
        touched(64 * (metrics.values.size() + 1));
        commitIfMuch();
    }
    void appendEvent(std::int64_t iteration, const std::string& kind, const std::string& json) {
        events_.push_back({iteration, wallClock(), kind, json});
        touched(kind.size() + json.size());
        commitIfMuch();
    }
    void appendSignal(const std::string& port, std::int64_t iteration, const Tensor& tensor) {
        auto parts = encode(place_, signalKey(port, iteration), tensor);
        std::size_t bytes = 0;
        for (const auto& part : parts) bytes += part.data.size();
        signals_.push_back({port, iteration, std::move(parts)});
        touched(bytes);
        commitIfMuch();
    }
    std::size_t bufferedRows() const { return metrics_.size() + events_.size() + signals_.size(); }

    void commit() {
        if (buffered_) inTransaction([] {});
    }
    bool commitIfDue(std::chrono::milliseconds age) {
        if (!buffered_ || std::chrono::steady_clock::now() - oldest_ < age) return false;
        commit();
        return true;
    }
    void commitCheckpoint(const Checkpoint& checkpoint) {
        const auto iteration = checkpoint.iteration;
        if (iteration < last_)
            throw Error(
                place_,
                fmt::format("a checkpoint of iteration {} comes after metrics of iteration {}; take it before they are "
                            "stored",
                            iteration, last_));
        inTransaction([&] {
            removeCheckpoints("iteration = ?", iteration); // taking it twice replaces it
            const auto count = static_cast<std::int64_t>(checkpoint.tensors.size());
            auto insert = database_.prepare(
                "INSERT INTO checkpoint_tensor(iteration, position, part, name, precision, width, shape, "
                "bytes, checksum, data) VALUES(?,?,?,?,?,?,?,?,?,?)");
            for (std::int64_t position = 0; position < count; ++position) {
                const auto& [name, tensor] = checkpoint.tensors[static_cast<std::size_t>(position)];
                const auto parts = encode(place_, tensorKey(name, iteration, position), tensor);
                for (std::size_t part = 0; part < parts.size(); ++part) {
                    insert.bind(0, iteration)
                        .bind(1, position)
                        .bind(2, static_cast<std::int64_t>(part))
                        .bind(3, std::string_view(name));
                    bindPart(insert, 4, parts[part]);
                    insert.run();
                }
            }
            const auto metrics = database_.integer("SELECT count(*) FROM iteration");
            database_
                .prepare(
                    "INSERT INTO checkpoint(iteration, time, metrics, tensors, state, checksum) VALUES(?,?,?,?,?,?)")
                .bind(0, iteration)
                .bind(1, wallClock())
                .bind(2, metrics)
                .bind(3, count)
                .bind(4, std::string_view(checkpoint.stateJson))
                .bind(5, checkpointChecksum(iteration, metrics, count, checkpoint.stateJson))
                .run();
            const auto oldest = database_.integer(fmt::format(
                "SELECT min(iteration) FROM (SELECT iteration FROM checkpoint ORDER BY iteration DESC LIMIT {})",
                keptCheckpoints));
            removeCheckpoints("iteration < ?", oldest);
        });
        last_ = iteration;
    }

    void truncateAfter(std::int64_t iteration) {
        std::erase_if(metrics_, [&](const auto& row) { return row.iteration > iteration; });
        std::erase_if(events_, [&](const auto& row) { return row.iteration > iteration; });
        std::erase_if(signals_, [&](const auto& row) { return row.iteration > iteration; });
        inTransaction([&] {
            for (const auto* table : {"iteration", "metric", "event", "signal"})
                database_.prepare(fmt::format("DELETE FROM {} WHERE iteration > ?", table)).bind(0, iteration).run();
            removeCheckpoints("iteration > ?", iteration);
        });
        findLast();
    }

private:
    struct PendingSignal {
        std::string port;
        std::int64_t iteration;
        std::vector<Part> parts;
    };

    void configure() {
        auto mode = database_.prepare("PRAGMA journal_mode=WAL");
        if (!mode.step() || mode.text(0) != "wal")
            throw Error(
                place_,
                "cannot be written and read at the same time on this file system; choose a directory on a local disk");
        // FULL: each commit is synced. At about one commit a second this costs little and also survives a power cut.
        database_.execute("PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864;");
    }
    void begin() {
        findLast();
        ready_ = true;
    }
    void findLast() {
        last_ = database_.integer("SELECT max(ifnull((SELECT max(iteration) FROM iteration), -1), "
                                  "ifnull((SELECT max(iteration) FROM checkpoint), -1))");
    }
    void touched(std::size_t bytes) {
        if (!buffered_) oldest_ = std::chrono::steady_clock::now();
        buffered_ = true;
        bufferedBytes_ += bytes;
    }
    void commitIfMuch() {
        if (bufferedBytes_ > maxBufferedBytes || bufferedRows() >= RunStore::maxBufferedRows) commit();
    }

    /// Writes what is buffered, then does `more`, all or nothing.
    template <class More>
    void inTransaction(const More& more) {
        try {
            Transaction transaction(database_, Transaction::Kind::write);
            writeBuffered();
            more();
            transaction.commit();
        } catch (...) {
            nameIds_.clear(); // they may have been rolled back
            portIds_.clear();
            throw;
        }
        provenance_.clear();
        metrics_.clear();
        events_.clear();
        signals_.clear();
        buffered_ = false;
        bufferedBytes_ = 0;
    }

    void writeBuffered() {
        if (!provenance_.empty()) {
            auto insert = database_.prepare("INSERT OR REPLACE INTO provenance(key, value) VALUES(?,?)");
            for (const auto& [key, value] : provenance_)
                insert.bind(0, std::string_view(key)).bind(1, std::string_view(value)).run();
        }
        if (!metrics_.empty()) {
            auto insertIteration = database_.prepare("INSERT INTO iteration(iteration, seconds) VALUES(?,?)");
            auto insertValue =
                database_.prepare("INSERT INTO metric(iteration, position, name, value) VALUES(?,?,?,?)");
            for (const auto& row : metrics_) {
                insertIteration.bind(0, row.iteration).bind(1, row.seconds).run();
                for (std::size_t i = 0; i < row.values.size(); ++i) {
                    const auto& [name, value] = row.values[i];
                    insertValue.bind(0, row.iteration)
                        .bind(1, static_cast<std::int64_t>(i))
                        .bind(2, idOf("metric_name", name, nameIds_))
                        .bind(3, value)
                        .run();
                }
            }
        }
        if (!events_.empty()) {
            auto insert = database_.prepare("INSERT INTO event(iteration, time, kind, json) VALUES(?,?,?,?)");
            for (const auto& event : events_)
                insert.bind(0, event.iteration)
                    .bind(1, event.time)
                    .bind(2, std::string_view(event.kind))
                    .bind(3, std::string_view(event.json))
                    .run();
        }
        if (!signals_.empty()) {
            auto insert = database_.prepare(
                "INSERT INTO signal(port, iteration, part, precision, width, shape, bytes, checksum, data) "
                "VALUES(?,?,?,?,?,?,?,?,?)");
            for (const auto& signal : signals_) {
                const auto port = idOf("port", signal.port, portIds_);
                for (std::size_t part = 0; part < signal.parts.size(); ++part) {
                    insert.bind(0, port).bind(1, signal.iteration).bind(2, static_cast<std::int64_t>(part));
                    bindPart(insert, 3, signal.parts[part]);
                    insert.run();
                }
            }
        }
    }

    std::int64_t idOf(const char* table, const std::string& name,
                      std::unordered_map<std::string, std::int64_t>& known) {
        if (const auto found = known.find(name); found != known.end()) return found->second;
        database_.prepare(fmt::format("INSERT OR IGNORE INTO {}(name) VALUES(?)", table))
            .bind(0, std::string_view(name))
            .run();
        auto row = database_.prepare(fmt::format("SELECT id FROM {} WHERE name = ?", table));
        row.bind(0, std::string_view(name)).step();
        return known[name] = row.integer(0);
    }
    void removeCheckpoints(const char* condition, std::int64_t iteration) {
        for (const auto* table : {"checkpoint", "checkpoint_tensor"})
            database_.prepare(fmt::format("DELETE FROM {} WHERE {}", table, condition)).bind(0, iteration).run();
    }

    std::filesystem::path directory_;
    std::string place_;
    WriterLock lock_; // before the database: taken first, given back last
    Database database_;
    bool ready_ = false;

    std::vector<std::pair<std::string, std::string>> provenance_;
    std::vector<Metrics> metrics_;
    std::vector<Event> events_;
    std::vector<PendingSignal> signals_;
    std::unordered_map<std::string, std::int64_t> nameIds_, portIds_;
    std::int64_t last_ = -1; ///< of all metrics and checkpoints, stored or buffered
    bool buffered_ = false;
    std::size_t bufferedBytes_ = 0;
    std::chrono::steady_clock::time_point oldest_;
};

RunStore::RunStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunStore::RunStore(RunStore&&) noexcept = default;
RunStore& RunStore::operator=(RunStore&&) noexcept = default;
RunStore::~RunStore() = default;

RunStore RunStore::create(const std::filesystem::path& directory, const std::string& experimentJson) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (!std::filesystem::is_directory(directory))
        throw Error(directory.string(), fmt::format("cannot be made a directory ({}); choose another --out",
                                                    error ? error.message() : "a file has this name"));
    auto impl = std::make_unique<Impl>(directory, Access::create);
    impl->initialise(experimentJson);
    return RunStore(std::move(impl));
}

bool RunStore::holdsRun(const std::filesystem::path& directory) {
    if (!std::filesystem::exists(directory / databaseName)) return false;
    // A kill within a transaction leaves a journal that only a connection that may write can play back.
    return Database(directory / databaseName, Access::write).integer("SELECT count(*) FROM sqlite_schema") > 0;
}

RunStore RunStore::open(const std::filesystem::path& directory) {
    checkIsRunDirectory(directory);
    auto impl = std::make_unique<Impl>(directory, Access::write);
    impl->resume();
    return RunStore(std::move(impl));
}

void RunStore::setProvenance(const std::string& key, const std::string& value) { impl_->setProvenance(key, value); }
void RunStore::appendMetrics(const Metrics& metrics) { impl_->appendMetrics(metrics); }
void RunStore::appendEvent(std::int64_t iteration, const std::string& kind, const std::string& json) {
    impl_->appendEvent(iteration, kind, json);
}
void RunStore::appendSignal(const std::string& port, std::int64_t iteration, const Tensor& tensor) {
    impl_->appendSignal(port, iteration, tensor);
}
void RunStore::commit() { impl_->commit(); }
bool RunStore::commitIfDue(std::chrono::milliseconds age) { return impl_->commitIfDue(age); }
void RunStore::commitCheckpoint(const Checkpoint& checkpoint) { impl_->commitCheckpoint(checkpoint); }
void RunStore::truncateAfter(std::int64_t iteration) { impl_->truncateAfter(iteration); }
std::size_t RunStore::bufferedRows() const { return impl_->bufferedRows(); }

} // namespace raphe
