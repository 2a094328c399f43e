// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace raphe::sqlite {

/// A prepared statement. Parameters and columns count from 0. Text and blobs that are bound must live until reset().
class Statement {
public:
    Statement& bind(int parameter, std::int64_t value);
    Statement& bind(int parameter, double value);
    Statement& bind(int parameter, std::string_view text);
    Statement& bindBlob(int parameter, std::string_view bytes);

    /// Moves to the next row; false when there is none.
    bool step();
    /// Executes a statement without rows and makes it ready for the next use.
    void run();
    void reset();

    std::int64_t integer(int column) const;
    double real(int column) const; ///< NaN for NULL: SQLite stores NaN as NULL
    std::string text(int column) const;
    std::string_view blob(int column) const; ///< valid until the next step or reset

private:
    friend class Database;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    Statement(sqlite3_stmt* statement, std::string place) : handle_(statement), place_(std::move(place)) {}
    void check(int code) const;

    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
    std::string place_;
};

enum class Access {
    create,   ///< read and write, made if missing
    write,    ///< read and write, must exist
    read,     ///< read only; other processes may write meanwhile
    immutable ///< read only, on a medium where nobody can write
};

/// One connection. Every failure is a raphe::Error that names the file and says what to do. Use from one thread at a
/// time.
class Database {
public:
    Database(const std::filesystem::path& path, Access access);
    Statement prepare(std::string_view sql) const;
    /// Runs statements that return nothing of interest.
    void execute(const std::string& sql) const;
    std::int64_t integer(std::string_view sql) const; ///< the first column of the only row
    bool inTransaction() const;

private:
    struct Close {
        void operator()(sqlite3* connection) const;
    };
    std::unique_ptr<sqlite3, Close> handle_;
    std::string place_;
};

/// Rolls back unless it was committed.
class Transaction {
public:
    enum class Kind { read, write };
    Transaction(const Database& database, Kind kind);
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();
    void commit();

private:
    const Database& database_;
    bool open_ = true;
};

} // namespace raphe::sqlite
