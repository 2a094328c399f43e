// SPDX-License-Identifier: Apache-2.0
#include "engine/document/experiment_fields.h"

#include "engine/base/text.h"

#include <algorithm>
#include <cmath>

namespace raphe {

namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

template <auto member, class Stored>
FieldInfo field(const char* key, ParamType type, ParamOptions options) {
    FieldInfo info;
    static_cast<ParamOptions&>(info) = std::move(options);
    info.key = key;
    info.type = type;
    info.get = [](const Experiment& e) -> ParamValue { return static_cast<Stored>(e.*member); };
    info.set = [](Experiment& e, const ParamValue& value) {
        e.*member = static_cast<std::decay_t<decltype(e.*member)>>(std::get<Stored>(value));
    };
    info.initial = info.get(Experiment{});
    return info;
}

template <auto member>
FieldInfo integer(const char* key, double max, const char* unit, const char* help, const char* group) {
    return field<member, std::int64_t>(
        key, ParamType::integer, {.unit = unit, .help = help, .min = 0, .max = max, .choices = {}, .group = group});
}

template <auto member>
FieldInfo positive(const char* key, double max, const char* unit, const char* help, const char* group) {
    auto info = field<member, double>(
        key, ParamType::real, {.unit = unit, .help = help, .min = 0, .max = max, .choices = {}, .group = group});
    info.aboveMin = true;
    return info;
}

FieldInfo precisionField() {
    FieldInfo info;
    info.key = "precision";
    info.type = ParamType::text;
    info.choices = {"float32", "float64"};
    info.help = "of all numbers while training; float64 is slower, and what gradients are checked with";
    info.group = "Computing";
    info.get = [](const Experiment& e) -> ParamValue {
        return std::string(e.precision == Precision::float32 ? "float32" : "float64");
    };
    info.set = [](Experiment& e, const ParamValue& value) {
        e.precision = std::get<std::string>(value) == "float32" ? Precision::float32 : Precision::float64;
    };
    info.initial = info.get(Experiment{});
    return info;
}

std::vector<FieldInfo> makeTable() {
    constexpr double million = 1'000'000, large = fields::large;
    constexpr const char *training = "Training", *time = "Time", *computing = "Computing";
    return {
        field<&Experiment::doc, std::string>("doc", ParamType::text, {.help = "what the experiment is, for people"}),
        integer<&Experiment::iterations>("iterations", large, "1",
                                         "updates of a run; with stages at most as many as these have", training),
        integer<&Experiment::trials>("trials", million, "1", "trials of an iteration; 0: the task's own set", training),
        integer<&Experiment::seed>("seed", unlimited, "1",
                                   "of all random streams: initial weights, trials, noise, actions", training),
        positive<&Experiment::dt>("dt", unlimited, "1",
                                  "duration of a step, in the unit of the mechanisms' time constants", time),
        field<&Experiment::streams, bool>(
            "streams", ParamType::boolean,
            {.help = "whether trials go on from iteration to iteration: each continues where the one before ended",
             .group = time}),
        integer<&Experiment::steps>("steps", large, "steps",
                                    "of a stream: how many steps make an iteration; 0: as many as a trial has. Without "
                                    "a task: how many steps to run",
                                    time),
        integer<&Experiment::chunk>(
            "chunk", million, "trials",
            "swept together by one thread; 0: chosen from the number of trials, never from the machine", computing),
        positive<&Experiment::memoryMiB>(
            "memory_mib", million, "MiB",
            "for the recorded steps of one chunk; longer trials are swept in checkpointed segments", computing),
        precisionField(),
    };
}

} // namespace

const std::vector<FieldInfo>& experimentFields() {
    static const auto table = makeTable();
    return table;
}

const FieldInfo* experimentField(const std::string& key) {
    for (const auto& info : experimentFields())
        if (info.key == key) return &info;
    return nullptr;
}

std::string rangeText(const FieldInfo& info) {
    switch (info.type) {
    case ParamType::boolean:
        return "true or false";
    case ParamType::integer:
        if (!std::isfinite(info.max)) return fmt::format("integer >= {:.0f}", info.min);
        return fmt::format("integer from {:.0f} to {:.0f}", info.min, info.max);
    case ParamType::real:
        return fmt::format("a number {} {}{}", info.aboveMin ? ">" : ">=", info.min,
                           std::isfinite(info.max) ? fmt::format(" and <= {:.0f}", info.max) : "");
    case ParamType::text: {
        std::string known;
        for (const auto& choice : info.choices) known += (known.empty() ? "\"" : " or \"") + choice + "\"";
        return known.empty() ? "a text" : known;
    }
    case ParamType::list:
        return "a list of numbers";
    }
    return {};
}

ParamValue readField(const FieldInfo& info, const Json& value, const std::string& place) {
    const auto refuse = [&] { fields::expected(place, rangeText(info), value); };
    switch (info.type) {
    case ParamType::boolean:
        if (!value.is_boolean()) refuse();
        return value.get<bool>();
    case ParamType::integer: {
        constexpr auto most = std::numeric_limits<std::int64_t>::max();
        if (!value.is_number_integer()) refuse();
        if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(most)) refuse();
        const auto number = value.get<std::int64_t>();
        if (static_cast<double>(number) < info.min || static_cast<double>(number) > info.max) refuse();
        return number;
    }
    case ParamType::real: {
        const double number = value.is_number() ? value.get<double>() : NAN;
        if (!std::isfinite(number) || number < info.min || number > info.max || (info.aboveMin && number == info.min))
            refuse();
        return number;
    }
    case ParamType::text: {
        const auto& choices = info.choices;
        if (!value.is_string()) refuse();
        auto text = value.get<std::string>();
        if (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end()) refuse();
        return text;
    }
    case ParamType::list:
        break;
    }
    throw Error(place, "has an unknown type");
}

std::vector<fields::FieldReader> fieldReaders(Experiment& experiment) {
    std::vector<fields::FieldReader> readers;
    for (const auto& info : experimentFields())
        readers.push_back({info.key.c_str(), [&experiment, &info](const Json& value, const std::string& place) {
                               info.set(experiment, readField(info, value, place));
                           }});
    return readers;
}

std::string fieldsMarkdown() {
    std::string text = "\n## Fields of a document\n\nWhat an experiment states beside its nodes and wires as one value "
                       "each; see [concepts](concepts.md). They are set by `set_field` and by `--set`.\n\n| field | "
                       "value | unit | default | meaning |\n|---|---|---|---|---|\n";
    for (const auto& info : experimentFields())
        text += fmt::format("| `{}` | {} | {} | {} | {} |\n", info.key, rangeText(info),
                            info.unit == "1" ? "" : info.unit, toJson(info.initial).dump(), info.help);
    return text;
}

} // namespace raphe
