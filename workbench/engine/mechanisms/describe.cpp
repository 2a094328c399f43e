// SPDX-License-Identifier: Apache-2.0
#include "engine/mechanisms/describe.h"

#include "engine/base/text.h"

#include <fmt/format.h>

#include <cmath>

namespace raphe {

namespace {

const char* nameOf(ParamType type) {
    switch (type) {
    case ParamType::boolean:
        return "boolean";
    case ParamType::integer:
        return "integer";
    case ParamType::real:
        return "number";
    case ParamType::text:
        return "text";
    case ParamType::list:
        return "list of numbers";
    }
    return "";
}
const char* nameOf(PortKind kind) {
    switch (kind) {
    case PortKind::input:
        return "input";
    case PortKind::modulation:
        return "modulation";
    case PortKind::output:
        return "output";
    }
    return "";
}

std::string allowed(const ParamInfo& info) {
    if (!info.choices.empty()) return joined(info.choices);
    const bool low = std::isfinite(info.min), high = std::isfinite(info.max);
    if (low && high) return fmt::format("{} to {}", info.min, info.max);
    if (low) return fmt::format(">= {}", info.min);
    if (high) return fmt::format("<= {}", info.max);
    return "any";
}

std::string notes(const PortInfo& port) {
    std::string text;
    if (port.kind != PortKind::output) {
        if (port.read == Read::end) text += " Read at the end of the step.";
        if (port.optional) text += " May stay unwired.";
    } else {
        if (port.read == Read::end) text += " Written at the end of the step.";
        if (port.sampled) text += " Drawn at random.";
    }
    return text;
}

/// Table cells must not contain what ends them.
std::string cell(const std::string& text) {
    std::string result;
    for (char c : text) {
        if (c == '|')
            result += "\\|";
        else if (c == '\n')
            result += ' ';
        else
            result += c;
    }
    return result;
}

std::string eventList(const DeclarationData& d) {
    std::string text;
    for (const auto& e : d.events) text += (text.empty() ? "" : ", ") + e.name + " (" + e.port + ")";
    return text;
}

} // namespace

Json describeJson(const DeclarationData& d) {
    Json result = {{"name", d.key()},
                   {"version", d.version},
                   {"summary", d.summary},
                   {"citation", d.citation},
                   {"manual", d.manual}};
    auto& params = result["params"] = Json::array();
    for (const auto& p : d.params) {
        Json item = {{"key", p.key},
                     {"type", nameOf(p.type)},
                     {"unit", p.unit},
                     {"default", toJson(p.initial)},
                     {"help", p.help}};
        if (std::isfinite(p.min)) item["min"] = p.min;
        if (std::isfinite(p.max)) item["max"] = p.max;
        if (!p.choices.empty()) item["choices"] = p.choices;
        if (!p.group.empty()) item["group"] = p.group;
        params.push_back(item);
    }
    auto& ports = result["ports"] = Json::array();
    for (const auto& p : d.ports)
        ports.push_back({{"name", p.name},
                         {"kind", nameOf(p.kind)},
                         {"size", p.sizeText},
                         {"read", p.read == Read::end ? "end" : "start"},
                         {"optional", p.optional},
                         {"neutral", p.neutral},
                         {"sampled", p.sampled},
                         {"help", p.help}});
    auto& tensors = result["tensors"] = Json::array();
    for (const auto& t : d.tensors)
        tensors.push_back({{"name", t.name}, {"rows", t.rows}, {"columns", t.columns}, {"help", t.help}});
    auto& events = result["events"] = Json::array();
    for (const auto& e : d.events) events.push_back({{"name", e.name}, {"port", e.port}});
    return result;
}

std::string describeText(const DeclarationData& d) {
    std::string text = fmt::format("{} {}: {}\n", d.key(), d.version, d.summary);
    if (!d.citation.empty()) text += d.citation + "\n";
    if (!d.manual.empty()) text += "\n" + d.manual + "\n";
    if (!d.params.empty()) text += "\nParameters\n";
    for (const auto& p : d.params)
        text += fmt::format("  {:<24} {} (default {}, {}{})\n", p.key, p.help, toJson(p.initial).dump(), allowed(p),
                            p.unit == "1" ? "" : ", unit " + p.unit);
    if (!d.ports.empty()) text += "\nPorts\n";
    for (const auto& p : d.ports)
        text += fmt::format("  {:<10} {:<14} [{}] {}.{}\n", nameOf(p.kind), p.name, p.sizeText, p.help, notes(p));
    if (!d.tensors.empty()) text += "\nTrainable tensors\n";
    for (const auto& t : d.tensors) text += fmt::format("  {:<24} ({}, {}) {}\n", t.name, t.rows, t.columns, t.help);
    if (!d.events.empty()) text += "\nEvents of a trial: " + eventList(d) + "\n";
    return text;
}

std::string describeMarkdown(const DeclarationData& d) {
    std::string text = fmt::format("### {}\n\n{}. Version {}.\n", d.key(), d.summary, d.version);
    if (!d.citation.empty()) text += "\nSource: " + d.citation + "\n";
    if (!d.manual.empty()) text += "\n" + d.manual + "\n";
    if (!d.params.empty()) text += "\n| parameter | default | allowed | unit | meaning |\n|---|---|---|---|---|\n";
    for (const auto& p : d.params)
        text += fmt::format("| `{}` | `{}` | {} | {} | {} |\n", p.key, toJson(p.initial).dump(), cell(allowed(p)),
                            p.unit, cell(p.help));
    if (!d.ports.empty()) text += "\n| port | kind | units | meaning |\n|---|---|---|---|\n";
    for (const auto& p : d.ports)
        text += fmt::format("| `{}` | {} | {} | {}.{} |\n", p.name, nameOf(p.kind), cell(p.sizeText), cell(p.help),
                            notes(p));
    if (!d.tensors.empty()) text += "\n| trainable tensor | shape | meaning |\n|---|---|---|\n";
    for (const auto& t : d.tensors)
        text += fmt::format("| `{}` | ({}, {}) | {} |\n", t.name, cell(t.rows), cell(t.columns), cell(t.help));
    if (!d.events.empty()) text += "\nEvents of a trial: " + cell(eventList(d)) + ".\n";
    return text;
}

std::string referenceMarkdown(const Registry& registry) {
    std::string text = "# Reference\n\nGenerated from the declarations of mechanisms and commands by `raphe describe "
                       "--markdown`; do not edit.\n";
    for (const auto& [kind, heading] : {std::pair{"task", "Tasks"}, {"model", "Models"}, {"rule", "Learning rules"}}) {
        text += fmt::format("\n## {}\n", heading);
        for (const auto& key : registry.keys(kind))
            text += "\n" + describeMarkdown(registry.find(key, key).declaration);
    }
    return text;
}

} // namespace raphe
