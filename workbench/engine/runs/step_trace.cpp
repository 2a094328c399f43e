// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/step_trace.h"

#include "engine/runs/hash.h"

#include <fmt/format.h>

#include <algorithm>

namespace raphe {

namespace {

std::uint32_t printOf(const std::vector<double>& values) {
    Hash hash;
    for (const double value : values) hash.add(value);
    return static_cast<std::uint32_t>(hash.low());
}

/// Output ports in the order in which a step computes them: the task's, those of the models, and what is written at its
/// end.
std::vector<std::string> portsOf(const Graph& graph) {
    std::vector<std::string> ports;
    const auto add = [&](int n, Read read) {
        if (n < 0) return;
        const auto& node = graph.nodes()[static_cast<std::size_t>(n)];
        for (std::size_t p = 0; p < node.portSizes.size(); ++p) {
            const auto& port = node.declaration().ports[p];
            if (port.kind == PortKind::output && port.read == read && node.portSizes[p] > 0)
                ports.push_back(node.name + "." + port.name);
        }
    };
    add(graph.task(), Read::start);
    for (const int n : graph.stepOrder()) add(n, Read::start);
    add(graph.task(), Read::end);
    for (const int n : graph.closeOrder()) add(n, Read::end);
    return ports;
}

std::string hex(const std::vector<std::uint32_t>& prints) {
    std::string text;
    for (const auto print : prints) text += fmt::format("{:08x}", print);
    return text;
}

std::optional<std::vector<std::uint32_t>> fromHex(const std::string& text, std::size_t count) {
    if (text.size() != 8 * count || text.find_first_not_of("0123456789abcdef") != std::string::npos) return {};
    std::vector<std::uint32_t> prints;
    for (std::size_t i = 0; i < count; ++i)
        prints.push_back(static_cast<std::uint32_t>(std::stoul(text.substr(8 * i, 8), nullptr, 16)));
    return prints;
}

std::optional<std::vector<std::string>> texts(const Json& json, const char* key) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_array()) return {};
    std::vector<std::string> result;
    for (const auto& item : *found) {
        if (!item.is_string()) return {};
        result.push_back(item.get<std::string>());
    }
    return result;
}

} // namespace

std::optional<StepTrace> traceSteps(Session& session) {
    StepTrace trace;
    for (const auto& [name, tensor] : session.weights()) {
        trace.tensors.push_back(name);
        trace.tensorPrints.push_back(printOf(tensor.values));
    }
    trace.ports = portsOf(session.graph());
    if (session.steps() < 1 || trace.ports.empty()) return {};
    try {
        const auto player = session.play({1, {}, {}, 0});
        trace.steps = std::min(player->steps(), StepTrace::mostSteps);
        for (int step = 0; step < trace.steps && player->next(); ++step)
            for (const auto& port : trace.ports) trace.prints.push_back(printOf(player->signal(port).values));
    } catch (const Error&) {
        return {};
    }
    return trace;
}

Json tensorPrintsJson(const Session& session) {
    std::vector<std::uint32_t> prints;
    for (const auto& item : session.weights()) prints.push_back(printOf(item.tensor.values));
    return {{"prints", hex(prints)}};
}

Json toJson(const StepTrace& trace) {
    return {{"tensors", trace.tensors},
            {"tensor_prints", hex(trace.tensorPrints)},
            {"ports", trace.ports},
            {"steps", trace.steps},
            {"prints", hex(trace.prints)}};
}

std::optional<StepTrace> stepTraceFromJson(const Json& json) {
    if (!json.is_object()) return {};
    const auto tensors = texts(json, "tensors"), ports = texts(json, "ports");
    const auto number = [&](const char* key) { return json.contains(key) && json[key].is_number_integer(); };
    const auto text = [&](const char* key) { return json.contains(key) && json[key].is_string(); };
    if (!tensors || !ports || !number("steps") || !text("tensor_prints") || !text("prints")) return {};
    StepTrace trace{*tensors, {}, *ports, json["steps"].get<int>(), {}};
    if (trace.steps < 0 || trace.steps > StepTrace::mostSteps) return {};
    auto tensorPrints = fromHex(json["tensor_prints"].get<std::string>(), tensors->size());
    auto prints = fromHex(json["prints"].get<std::string>(), ports->size() * static_cast<std::size_t>(trace.steps));
    if (!tensorPrints || !prints) return {};
    trace.tensorPrints = std::move(*tensorPrints);
    trace.prints = std::move(*prints);
    return trace;
}

std::optional<TraceDifference> compareTraces(const StepTrace& then, const StepTrace& now) {
    TraceDifference difference;
    if (then.tensors != now.tensors || then.ports != now.ports || then.steps != now.steps) return difference;
    for (std::size_t i = 0; i < now.tensors.size(); ++i)
        if (then.tensorPrints[i] != now.tensorPrints[i]) {
            difference.tensor = now.tensors[i];
            return difference;
        }
    const auto [a, b] = std::mismatch(then.prints.begin(), then.prints.end(), now.prints.begin());
    if (a == then.prints.end()) return {};
    const auto at = static_cast<std::size_t>(a - then.prints.begin());
    difference.signal = now.ports[at % now.ports.size()];
    difference.step = static_cast<int>(at / now.ports.size());
    return difference;
}

} // namespace raphe
