// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/copy_run.h"

#include "engine/base/files.h"
#include "engine/document/json_reader.h"
#include "engine/runs/run_reader.h"
#include "engine/runs/run_schema.h"
#include "engine/runs/sqlite.h"
#include "raphe/error.h"

#include <fmt/format.h>

#include <system_error>

namespace raphe {

void copyRun(const std::filesystem::path& from, const std::filesystem::path& to, int iterations) {
    using namespace stored;
    std::string document;
    {
        const auto reader = RunReader::open(from);
        auto json = parseJson(reader.experimentJson(), from.string());
        if (json.contains("stages") && !json["stages"].empty())
            throw Error(from.string(), "has stages, which say how many iterations they take; change them in its "
                                       "experiment, and run that");
        if (reader.metricsCount() >= iterations)
            throw Error(from.string(),
                        fmt::format("has done {} iterations already; ask for more than that", reader.metricsCount()));
        if (reader.checkpoints().empty())
            throw Error(from.string(), "has no checkpoint to go on from; run its experiment anew");
        json["iterations"] = iterations;
        document = json.dump(2) + "\n";
    }
    std::error_code error;
    std::filesystem::create_directories(to, error);
    if (std::filesystem::exists(to / databaseName, error) || std::filesystem::exists(to / documentName, error))
        throw Error(to.string(), "already holds a run; choose another folder");
    const auto target = (to / databaseName).string();
    sqlite::Database(from / databaseName, sqlite::Access::read)
        .prepare("VACUUM INTO ?")
        .bind(0, std::string_view(target))
        .run();
    const sqlite::Database copy(target, sqlite::Access::write);
    sqlite::Transaction transaction(copy, sqlite::Transaction::Kind::write);
    copy.prepare("UPDATE document SET experiment = ?").bind(0, std::string_view(document)).run();
    copy.execute("DELETE FROM provenance WHERE key IN ('start', 'end', 'exit', 'run_hash', 'experiment_hash')");
    const auto origin = std::filesystem::absolute(from, error).lexically_normal().string();
    copy.prepare("INSERT OR REPLACE INTO provenance(key, value) VALUES('copy_of', ?)")
        .bind(0, std::string_view(origin))
        .run();
    transaction.commit();
    writeAtomically(to / documentName, document);
}

} // namespace raphe
