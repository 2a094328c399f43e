// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_reader.h"

#include "engine/runs/run_schema.h"
#include "engine/runs/sqlite.h"
#include "engine/runs/stored_tensor.h"
#include "raphe/error.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <system_error>

namespace raphe {

using namespace stored;
using sqlite::Access;
using sqlite::Database;
using sqlite::Transaction;

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
    checkIsRunDirectory(directory);
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

RunReader RunReader::openUnwritten(const std::filesystem::path& directory) {
    checkIsRunDirectory(directory);
    return RunReader(std::make_unique<Impl>(directory, Access::immutable));
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

MetricCurve RunReader::curve(const std::string& metric) const {
    MetricCurve result;
    auto row = impl_->database.prepare(
        "SELECT i.iteration, m.value FROM iteration i LEFT JOIN metric m ON m.iteration = i.iteration AND m.name = "
        "(SELECT id FROM metric_name WHERE name = ?) ORDER BY i.iteration");
    row.bind(0, std::string_view(metric));
    while (row.step()) {
        const auto done = static_cast<double>(row.integer(0) + 1);
        if (!result.iterations.empty() && result.iterations.back() == done) continue;
        result.iterations.push_back(done);
        result.values.push_back(row.real(1));
    }
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

std::vector<std::int64_t> RunReader::signalIterations() const {
    std::vector<std::int64_t> result;
    auto row = impl_->database.prepare("SELECT DISTINCT iteration FROM signal WHERE part = 0 ORDER BY iteration");
    while (row.step()) result.push_back(row.integer(0));
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

std::vector<std::int64_t> RunReader::checkpoints() const {
    std::vector<std::int64_t> iterations;
    auto row = impl_->database.prepare("SELECT iteration FROM checkpoint ORDER BY iteration");
    while (row.step()) iterations.push_back(row.integer(0));
    return iterations;
}

Checkpoint RunReader::checkpoint(std::int64_t iteration) const {
    const Transaction snapshot(impl_->database, Transaction::Kind::read); // the writer may delete what we are reading
    const auto kept = checkpoints();
    if (std::find(kept.begin(), kept.end(), iteration) == kept.end())
        throw Error(impl_->place, kept.empty() ? std::string("has no checkpoint yet; let it train for a second first")
                                               : fmt::format("has no checkpoint of iteration {}; there are: {}",
                                                             iteration, fmt::join(kept, ", ")));
    return impl_->checkpoint(iteration);
}

std::optional<Checkpoint> RunReader::latestCheckpoint(std::string* damage) const {
    const Transaction snapshot(impl_->database, Transaction::Kind::read); // the writer may delete what we are reading
    auto iterations = checkpoints();
    std::reverse(iterations.begin(), iterations.end());
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
