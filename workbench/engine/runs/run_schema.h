// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/runs/sqlite.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

/// What the writer and the readers of a run directory agree on: its files, tables, keys and checksums.
namespace raphe::stored {

inline constexpr const char* databaseName = "run.sqlite";
inline constexpr const char* documentName = "experiment.json";
inline constexpr const char* lockName = "run.lock";

/// Makes the tables of an empty database, within the caller's transaction.
void createSchema(const sqlite::Database& database);
/// @throws Error unless the database has exactly our tables
void checkSchema(const sqlite::Database& database, const std::string& place);

/// @throws Error unless it is the directory of a run
void checkIsRunDirectory(const std::filesystem::path& directory);
/// The experiment's document, as it was when the run began.
std::string experimentOf(const sqlite::Database& database, const std::string& place);

/// What a stored tensor is called, in its checksum and in messages.
std::string signalKey(const std::string& port, std::int64_t iteration);
std::string tensorKey(const std::string& name, std::int64_t iteration, std::int64_t position);
std::int64_t checkpointChecksum(std::int64_t iteration, std::int64_t metrics, std::int64_t tensors,
                                std::string_view state);

} // namespace raphe::stored
