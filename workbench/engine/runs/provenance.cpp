// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/provenance.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <unistd.h>
#include <xxhash.h>

#include <ctime>
#include <thread>

namespace raphe {

namespace {

std::string hostName() {
    char name[256] = {};
    return gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

} // namespace

std::string timeText() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

std::vector<std::pair<std::string, std::string>> provenanceOf(const Session& session, const PluginHost& plugins,
                                                              const Json& document) {
    const auto text = document.dump();
    Json used = Json::array();
    for (const auto& record : plugins.records()) {
        bool needed = false;
        for (const auto& node : session.experiment().nodes)
            for (const auto& mechanism : record.mechanisms) needed = needed || node.mechanism == mechanism;
        if (needed && record.error.empty())
            used.push_back({{"name", record.name}, {"version", record.version}, {"manifest", record.manifestHash}});
    }
    return {{"raphe_version", RAPHE_VERSION},
            {"raphe_commit", RAPHE_COMMIT},
            {"experiment_hash", fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()))},
            {"seed", std::to_string(session.experiment().seed)},
            {"precision", session.experiment().precision == Precision::float32 ? "float32" : "float64"},
            {"threads", std::to_string(session.threads())},
            {"host", hostName()},
            {"plugins", used.dump()},
            {"start", timeText()}};
}

} // namespace raphe
