// SPDX-License-Identifier: Apache-2.0
#include "engine/document/experiment.h"

#include "engine/base/text.h"
#include "engine/document/canvas.h"
#include "engine/document/experiment_fields.h"
#include "engine/document/fields.h"
#include "engine/document/json_reader.h"
#include "engine/document/variants.h"
#include "engine/graph/graph.h"
#include "engine/mechanisms/plugin_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <string_view>

namespace raphe {

namespace {

using namespace fields;

auto addressInto(Address& target) {
    return [&target](const Json& value, const std::string& place) {
        if (!value.is_string()) expected(place, "a text \"node.port\"", value);
        target = parseAddress(value.get<std::string>(), place);
    };
}

/// Reads a wire; what cannot be read of it stays empty.
void readWire(const Json& value, const std::string& place, WireSpec& wire) {
    if (value.is_string()) {
        const auto text = value.get<std::string>();
        const auto arrow = text.find("->");
        if (arrow == std::string::npos) expected(place, "\"node.port -> node.port\"", value);
        const auto trimmed = [](const std::string& s) {
            const auto first = s.find_first_not_of(" \t"), last = s.find_last_not_of(" \t");
            return first == std::string::npos ? std::string{} : s.substr(first, last - first + 1);
        };
        Problems problems;
        problems.collect([&] { wire.from = parseAddress(trimmed(text.substr(0, arrow)), place); });
        problems.collect([&] { wire.to = parseAddress(trimmed(text.substr(arrow + 2)), place); });
        problems.throwIfAny();
        return;
    }
    const auto delayInto = [&wire](const Json& v, const std::string& where) {
        int delay = 0;
        integerInto(delay, 0, 1)(v, where);
        wire.delay = delay;
    };
    readFields(value, place, {{"from", addressInto(wire.from)}, {"to", addressInto(wire.to)}, {"delay", delayInto}});
    if (wire.from.node.empty() || wire.to.node.empty()) throw Error(place, "a wire needs \"from\" and \"to\"");
}

/// Reads a recording; what cannot be read of it keeps its default.
void readRecording(const Json& value, const std::string& place, Recording& recording) {
    if (value.is_string()) {
        recording.port = parseAddress(value.get<std::string>(), place);
        return;
    }
    readFields(value, place,
               {{"port", addressInto(recording.port)},
                {"every_steps", integerInto(recording.everySteps, 1, large)},
                {"every_iterations", integerInto(recording.everyIterations, 1, large)},
                {"trials", integerInto(recording.trials, 1, large)}});
    if (recording.port.node.empty()) throw Error(place, "a recording needs \"port\"");
}

void setParam(NodeSpec& node, const std::string& key, const Json& value, const Registry& registry) {
    const auto place = "nodes." + node.name + ".params." + key;
    const auto& declaration = registry.find(node.mechanism, "nodes." + node.name + ".mechanism").declaration;
    const auto* info = declaration.param(key);
    if (!info) {
        std::vector<std::string> known;
        for (const auto& p : declaration.params) known.push_back(p.key);
        throw Error(place, fmt::format("{} has no parameter \"{}\"{}", node.mechanism, key, suggestion(key, known)));
    }
    node.params[key] = readParam(*info, value, place);
}

/// Reads a node. One without a mechanism that is known has no parameters.
NodeSpec readNode(const std::string& name, const Json& value, const Registry& registry, Problems& problems) {
    const auto place = "nodes." + name;
    NodeSpec node{name, {}, {}};
    Json params = Json::object();
    const auto paramsInto = [&params](const Json& v, const std::string& where) {
        if (!v.is_object()) expected(where, "an object", v);
        params = v;
    };
    problems.collect([&] { checkName(name, "a node's name", place); });
    problems.collect([&] {
        readFields(value, place, {{"mechanism", textInto(node.mechanism)}, {"params", paramsInto}}, problems);
        if (node.mechanism.empty() && !problems.concern(place)) throw Error(place, "a node needs \"mechanism\"");
    });
    if (node.mechanism.empty()) return node;
    problems.collect([&] {
        node.params = registry.find(node.mechanism, place + ".mechanism").declaration.defaults();
        for (const auto& [key, v] : params.items())
            problems.collect([&, &k = key, &param = v] { setParam(node, k, param, registry); });
    });
    return node;
}

/// Sets a place in the stages.
void setStages(Experiment& e, const std::string& place, const Json& value, const Registry& registry) {
    Json document = {{"stages", toJson(e.stages)}};
    setAtPlace(document, place, value);
    Problems problems;
    auto changed = stagesFromJson(document.value("stages", Json::array()), ruleOf(e, registry).declaration, problems);
    problems.throwIfAny();
    const auto before = iterationsOf(e.stages), after = iterationsOf(changed);
    if (after > large)
        throw Error(place,
                    fmt::format("the stages have {} iterations in all; a training has at most {}", after, large));
    if (!changed.empty() && (e.stages.empty() || e.iterations == before || e.iterations > after))
        e.iterations = static_cast<int>(after);
    e.stages = std::move(changed);
}

} // namespace

const char* nameOf(Operation operation) {
    switch (operation) {
    case Operation::clamp:
        return "clamp";
    case Operation::scale:
        return "scale";
    case Operation::perturb:
        return "perturb";
    case Operation::noise:
        return "noise";
    case Operation::lesion:
        return "lesion";
    case Operation::swap:
        return "swap";
    }
    return "";
}

Address parseAddress(const std::string& text, const std::string& place) {
    const auto dot = text.find('.');
    if (dot == std::string::npos || dot == 0 || dot + 1 == text.size() || text.find('.', dot + 1) != std::string::npos)
        throw Error(place, "expected \"node.port\", got \"" + text.substr(0, 80) + "\"");
    return {text.substr(0, dot), text.substr(dot + 1)};
}

ParamValue readParam(const ParamInfo& info, const Json& value, const std::string& place) {
    const auto inRange = [&](double x) { return std::isfinite(x) && x >= info.min && x <= info.max; };
    switch (info.type) {
    case ParamType::boolean:
        if (!value.is_boolean()) expected(place, "true or false", value);
        return value.get<bool>();
    case ParamType::integer: {
        // Numbers without a fraction are integers however they are written (Lua and JSON writers differ in this).
        const bool whole = value.is_number_integer() ||
                           (value.is_number_float() && value.get<double>() == std::floor(value.get<double>()));
        if (!whole || !inRange(value.get<double>()) || std::abs(value.get<double>()) > 2147483647.0)
            expected(place, "integer" + rangeText(info), value);
        return static_cast<std::int64_t>(value.get<double>());
    }
    case ParamType::real:
        if (!value.is_number() || !inRange(value.get<double>())) expected(place, "number" + rangeText(info), value);
        return value.get<double>();
    case ParamType::text: {
        if (!value.is_string())
            expected(place, info.choices.empty() ? "a text" : "one of " + joined(info.choices), value);
        const auto text = value.get<std::string>();
        if (!info.choices.empty() && std::find(info.choices.begin(), info.choices.end(), text) == info.choices.end())
            throw Error(place, "expected one of " + joined(info.choices) + ", got \"" + text.substr(0, 80) + "\"");
        return text;
    }
    case ParamType::list: {
        if (!value.is_array()) expected(place, "a list of numbers", value);
        if (value.size() > 1'000'000) throw Error(place, "a list holds at most 1000000 numbers");
        std::vector<double> numbers;
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (!value[i].is_number() || !inRange(value[i].get<double>()))
                expected(fmt::format("{}[{}]", place, i), "number" + rangeText(info), value[i]);
            numbers.push_back(value[i].get<double>());
        }
        return numbers;
    }
    }
    throw Error(place, "has an unknown type");
}

Json toJson(const ParamValue& value) {
    return std::visit([](const auto& v) { return Json(v); }, value);
}

WireSpec wireFromJson(const Json& value, const std::string& place) {
    WireSpec wire;
    readWire(value, place, wire);
    return wire;
}

Json toJson(const WireSpec& wire) {
    if (!wire.delay) return wire.from.text() + " -> " + wire.to.text();
    return {{"from", wire.from.text()}, {"to", wire.to.text()}, {"delay", *wire.delay}};
}

Recording recordingFromJson(const Json& value, const std::string& place) {
    Recording recording;
    readRecording(value, place, recording);
    return recording;
}

Json toJson(const Intervention& i) {
    Json result = {{"port", i.target.text()}, {"operation", nameOf(i.operation)}};
    if (i.component >= 0) result["component"] = i.component;
    if (i.component >= 0 && i.count > 1) result["count"] = i.count;
    if (i.operation != Operation::lesion && i.operation != Operation::swap) result["value"] = i.value;
    result["from"] = i.from;
    if (i.to >= 0) result["to"] = i.to;
    if (!i.enabled) result["enabled"] = false;
    return result;
}

Intervention interventionFromJson(const Json& value, const std::string& place) {
    Intervention i;
    constexpr std::int64_t last = 2'000'000'000;
    readFields(
        value, place,
        {{"port", addressInto(i.target)},
         {"operation", choiceInto(i.operation, std::vector<Operation>(std::begin(operations), std::end(operations)))},
         {"component", integerInto(i.component, 0, last)},
         {"count", integerInto(i.count, 1, last)},
         {"value", numberInto(i.value)},
         {"from", integerInto(i.from, 0, last)},
         {"to", integerInto(i.to, 0, last)},
         {"enabled", booleanInto(i.enabled)}});
    if (i.target.node.empty()) throw Error(place, "an intervention needs \"port\"");
    if (i.operation == Operation::noise && i.value < 0)
        throw Error(place + ".value", fmt::format("expected a standard deviation >= 0, got {}", i.value));
    if (i.count > 1 && i.component < 0)
        throw Error(place + ".count", "counts components from \"component\" on; say which is the first");
    if (i.operation == Operation::swap) {
        for (const char* field : {"component", "count", "value", "to"})
            if (value.contains(field))
                throw Error(place + "." + field, "swap exchanges whole states at one moment; leave it out");
        if (i.from < 1) throw Error(place + ".from", "swap acts between two steps; say before which, from 1 on");
    }
    if (i.to >= 0 && i.to <= i.from)
        throw Error(place, fmt::format("no step lies in from {} <= t < to {}", i.from, i.to));
    return i;
}

Intervention parseIntervention(const std::string& text) {
    const auto place = "intervention \"" + text.substr(0, 80) + "\"";
    const auto bad = [&] {
        throw Error(place,
                    "expected node.port[component]=operation:value@from:to, e.g. modulator.output[0]=clamp:0@10:20, "
                    "core.hidden[3:8]=lesion or agent.hebbian_trace=swap@60");
    };
    const auto equals = text.find('=');
    if (equals == std::string::npos) bad();
    std::string target = text.substr(0, equals), rest = text.substr(equals + 1), range;
    Json document = Json::object();
    const auto number = [&](const std::string& digits) {
        auto value = Json::parse(digits, nullptr, false);
        if (!value.is_number()) bad();
        return value;
    };
    if (const auto bracket = target.find('['); bracket != std::string::npos) {
        if (target.back() != ']') bad();
        const auto units = target.substr(bracket + 1, target.size() - bracket - 2);
        const auto between = units.find(':'); // first and end of a group, as of steps
        document["component"] = number(units.substr(0, between));
        if (between != std::string::npos) {
            const auto end = number(units.substr(between + 1));
            if (!end.is_number_integer() || !document["component"].is_number_integer()) bad();
            document["count"] = end.get<std::int64_t>() - document["component"].get<std::int64_t>();
        }
        target.resize(bracket);
    }
    document["port"] = target;
    if (const auto at = rest.find('@'); at != std::string::npos) {
        range = rest.substr(at + 1);
        rest.resize(at);
        const auto colon = range.find(':');
        if (colon == std::string::npos && rest != nameOf(Operation::swap)) bad();
        if (colon > 0) document["from"] = number(range.substr(0, colon));
        if (colon != std::string::npos && colon + 1 < range.size()) document["to"] = number(range.substr(colon + 1));
    }
    const auto colon = rest.find(':');
    document["operation"] = rest.substr(0, colon);
    if (colon != std::string::npos) document["value"] = number(rest.substr(colon + 1));
    return interventionFromJson(document, place);
}

const NodeSpec* Experiment::node(const std::string& nodeName) const {
    for (const auto& item : nodes)
        if (item.name == nodeName) return &item;
    return nullptr;
}

void Experiment::set(const std::string& path, const Json& value, const Registry& registry) {
    if (path == "stages" || path.starts_with("stages[")) return setStages(*this, path, value, registry);
    const auto dot = path.find('.');
    if (dot == std::string::npos) {
        for (const auto& field : fieldReaders(*this)) {
            if (path != field.key) continue;
            const auto before = iterations;
            field.read(value, path);
            if (const auto sum = iterationsOf(stages); !stages.empty() && iterations > sum) {
                iterations = before;
                throw Error(path, fmt::format("expected at most {}, as many as the stages have in all, got {}", sum,
                                              shown(value)));
            }
            return;
        }
        throw Error(path, "the document has no field of this name" + suggestion(path, settableFields()) +
                              "; a hyper-parameter is written node.parameter");
    }
    const auto nodeName = path.substr(0, dot), key = path.substr(dot + 1);
    for (auto& item : nodes)
        if (item.name == nodeName) return setParam(item, key, value, registry);
    std::vector<std::string> names;
    for (const auto& item : nodes) names.push_back(item.name);
    throw Error("nodes", "the experiment has no node \"" + nodeName + "\"" + suggestion(nodeName, names));
}

void Experiment::setText(const std::string& assignment, const Registry& registry) {
    const auto equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0)
        throw Error("\"" + assignment.substr(0, 80) + "\"", "expected node.parameter=value");
    const auto path = assignment.substr(0, equals), text = assignment.substr(equals + 1);
    Json value;
    try {
        value = parseJson(text, path);
    } catch (const Error&) {
        value = text;
    }
    set(path, value, registry);
}

Json Experiment::toJson() const {
    Json document = {{"raphe", 1}, {"name", name}, {"doc", doc}};
    auto& nodesJson = document["nodes"] = Json::object();
    for (const auto& item : nodes) {
        auto& entry = nodesJson[item.name] = Json{{"mechanism", item.mechanism}, {"params", Json::object()}};
        for (const auto& [key, value] : item.params) entry["params"][key] = raphe::toJson(value);
    }
    auto& wiresJson = document["wires"] = Json::array();
    for (const auto& wire : wires) wiresJson.push_back(raphe::toJson(wire));
    auto& record = document["record"] = Json::array();
    for (const auto& r : recordings)
        record.push_back({{"port", r.port.text()},
                          {"every_steps", r.everySteps},
                          {"every_iterations", r.everyIterations},
                          {"trials", r.trials}});
    auto& interventionsJson = document["interventions"] = Json::array();
    for (const auto& i : interventions) interventionsJson.push_back(raphe::toJson(i));
    document["frozen"] = frozen;
    document["seed"] = seed;
    document["dt"] = dt;
    document["trials"] = trials;
    document["chunk"] = chunk;
    if (streams) document["streams"] = true;
    if (steps > 0) document["steps"] = steps;
    document["iterations"] = iterations;
    if (!stages.empty()) document["stages"] = raphe::toJson(stages);
    document["memory_mib"] = memoryMiB;
    document["precision"] = precision == Precision::float32 ? "float32" : "float64";
    return document;
}

std::vector<std::string> settableFields() {
    std::vector<std::string> names{"stages"};
    for (const auto& field : experimentFields()) names.push_back(field.key);
    return names;
}

std::vector<std::string> experimentNames() {
    std::vector<std::string> names;
    const auto folder = resourceFolder() / "experiments";
    if (std::filesystem::is_directory(folder))
        for (const auto& file : std::filesystem::directory_iterator(folder))
            if (file.path().extension() == ".json") names.push_back(file.path().stem());
    std::sort(names.begin(), names.end());
    return names;
}

std::filesystem::path findExperiment(const std::string& nameOrPath) {
    if (std::filesystem::is_regular_file(nameOrPath)) return nameOrPath;
    if (nameOrPath.find('/') == std::string::npos && !nameOrPath.empty()) {
        auto packaged = resourceFolder() / "experiments" / (nameOrPath + ".json");
        if (std::filesystem::exists(packaged)) return packaged;
    }
    if (std::filesystem::is_directory(nameOrPath))
        throw Error(nameOrPath, "is a folder; name an experiment file (.json)");
    throw Error(nameOrPath,
                "neither a file nor an experiment that comes with Raphe" + suggestion(nameOrPath, experimentNames()));
}

Experiment experimentFromJson(Json document, const Registry& registry, const std::filesystem::path& folder,
                              Problems& problems) {
    auto base = baseOf(document, folder);
    document = extended(std::move(base), std::move(document));
    if (!document.contains("raphe"))
        problems.add("raphe", "the document's version is missing; write \"raphe\": 1");
    else if (document["raphe"] != 1)
        expected("raphe", "version 1", document["raphe"]);

    Experiment e;
    auto fields = fieldReaders(e);
    fields.push_back({"raphe", [](const Json&, const std::string&) {}});
    fields.push_back({"name", textInto(e.name)});
    fields.push_back({"nodes", [&](const Json& value, const std::string& place) {
                          if (!value.is_object()) expected(place, "an object", value);
                          if (value.size() > 10'000) throw Error(place, "an experiment has at most 10000 nodes");
                          for (const auto& [name, node] : value.items())
                              e.nodes.push_back(readNode(name, node, registry, problems));
                      }});
    fields.push_back({"wires", listInto(e.wires, problems, readWire)});
    fields.push_back({"record", listInto(e.recordings, problems, readRecording)});
    fields.push_back({"interventions", listInto(e.interventions, problems,
                                                [](const Json& value, const std::string& place, Intervention& item) {
                                                    item = interventionFromJson(value, place);
                                                })});
    fields.push_back(
        {"frozen", listInto(e.frozen, problems, [](const Json& value, const std::string& place, std::string& pattern) {
             if (!value.is_string()) expected(place, "a pattern of tensor names", value);
             pattern = value.get<std::string>();
         })});
    fields.push_back({"canvas", [](const Json& value, const std::string& place) { positionsFromJson(value, place); }});
    Json stages; // their parameters are those of a node, which may come later
    fields.push_back({"stages", [&stages](const Json& value, const std::string&) { stages = value; }});
    readFields(document, "", fields, problems);
    if (document.contains("stages")) e.stages = stagesFromJson(stages, ruleOf(e, registry).declaration, problems);
    if (const auto sum = iterationsOf(e.stages); sum > 0 && sum <= large && !document.contains("iterations"))
        e.iterations = static_cast<int>(sum);
    return e;
}

namespace {

/// The experiment if nothing is wrong with it so far. @throws Error with these problems and those of its graph
Experiment accepted(Experiment experiment, const Registry& registry, Problems& problems) {
    checkStages(experiment, registry, problems);
    if (!problems.empty()) {
        const Graph graph(experiment, registry, problems);
        problems.throwIfAny();
    }
    return experiment;
}

Experiment readExperiment(const std::string& nameOrPath, const std::vector<std::string>& assignments,
                          const Registry& registry, Problems& problems) {
    const auto path = findExperiment(nameOrPath);
    auto experiment = experimentFromJson(readExtended(path), registry, path.parent_path(), problems);
    if (experiment.name.empty()) experiment.name = path.stem();
    for (const auto& assignment : assignments) {
        // What a node of an unknown mechanism can be given is unknown too.
        const auto* node = experiment.node(assignment.substr(0, assignment.find('.')));
        if (node && !registry.contains(node->mechanism)) continue;
        problems.collect([&] { experiment.setText(assignment, registry); });
    }
    return experiment;
}

} // namespace

Experiment experimentFromJson(Json document, const Registry& registry, const std::filesystem::path& folder) {
    Problems problems;
    return accepted(experimentFromJson(std::move(document), registry, folder, problems), registry, problems);
}

Experiment loadExperiment(const std::string& nameOrPath, const Registry& registry,
                          const std::vector<std::string>& assignments, Problems& problems) {
    auto experiment = readExperiment(nameOrPath, assignments, registry, problems);
    checkStages(experiment, registry, problems);
    return experiment;
}

Experiment loadExperiment(const std::string& nameOrPath, const Registry& registry,
                          const std::vector<std::string>& assignments) {
    Problems problems;
    return accepted(readExperiment(nameOrPath, assignments, registry, problems), registry, problems);
}

} // namespace raphe
