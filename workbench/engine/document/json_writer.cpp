// SPDX-License-Identifier: Apache-2.0
#include "engine/document/json_writer.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace raphe {

namespace {

using Order = std::vector<std::string_view>;

const Order documentOrder{"raphe",         "name",       "doc",       "base",       "nodes",  "wires", "record",
                          "interventions", "frozen",     "seed",      "dt",         "trials", "chunk", "streams",
                          "steps",         "memory_mib", "precision", "iterations", "stages", "canvas"};
const Order nodeOrder{"mechanism", "params"};
const Order wireOrder{"from", "to", "delay"};
const Order recordingOrder{"port", "every_steps", "every_iterations", "trials"};
const Order interventionOrder{"port", "component", "count", "operation", "value", "from", "to", "enabled"};
const Order stageOrder{"name", "iterations", "frozen", "reset_optimiser", "keep_best", "set", "schedules"};
const Order watchOrder{"metric", "goal", "of", "every", "trials", "window"};
const Order scheduleOrder{"kind",    "value",  "from", "to", "over",   "every",  "factor",   "at",        "values",
                          "minimum", "metric", "goal", "of", "trials", "window", "patience", "threshold", "cooldown"};

/// Known fields first; the others follow as they stand.
void sort(Json& object, const Order& order) {
    if (!object.is_object()) return;
    const auto rank = [&](const auto& member) {
        return std::find(order.begin(), order.end(), std::string_view(member->first)) - order.begin();
    };
    // Keys are constant, so members cannot change places; they move to a new object.
    std::vector<Json::object_t::value_type*> members;
    for (auto& member : object.get_ref<Json::object_t&>()) members.push_back(&member);
    std::stable_sort(members.begin(), members.end(), [&](auto* a, auto* b) { return rank(a) < rank(b); });
    Json sorted = Json::object();
    for (auto* member : members)
        sorted.get_ref<Json::object_t&>().push_back({member->first, std::move(member->second)});
    object = std::move(sorted);
}

template <class Change>
void forEach(Json& parent, const char* key, Change change) {
    if (!parent.is_object() || !parent.contains(key) || !parent[key].is_structured()) return;
    for (auto& item : parent[key]) change(item);
}

void sortAll(Json& document) {
    sort(document, documentOrder);
    forEach(document, "nodes", [](Json& node) { sort(node, nodeOrder); });
    forEach(document, "canvas", [](Json& nodes) { // their order means nothing
        if (!nodes.is_object()) return;
        auto names = keysOf(nodes);
        std::sort(names.begin(), names.end());
        sort(nodes, Order(names.begin(), names.end()));
    });
    forEach(document, "wires", [](Json& wire) { sort(wire, wireOrder); });
    forEach(document, "record", [](Json& recording) { sort(recording, recordingOrder); });
    forEach(document, "interventions", [](Json& intervention) { sort(intervention, interventionOrder); });
    forEach(document, "stages", [](Json& stage) {
        sort(stage, stageOrder);
        if (stage.is_object() && stage.contains("keep_best")) sort(stage["keep_best"], watchOrder);
        forEach(stage, "schedules", [](Json& schedule) { sort(schedule, scheduleOrder); });
    });
}

class Writer {
public:
    std::string take() { return std::move(text_); }

    /// @param depth  of the value: how many levels its members are indented
    /// @param open  levels below this one that have a line for each member
    void value(const Json& json, int depth, int open) {
        if (open > 0 && json.is_structured() && !json.empty())
            lines(json, depth, open);
        else
            line(json);
    }

    void document(const Json& json) {
        if (!json.is_object() || json.empty()) return line(json);
        text_ += "{\n";
        bool first = true;
        for (const auto& [key, item] : json.items()) {
            separate(first, 1);
            text(key);
            text_ += ": ";
            // Nodes have parameters, a stage has fields, and the canvas has positions on lines of their own.
            const bool list = item.is_array();
            value(item, 1, key == "nodes" ? 3 : key == "stages" || key == "canvas" ? 2 : list ? 1 : 0);
        }
        text_ += "\n}";
    }

private:
    void lines(const Json& json, int depth, int open) {
        text_ += json.is_object() ? "{\n" : "[\n";
        bool first = true;
        for (const auto& [key, item] : json.items()) {
            separate(first, depth + 1);
            if (json.is_object()) {
                text(key);
                text_ += ": ";
            }
            value(item, depth + 1, open - 1);
        }
        text_ += '\n';
        indent(depth);
        text_ += json.is_object() ? '}' : ']';
    }

    void line(const Json& json) {
        if (!json.is_structured()) {
            text_ += json.dump();
            return;
        }
        text_ += json.is_object() ? '{' : '[';
        bool first = true;
        for (const auto& [key, item] : json.items()) {
            if (!first) text_ += ", ";
            first = false;
            if (json.is_object()) {
                text(key);
                text_ += ": ";
            }
            line(item);
        }
        text_ += json.is_object() ? '}' : ']';
    }

    void separate(bool& first, int depth) {
        if (!first) text_ += ",\n";
        first = false;
        indent(depth);
    }
    void indent(int depth) { text_.append(static_cast<std::size_t>(2 * depth), ' '); }
    void text(const std::string& key) { text_ += Json(key).dump(); }

    std::string text_;
};

} // namespace

std::string documentText(const Json& document) {
    auto sorted = document;
    sortAll(sorted);
    Writer writer;
    writer.document(sorted);
    return writer.take() + "\n";
}

} // namespace raphe
