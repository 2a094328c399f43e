// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_entry_code.h"

#include "engine/runs/byte_code.h"

namespace raphe {

namespace {

/// Everything but the lists, in one order for both.
template <class Code, class Entry>
void plainFields(Code& code, Entry& entry) {
    code.text(entry.experiment);
    code.text(entry.state);
    code.text(entry.start);
    code.text(entry.hash);
    code.text(entry.seed);
    code.text(entry.problem);
    code.number(entry.iterations);
    code.number(entry.planned);
    code.number(entry.seconds);
    code.number(entry.bytes);
}

} // namespace

std::string encodedEntry(const RunEntry& entry) {
    Encoder code;
    plainFields(code, entry);
    code.list(entry.checkpoints, [&](std::int64_t iteration) { code.number(iteration); });
    code.list(entry.metrics, [&](const auto& metric) {
        code.text(metric.first);
        code.number(metric.second);
    });
    code.list(entry.settings, [&](const auto& setting) {
        code.text(setting.first);
        code.text(setting.second);
    });
    return std::move(code.bytes);
}

RunEntry decodedEntry(std::string_view bytes, SettingsPool& pool) {
    RunEntry entry;
    Decoder code(bytes);
    plainFields(code, entry);
    entry.checkpoints.resize(code.count());
    for (auto& iteration : entry.checkpoints) code.number(iteration);
    entry.metrics.resize(code.count());
    for (auto& [name, value] : entry.metrics) {
        code.text(name);
        code.number(value);
    }
    const auto [known, fresh] = pool.try_emplace(std::string(code.rest())); // the settings are the rest
    if (fresh) {
        RunSettings::Map settings;
        for (auto left = code.count(); left > 0; --left) { // in the order of the map
            std::string name, value;
            code.text(name);
            code.text(value);
            settings.emplace_hint(settings.end(), std::move(name), std::move(value));
        }
        code.end();
        known->second = std::move(settings);
    }
    entry.settings = known->second;
    return entry;
}

} // namespace raphe
