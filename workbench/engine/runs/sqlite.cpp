// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/sqlite.h"

#include "raphe/error.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstdio>
#include <limits>

namespace raphe::sqlite {
namespace {

const char* remedy(int code) {
    if (code == SQLITE_READONLY_ROLLBACK) return "its writer was killed, so continue the run with --resume first";
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
        return "the file is damaged, so restore it from a copy or start a new run";
    case SQLITE_NOTADB:
        return "the file is not a SQLite database, so check the path or start a new run";
    case SQLITE_FULL:
        return "free some space on the disk, then continue with --resume";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "another program is using the file, so close it and try again";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return "choose a place where you may write";
    case SQLITE_CANTOPEN:
        return "check that the file exists and that you may open it";
    case SQLITE_IOERR:
        return "check the disk, then continue with --resume";
    case SQLITE_NOMEM:
        return "close other programs to free memory";
    case SQLITE_CONSTRAINT:
        return "this entry is there already or is not allowed";
    default:
        return "the file was perhaps not written by Raphe";
    }
}

[[noreturn]] void fail(const std::string& place, int code, const std::string& message) {
    throw Error(place, fmt::format("the database reports \"{}\"; {}", message, remedy(code)));
}

/// A path as the URI that SQLite expects.
std::string uriOf(const std::filesystem::path& path, const char* parameters) {
    std::string uri = "file:";
    for (const unsigned char c : std::filesystem::absolute(path).string()) {
        if (c == '?' || c == '#' || c == '%' || c < 0x21 || c >= 0x7f)
            uri += fmt::format("%{:02X}", c);
        else
            uri += static_cast<char>(c);
    }
    return uri + parameters;
}

} // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::check(int code) const {
    if (code != SQLITE_OK) fail(place_, code, sqlite3_errmsg(sqlite3_db_handle(handle_.get())));
}

Statement& Statement::bind(int parameter, std::int64_t value) {
    check(sqlite3_bind_int64(handle_.get(), parameter + 1, value));
    return *this;
}

Statement& Statement::bind(int parameter, double value) {
    check(sqlite3_bind_double(handle_.get(), parameter + 1, value));
    return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
    const char* data = text.empty() ? "" : text.data(); // a null pointer would be NULL, not an empty text
    check(sqlite3_bind_text64(handle_.get(), parameter + 1, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
    return *this;
}

Statement& Statement::bindBlob(int parameter, std::string_view bytes) {
    check(sqlite3_bind_blob64(handle_.get(), parameter + 1, bytes.empty() ? "" : bytes.data(), bytes.size(),
                              SQLITE_STATIC));
    return *this;
}

bool Statement::step() {
    const int code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    const std::string message = sqlite3_errmsg(sqlite3_db_handle(handle_.get()));
    sqlite3_reset(handle_.get());
    fail(place_, code, message);
}

void Statement::run() {
    step();
    reset();
}

void Statement::reset() {
    sqlite3_reset(handle_.get());
    sqlite3_clear_bindings(handle_.get());
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }

double Statement::real(int column) const {
    if (sqlite3_column_type(handle_.get(), column) == SQLITE_NULL) return std::numeric_limits<double>::quiet_NaN();
    return sqlite3_column_double(handle_.get(), column);
}

std::string Statement::text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
    return text ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column)))
                : std::string{};
}

std::string_view Statement::blob(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
    if (!bytes) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

void Database::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

Database::Database(const std::filesystem::path& path, Access access) : place_(path.string()) {
    int flags = SQLITE_OPEN_URI | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_EXRESCODE;
    if (access == Access::create)
        flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    else if (access == Access::write)
        flags |= SQLITE_OPEN_READWRITE;
    else
        flags |= SQLITE_OPEN_READONLY;
    sqlite3* connection = nullptr;
    const auto uri = uriOf(path, access == Access::immutable ? "?immutable=1" : "");
    const int code = sqlite3_open_v2(uri.c_str(), &connection, flags, nullptr);
    handle_.reset(connection); // a connection that failed to open must be closed, too
    if (code != SQLITE_OK) fail(place_, code, connection ? sqlite3_errmsg(connection) : "out of memory");
    sqlite3_busy_timeout(connection, 5000);
    // The file may come from a stranger: no functions in its schema, no writes to internal tables.
    sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    execute("PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;");
}

Statement Database::prepare(std::string_view sql) const {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
    if (code != SQLITE_OK) fail(place_, code, sqlite3_errmsg(handle_.get()));
    return {statement, place_};
}

void Database::execute(const std::string& sql) const {
    const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(place_, code, sqlite3_errmsg(handle_.get()));
}

std::int64_t Database::integer(std::string_view sql) const {
    auto statement = prepare(sql);
    return statement.step() ? statement.integer(0) : 0;
}

bool Database::inTransaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

Transaction::Transaction(const Database& database, Kind kind) : database_(database) {
    database_.execute(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
    if (!open_ || !database_.inTransaction()) return; // SQLite has already rolled back after some errors
    try {
        database_.execute("ROLLBACK");
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
    }
}

void Transaction::commit() {
    database_.execute("COMMIT");
    open_ = false;
}

} // namespace raphe::sqlite
