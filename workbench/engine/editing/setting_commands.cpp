// SPDX-License-Identifier: Apache-2.0
#include "engine/base/text.h"
#include "engine/document/fields.h"
#include "engine/editing/draft.h"

#include <algorithm>

namespace raphe {

namespace {

bool isOfStages(const std::string& field) { return field == "stages" || field.starts_with("stages["); }

/// The iterations of a document that says nothing of them.
std::int64_t impliedIterations(const Experiment& experiment) {
    return experiment.stages.empty() ? Experiment{}.iterations : iterationsOf(experiment.stages);
}

void setField(Draft& draft, const Json& command) {
    const auto field = command["field"].get<std::string>();
    if (!isOfStages(field) && field.find('.') != std::string::npos)
        throw Error(field, "is no field of the document; a hyper-parameter is set by set_parameter");
    auto changed = draft.experiment;
    if (!isOfStages(field)) {
        changed.set(field, command["value"], draft.registry);
        draft.document[field] = command["value"];
        return;
    }
    auto document = draft.document;
    if (!document.contains("stages")) document["stages"] = Json::array();
    fields::setAtPlace(document, field, command["value"]);
    fields::repairEmptyLists(document);
    if (command["value"].is_null() && document["stages"].is_array())
        for (auto& stage : document["stages"])
            for (const char* key : {"set", "schedules"})
                if (stage.is_object() && stage.contains(key) && stage[key].is_object() && stage[key].empty())
                    stage.erase(key);
    changed.set("stages", document.value("stages", Json::array()), draft.registry);
    if (changed.stages.empty()) document.erase("stages");
    // Iterations that were the sum of the stages' follow them.
    const auto implied = impliedIterations(changed);
    const auto read = document.contains("iterations") ? document["iterations"] : Json(implied);
    if (read != changed.iterations) {
        if (changed.iterations == implied)
            document.erase("iterations");
        else
            document["iterations"] = changed.iterations;
    }
    draft.document = std::move(document);
}

void resetField(Draft& draft, const Json& command) {
    const auto field = command["field"].get<std::string>();
    const auto known = settableFields();
    if (std::find(known.begin(), known.end(), field) == known.end())
        throw Error(field, "the document has no field of this name" + suggestion(field, known));
    draft.document.erase(field);
    // In a variant "reset" returns to what the base says; iterations follow the variant's own stages.
    const bool ownStages = field == "iterations" && draft.document.contains("stages") &&
                           draft.document["stages"] != draft.base.value("stages", Json());
    if (draft.base.contains(field) && !ownStages) draft.document[field] = draft.base[field];
}

/// Nodes have commands of their own, and without a version nothing can be read.
void requireEntry(const std::string& place) {
    const bool isNode = place.starts_with("nodes.") && place.find_first_of(".[", 6) == std::string::npos;
    if (isNode) throw Error(place, "is a node; it is removed by remove_nodes and renamed by rename_node");
    if (place == "raphe" || place == "nodes" || place == "base")
        throw Error(place, "stays; a document cannot be read without it");
}

void removeEntry(Draft& draft, const Json& command) {
    const auto place = command["place"].get<std::string>();
    requireEntry(place);
    fields::removeAtPlace(draft.document, place);
    for (const char* list : {"record", "interventions", "frozen", "stages"})
        if (place.starts_with(std::string(list) + "[")) draft.prune(list);
}

void renameEntry(Draft& draft, const Json& command) {
    const auto place = command["place"].get<std::string>();
    requireEntry(place);
    fields::renameAtPlace(draft.document, place, command["to"].get<std::string>());
}

void setName(Draft& draft, const Json& command) { draft.document["name"] = command["name"]; }
void setDoc(Draft& draft, const Json& command) { draft.document["doc"] = command["doc"]; }

void freeze(Draft& draft, const Json& command) {
    auto& frozen = draft.list("frozen");
    if (std::find(frozen.begin(), frozen.end(), command["pattern"]) != frozen.end())
        throw Error("frozen", "has the pattern " + fields::shown(command["pattern"]) + " already");
    frozen.push_back(command["pattern"]);
}

void unfreeze(Draft& draft, const Json& command) {
    std::vector<std::string> known;
    for (const auto& item : draft.list("frozen"))
        if (item.is_string()) known.push_back(item.get<std::string>());
    if (removeItems(draft.list("frozen"), [&](const Json& item) { return item == command["pattern"]; }) == 0)
        throw Error("frozen", "has no pattern " + fields::shown(command["pattern"]) +
                                  (known.empty() ? "" : suggestion(command["pattern"].get<std::string>(), known)));
    draft.prune("frozen");
}

void detach(Draft& draft, const Json&) { draft.detached = true; }

} // namespace

std::vector<CommandInfo> settingCommands() {
    using enum ArgumentType;
    const ArgumentInfo pattern{"pattern", text, false,
                               "names of tensors, such as agent.*; * stands for any characters"};
    return {
        {"set_field",
         "Set field",
         "Set {field}",
         "Sets a field of the document, such as trials, or a place in its stages, such as stages[0].iterations.",
         {{"field", text, false, "name or place of the field"},
          {"value", value, false, "of its type and in its range"}},
         setField},
        {"reset_field",
         "Reset field",
         "Reset {field}",
         "Returns a field of the document to its default; in a variant to what its base says.",
         {{"field", text, false, "name of the field"}},
         resetField},
        {"remove_entry",
         "Remove entry",
         "Remove {place}",
         "Takes away what stands at a place of the document: a field that is not known, or an item of a list that "
         "cannot be read.",
         {{"place", text, false, "such as wires[3] or nodes.agent.params.tua"}},
         removeEntry},
        {"rename_entry",
         "Rename entry",
         "Rename {place} to {to}",
         "Gives a field of the document another name; its value stays.",
         {{"place", text, false, "such as iteratoins"}, {"to", text, false, "its new name"}},
         renameEntry},
        {"set_name",
         "Set name",
         "Name the experiment {name}",
         "Gives the experiment another name; runs are grouped by it.",
         {{"name", text, false, "of the experiment"}},
         setName},
        {"set_doc",
         "Describe",
         "Describe the experiment",
         "Says what the experiment is, for people.",
         {{"doc", text, false, "what it is"}},
         setDoc},
        {"freeze", "Freeze tensors", "Freeze {pattern}", "Keeps tensors from being trained.", {pattern}, freeze},
        {"unfreeze",
         "Unfreeze tensors",
         "Unfreeze {pattern}",
         "Takes back a pattern that freezes tensors.",
         {pattern},
         unfreeze},
        {"detach",
         "Detach from base",
         "Detach from base",
         "Makes a variant state everything itself, so that it no longer follows its base.",
         {},
         detach},
    };
}

} // namespace raphe
