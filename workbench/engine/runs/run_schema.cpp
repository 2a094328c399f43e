// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_schema.h"

#include "engine/runs/hash.h"
#include "raphe/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>

namespace raphe::stored {
namespace {

constexpr std::int64_t applicationId = 0x52617068; // "Raph"
constexpr std::int64_t schemaVersion = 1;

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

} // namespace

void createSchema(const sqlite::Database& database) {
    for (const auto* table : schema) database.execute(table);
    database.execute(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", applicationId, schemaVersion));
}

void checkSchema(const sqlite::Database& database, const std::string& place) {
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

void checkIsRunDirectory(const std::filesystem::path& directory) {
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

std::string experimentOf(const sqlite::Database& database, const std::string& place) {
    auto row = database.prepare("SELECT experiment FROM document");
    if (!row.step()) throw Error(place, "has lost its experiment document; restore the run from a copy");
    return row.text(0);
}

std::string signalKey(const std::string& port, std::int64_t iteration) {
    return fmt::format("the signal of \"{}\" at iteration {}", port, iteration);
}

std::string tensorKey(const std::string& name, std::int64_t iteration, std::int64_t position) {
    return fmt::format("tensor {} (\"{}\") of the checkpoint at iteration {}", position, name, iteration);
}

std::int64_t checkpointChecksum(std::int64_t iteration, std::int64_t metrics, std::int64_t tensors,
                                std::string_view state) {
    return Hash().add(iteration).add(metrics).add(tensors).add(state).low();
}

} // namespace raphe::stored
