// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_store.h"

#include "engine/base/files.h"
#include "engine/runs/hash.h"
#include "engine/runs/sqlite.h"
#include "raphe/error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <system_error>
#include <unordered_map>

static_assert(std::endian::native == std::endian::little, "blobs hold numbers as the machine does");

namespace raphe {
namespace {

using sqlite::Access;
using sqlite::Database;
using sqlite::Statement;
using sqlite::Transaction;

constexpr const char* databaseName = "run.sqlite";
constexpr const char* documentName = "experiment.json";
constexpr const char* lockName = "run.lock";
constexpr std::int64_t applicationId = 0x52617068; // "Raph"
constexpr std::int64_t schemaVersion = 1;
constexpr std::size_t partBytes = std::size_t{16} << 20;
constexpr std::uint64_t maxTensorBytes = std::uint64_t{4} << 30;
constexpr std::size_t maxBufferedBytes = std::size_t{64} << 20;
constexpr std::size_t keptCheckpoints = 2;

// SQLite stores these texts word for word, and a database with any other is not ours. Documented in file-formats.md.
constexpr std::array schema{
    "CREATE TABLE document(id INTEGER PRIMARY KEY CHECK(id = 1), experiment TEXT NOT NULL) STRICT",
    "CREATE TABLE provenance(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    "CREATE TABLE iteration(iteration INTEGER PRIMARY KEY, seconds REAL) STRICT",
    "CREATE TABLE metric_name(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
    "CREATE TABLE metric(iteration INTEGER NOT NULL, position INTEGER NOT NULL, name INTEGER NOT NULL, value REAL, "
    "PRIMARY KEY(iteration, position)) STRICT, WITHOUT ROWID",
    "CREATE TABLE event(id INTEGER PRIMARY KEY, iteration INTEGER NOT NULL, time REAL NOT NULL, kind TEXT NOT NULL, "
    "json TEXT NOT NULL) STRICT",
    "CREATE TABLE port(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
    "CREATE TABLE signal(port INTEGER NOT NULL, iteration INTEGER NOT NULL, part INTEGER NOT NULL, precision INTEGER "
    "NOT NULL, "
    "width INTEGER NOT NULL, shape TEXT NOT NULL, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL, data BLOB NOT "
    "NULL, "
    "PRIMARY KEY(port, iteration, part)) STRICT",
    "CREATE TABLE checkpoint(iteration INTEGER PRIMARY KEY, time REAL NOT NULL, metrics INTEGER NOT NULL, "
    "tensors INTEGER NOT NULL, state TEXT NOT NULL, checksum INTEGER NOT NULL) STRICT",
    "CREATE TABLE checkpoint_tensor(iteration INTEGER NOT NULL, position INTEGER NOT NULL, part INTEGER NOT NULL, "
    "name TEXT NOT NULL, precision INTEGER NOT NULL, width INTEGER NOT NULL, shape TEXT NOT NULL, bytes INTEGER NOT "
    "NULL, "
    "checksum INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY(iteration, position, part)) STRICT",
};

double wallClock() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// ---- tensors as blobs

/// A piece of a tensor, as a row stores it.
struct Part {
    int precision = 64; ///< bits the numbers were computed in
    int width = 8;      ///< bytes a number has in the blob; 4 only where that is exact
    std::string shape;  ///< "3,4"; empty for a scalar
    std::int64_t bytes = 0;
    std::int64_t checksum = 0;
    std::string data; ///< zstd
};

std::int64_t checksumOf(const std::string& key, std::int64_t index, const Part& part, std::string_view data) {
    return Hash()
        .add(key)
        .add(index)
        .add(std::int64_t{part.precision})
        .add(std::int64_t{part.width})
        .add(part.shape)
        .add(part.bytes)
        .add(data)
        .low();
}

bool fitsFloat(double value) {
    return std::bit_cast<std::uint64_t>(static_cast<double>(static_cast<float>(value))) ==
           std::bit_cast<std::uint64_t>(value);
}

/// @param key  what the parts belong to; part of the checksum, so that a part cannot stand in for another
std::vector<Part> encode(const std::string& place, const std::string& key, const Tensor& tensor) {
    std::string shape;
    std::uint64_t size = 1;
    for (const auto extent : tensor.shape) {
        if (extent < 0 || (extent > 0 && size > maxTensorBytes / static_cast<std::uint64_t>(extent)))
            throw Error(place, fmt::format("the shape of {} is too large; record or store less of it", key));
        size *= static_cast<std::uint64_t>(extent);
        shape += fmt::format("{}{}", shape.empty() ? "" : ",", extent);
    }
    if (size != tensor.values.size() || size * 8 > maxTensorBytes)
        throw Error(
            place,
            fmt::format(
                "{} has {} values, expected the {} of its shape and at most {} bytes; record or store less of it", key,
                tensor.values.size(), size, maxTensorBytes));
    const bool narrow =
        tensor.precision == Precision::float32 && std::all_of(tensor.values.begin(), tensor.values.end(), fitsFloat);
    Part part;
    part.precision = tensor.precision == Precision::float32 ? 32 : 64;
    part.width = narrow ? 4 : 8;
    part.shape = std::move(shape);

    const auto perPart = partBytes / static_cast<std::size_t>(part.width);
    std::vector<Part> parts;
    std::string raw;
    for (std::size_t first = 0; first == 0 || first < tensor.values.size(); first += perPart) {
        const auto count = std::min(perPart, tensor.values.size() - first);
        raw.resize(count * static_cast<std::size_t>(part.width));
        for (std::size_t i = 0; narrow && i < count; ++i) {
            const auto value = static_cast<float>(tensor.values[first + i]);
            std::memcpy(raw.data() + i * sizeof(float), &value, sizeof(float));
        }
        if (!narrow && count > 0) std::memcpy(raw.data(), tensor.values.data() + first, raw.size());
        auto& stored = parts.emplace_back(part);
        stored.bytes = static_cast<std::int64_t>(raw.size());
        stored.data.resize(ZSTD_compressBound(raw.size()));
        const auto length = ZSTD_compress(stored.data.data(), stored.data.size(), raw.data(), raw.size(), 1);
        if (ZSTD_isError(length))
            throw Error(place,
                        fmt::format("{} cannot be compressed ({}); free some memory", key, ZSTD_getErrorName(length)));
        stored.data.resize(length);
        stored.data.shrink_to_fit();
        stored.checksum = checksumOf(key, static_cast<std::int64_t>(parts.size()) - 1, stored, stored.data);
    }
    return parts;
}

/// Puts a tensor together from its parts, which may come from a damaged file.
class Decoder {
public:
    Decoder(const std::string& place, std::string key) : place_(place), key_(std::move(key)) {}

    void add(std::int64_t index, const Part& part, std::string_view data) {
        if (index != next_ || checksumOf(key_, index, part, data) != part.checksum) throw damaged();
        if (next_++ == 0) begin(part);
        // The checksum proves that we wrote the row, not that nobody meant harm: sizes are checked all the same.
        if (part.width != width_ || part.bytes < 0 || part.bytes > static_cast<std::int64_t>(partBytes) ||
            part.bytes % width_ != 0 || tensor_.values.size() + static_cast<std::size_t>(part.bytes / width_) > size_ ||
            ZSTD_getFrameContentSize(data.data(), data.size()) != static_cast<unsigned long long>(part.bytes))
            throw damaged();
        std::string raw(static_cast<std::size_t>(part.bytes), '\0');
        if (ZSTD_decompress(raw.data(), raw.size(), data.data(), data.size()) != raw.size()) throw damaged();
        const auto width = static_cast<std::size_t>(width_);
        for (std::size_t at = 0; at < raw.size(); at += width) {
            double wide = 0;
            float narrow = 0;
            if (width_ == 8)
                std::memcpy(&wide, raw.data() + at, 8);
            else
                std::memcpy(&narrow, raw.data() + at, 4), wide = narrow;
            tensor_.values.push_back(wide);
        }
    }
    Tensor finish() {
        if (next_ == 0 || tensor_.values.size() != size_) throw damaged();
        return std::move(tensor_);
    }

private:
    Error damaged() const { return {place_, key_ + " is damaged; use an earlier checkpoint or a copy of the run"}; }
    void begin(const Part& part) {
        width_ = part.width;
        if ((width_ != 4 && width_ != 8) || (part.precision != 32 && part.precision != 64)) throw damaged();
        tensor_.precision = part.precision == 32 ? Precision::float32 : Precision::float64;
        std::uint64_t size = 1;
        const char* at = part.shape.data();
        const char* const end = at + part.shape.size();
        while (at != end) {
            std::int64_t extent = 0;
            const auto [rest, error] = std::from_chars(at, end, extent);
            if (error != std::errc{} || extent < 0 ||
                (extent > 0 && size > maxTensorBytes / static_cast<std::uint64_t>(extent)))
                throw damaged();
            size *= static_cast<std::uint64_t>(extent);
            tensor_.shape.push_back(extent);
            at = rest;
            if (at != end && (*at++ != ',' || at == end)) throw damaged();
        }
        if (size * 8 > maxTensorBytes) throw damaged();
        size_ = size;
    }

    const std::string& place_;
    std::string key_;
    Tensor tensor_;
    std::int64_t next_ = 0;
    int width_ = 8;
    std::uint64_t size_ = 0;
};

std::string signalKey(const std::string& port, std::int64_t iteration) {
    return fmt::format("the signal of \"{}\" at iteration {}", port, iteration);
}
std::string tensorKey(const std::string& name, std::int64_t iteration, std::int64_t position) {
    return fmt::format("tensor {} (\"{}\") of the checkpoint at iteration {}", position, name, iteration);
}

/// The columns precision, width, shape, bytes, checksum and data, from `first` on.
void bindPart(Statement& statement, int first, const Part& part) {
    statement.bind(first, std::int64_t{part.precision})
        .bind(first + 1, std::int64_t{part.width})
        .bind(first + 2, part.shape);
    statement.bind(first + 3, part.bytes).bind(first + 4, part.checksum).bindBlob(first + 5, part.data);
}
void addPart(Decoder& decoder, const Statement& row, std::int64_t index, int first) {
    Part part;
    part.precision = static_cast<int>(row.integer(first));
    part.width = static_cast<int>(row.integer(first + 1));
    part.shape = row.text(first + 2);
    part.bytes = row.integer(first + 3);
    part.checksum = row.integer(first + 4);
    decoder.add(index, part, row.blob(first + 5));
}

std::int64_t checkpointChecksum(std::int64_t iteration, std::int64_t metrics, std::int64_t tensors,
                                std::string_view state) {
    return Hash().add(iteration).add(metrics).add(tensors).add(state).low();
}

// ---- the database

/// @throws Error unless the database has exactly our tables
void checkSchema(const Database& database, const std::string& place) {
    const auto version = database.integer("PRAGMA user_version");
    if (database.integer("PRAGMA application_id") != applicationId || version < 1)
        throw Error(place, "holds no complete run; choose another directory, or delete it and run again");
    if (version > schemaVersion) throw Error(place, "was written by a newer version of Raphe; update Raphe to read it");
    auto tables = database.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL");
    std::size_t known = 0;
    while (tables.step()) {
        if (std::find(schema.begin(), schema.end(), tables.text(0)) == schema.end())
            throw Error(place, "has tables that Raphe does not know; restore the run from a copy");
        ++known;
    }
    if (known != schema.size()) throw Error(place, "has lost some of its tables; restore the run from a copy");
}

/// The writer's claim on a directory. The kernel drops it when the process ends, however it ends.
class WriterLock {
public:
    explicit WriterLock(const std::filesystem::path& directory) {
        const auto path = directory / lockName;
        descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (descriptor_ < 0)
            throw Error(directory.string(),
                        fmt::format("cannot be written ({}); choose a directory where you may write",
                                    std::generic_category().message(errno)));
        if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
            const int error = errno;
            const auto owner = ownerText();
            ::close(descriptor_);
            if (error == EWOULDBLOCK)
                throw Error(directory.string(),
                            fmt::format("another process{} is writing this run; wait for it to end, stop it, or "
                                        "choose another --out",
                                        owner));
            throw Error(directory.string(), fmt::format("cannot be locked ({}); choose a directory on a local disk",
                                                        std::generic_category().message(error)));
        }
        // For the sentence above only, so failing to write it does no harm.
        const auto owner = fmt::format("{}\n", ::getpid());
        if (::ftruncate(descriptor_, 0) == 0) static_cast<void>(!::pwrite(descriptor_, owner.data(), owner.size(), 0));
    }
    WriterLock(const WriterLock&) = delete;
    WriterLock& operator=(const WriterLock&) = delete;
    ~WriterLock() { ::close(descriptor_); }

private:
    std::string ownerText() const {
        std::array<char, 16> text{};
        const auto length = ::pread(descriptor_, text.data(), text.size() - 1, 0);
        int owner = 0;
        if (length <= 0 || std::from_chars(text.data(), text.data() + length, owner).ec != std::errc{}) return {};
        return fmt::format(" ({})", owner);
    }
    int descriptor_ = -1;
};

void checkIsDirectory(const std::filesystem::path& directory) {
    std::error_code error;
    const auto status = std::filesystem::status(directory, error);
    if (!std::filesystem::exists(status))
        throw Error(directory.string(), "there is no such directory; give the directory of a run");
    if (!std::filesystem::is_directory(status))
        throw Error(directory.string(), "is not a directory; give the directory of a run");
    if (!std::filesystem::exists(directory / databaseName, error))
        throw Error(directory.string(),
                    fmt::format("holds no run ({} is missing); give the directory of a run", databaseName));
}

std::string experimentOf(const Database& database, const std::string& place) {
    auto row = database.prepare("SELECT experiment FROM document");
    if (!row.step()) throw Error(place, "has lost its experiment document; restore the run from a copy");
    return row.text(0);
}

} // namespace

// ---- writing

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
            for (const auto* table : schema) database_.execute(table);
            database_.prepare("INSERT INTO document(id, experiment) VALUES(1, ?)")
                .bind(0, std::string_view(experimentJson))
                .run();
            database_.execute(
                fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", applicationId, schemaVersion));
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
    return Database(directory / databaseName, Access::read).integer("SELECT count(*) FROM sqlite_schema") > 0;
}

RunStore RunStore::open(const std::filesystem::path& directory) {
    checkIsDirectory(directory);
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

// ---- reading

class RunReader::Impl {
public:
    Impl(const std::filesystem::path& directory, Access access)
        : place((directory / databaseName).string()), database(directory / databaseName, access) {
        checkSchema(database, place);
    }

    Checkpoint checkpoint(std::int64_t iteration) const {
        const auto damaged = [&] {
            return Error(
                place, fmt::format("the checkpoint at iteration {} is damaged; use an earlier one or a copy of the run",
                                   iteration));
        };
        auto row = database.prepare("SELECT metrics, tensors, state, checksum FROM checkpoint WHERE iteration = ?");
        if (!row.bind(0, iteration).step()) throw damaged();
        Checkpoint result{iteration, {}, row.text(2)};
        const auto metrics = row.integer(0), tensors = row.integer(1);
        if (checkpointChecksum(iteration, metrics, tensors, result.stateJson) != row.integer(3)) throw damaged();
        auto count = database.prepare("SELECT count(*) FROM iteration WHERE iteration <= ?");
        if (!count.bind(0, iteration).step() || count.integer(0) != metrics) throw damaged();

        auto parts = database.prepare(
            "SELECT position, part, name, precision, width, shape, bytes, checksum, data FROM checkpoint_tensor "
            "WHERE iteration = ? ORDER BY position, part");
        parts.bind(0, iteration);
        std::optional<Decoder> decoder;
        std::string name;
        const auto finish = [&] {
            if (decoder) result.tensors.push_back({name, decoder->finish()});
        };
        while (parts.step()) {
            if (parts.integer(1) == 0) {
                finish();
                name = parts.text(2);
                decoder.emplace(place, tensorKey(name, iteration, static_cast<std::int64_t>(result.tensors.size())));
            }
            if (!decoder || parts.integer(0) != static_cast<std::int64_t>(result.tensors.size()) ||
                parts.text(2) != name)
                throw damaged();
            addPart(*decoder, parts, parts.integer(1), 3);
        }
        finish();
        if (static_cast<std::int64_t>(result.tensors.size()) != tensors) throw damaged();
        return result;
    }

    std::string place;
    Database database;
};

RunReader::RunReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunReader::RunReader(RunReader&&) noexcept = default;
RunReader& RunReader::operator=(RunReader&&) noexcept = default;
RunReader::~RunReader() = default;

RunReader RunReader::open(const std::filesystem::path& directory) {
    checkIsDirectory(directory);
    try {
        return RunReader(std::make_unique<Impl>(directory, Access::read));
    } catch (const Error&) {
        // SQLite needs helper files beside a database that others might write. Where nobody can, it reads without them.
        std::error_code error;
        const auto waiting = std::filesystem::file_size(directory / (std::string(databaseName) + "-wal"), error);
        if (::access(directory.c_str(), W_OK) == 0 || (!error && waiting > 0)) throw;
        return RunReader(std::make_unique<Impl>(directory, Access::immutable));
    }
}

std::string RunReader::experimentJson() const { return experimentOf(impl_->database, impl_->place); }

std::vector<std::pair<std::string, std::string>> RunReader::provenance() const {
    std::vector<std::pair<std::string, std::string>> result;
    auto row = impl_->database.prepare("SELECT key, value FROM provenance ORDER BY key");
    while (row.step()) result.emplace_back(row.text(0), row.text(1));
    return result;
}

std::int64_t RunReader::metricsCount() const { return impl_->database.integer("SELECT count(*) FROM iteration"); }

void RunReader::forEachMetrics(const std::function<void(const Metrics&)>& visit, std::int64_t after) const {
    auto row = impl_->database.prepare(
        "SELECT i.iteration, i.seconds, ifnull(m.position, -1), n.name, m.value FROM iteration i "
        "LEFT JOIN metric m ON m.iteration = i.iteration LEFT JOIN metric_name n ON n.id = m.name "
        "WHERE i.iteration > ? ORDER BY i.iteration, m.position");
    row.bind(0, after);
    bool more = row.step();
    Metrics metrics;
    while (more) {
        metrics.iteration = row.integer(0);
        metrics.seconds = row.real(1);
        metrics.values.clear();
        for (; more && row.integer(0) == metrics.iteration; more = row.step())
            if (row.integer(2) >= 0) metrics.values.emplace_back(row.text(3), row.real(4));
        visit(metrics);
    }
}

std::vector<Metrics> RunReader::metrics(std::int64_t after) const {
    std::vector<Metrics> result;
    forEachMetrics([&](const Metrics& metrics) { result.push_back(metrics); }, after);
    return result;
}

std::vector<Event> RunReader::events() const {
    std::vector<Event> result;
    auto row = impl_->database.prepare("SELECT iteration, time, kind, json FROM event ORDER BY id");
    while (row.step()) result.push_back({row.integer(0), row.real(1), row.text(2), row.text(3)});
    return result;
}

std::vector<SignalSummary> RunReader::listSignals() const {
    std::vector<SignalSummary> result;
    auto row = impl_->database.prepare("SELECT p.name, count(*), min(s.iteration), max(s.iteration) FROM port p "
                                       "JOIN signal s ON s.port = p.id AND s.part = 0 GROUP BY p.id ORDER BY p.name");
    while (row.step()) result.push_back({row.text(0), row.integer(1), row.integer(2), row.integer(3)});
    return result;
}

std::vector<Signal> RunReader::signals(const std::string& port) const {
    std::vector<Signal> result;
    auto row =
        impl_->database.prepare("SELECT iteration, part, precision, width, shape, bytes, checksum, data FROM signal "
                                "WHERE port = (SELECT id FROM port WHERE name = ?) ORDER BY iteration, part");
    row.bind(0, std::string_view(port));
    std::optional<Decoder> decoder;
    std::int64_t iteration = 0;
    while (row.step()) {
        if (!decoder || row.integer(0) != iteration) {
            if (decoder) result.push_back({port, iteration, decoder->finish()});
            iteration = row.integer(0);
            decoder.emplace(impl_->place, signalKey(port, iteration));
        }
        addPart(*decoder, row, row.integer(1), 2);
    }
    if (decoder) result.push_back({port, iteration, decoder->finish()});
    return result;
}

std::optional<Tensor> RunReader::signal(const std::string& port, std::int64_t iteration) const {
    auto row =
        impl_->database.prepare("SELECT part, precision, width, shape, bytes, checksum, data FROM signal "
                                "WHERE port = (SELECT id FROM port WHERE name = ?) AND iteration = ? ORDER BY part");
    row.bind(0, std::string_view(port)).bind(1, iteration);
    Decoder decoder(impl_->place, signalKey(port, iteration));
    bool any = false;
    while (row.step()) {
        any = true;
        addPart(decoder, row, row.integer(0), 1);
    }
    if (!any) return std::nullopt;
    return decoder.finish();
}

std::optional<Checkpoint> RunReader::latestCheckpoint(std::string* damage) const {
    const Transaction snapshot(impl_->database, Transaction::Kind::read); // the writer may delete what we are reading
    std::vector<std::int64_t> iterations;
    {
        auto row = impl_->database.prepare("SELECT iteration FROM checkpoint ORDER BY iteration DESC");
        while (row.step()) iterations.push_back(row.integer(0));
    }
    for (std::size_t i = 0; i < iterations.size(); ++i) {
        try {
            return impl_->checkpoint(iterations[i]);
        } catch (const Error& error) {
            if (i + 1 == iterations.size()) throw;
            if (damage) *damage = error.what();
        }
    }
    return std::nullopt;
}

} // namespace raphe
