// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_entry_code.h"

#include "raphe/error.h"

#include <cstring>

namespace raphe {

namespace {

/// Numbers in the byte order of the machine, texts behind their length. Reading and writing go through the same lines.
class Encoder {
public:
    template <class T>
    void number(const T& value) {
        bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void text(const std::string& value) {
        number(static_cast<std::uint32_t>(value.size()));
        bytes += value;
    }
    template <class Container, class Each>
    void list(const Container& items, const Each& each) {
        number(static_cast<std::uint32_t>(items.size()));
        for (const auto& item : items) each(item);
    }
    std::string bytes;
};

class Decoder {
public:
    explicit Decoder(std::string_view bytes) : rest_(bytes) {}
    template <class T>
    void number(T& value) {
        std::memcpy(&value, take(sizeof value).data(), sizeof value);
    }
    void text(std::string& value) {
        std::uint32_t size = 0;
        number(size);
        value = take(size);
    }
    std::uint32_t count() {
        std::uint32_t size = 0;
        number(size);
        if (size > rest_.size()) fail();
        return size;
    }
    std::string_view rest() const { return rest_; }
    void end() const {
        if (!rest_.empty()) fail();
    }

private:
    [[noreturn]] static void fail() { throw Error("index of runs", "an entry is damaged; it is made anew"); }
    std::string_view take(std::size_t size) {
        if (size > rest_.size()) fail();
        const auto taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    std::string_view rest_;
};

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
