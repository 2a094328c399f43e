// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/start/shipped_experiments.h"

#include "engine/document/experiment.h"
#include "gui/mechanisms/mechanism_model.h"

#include <map>

namespace raphe {
namespace {

/// The papers of its mechanisms, the task's first.
QString papersOf(const Json& document, const Registry& registry) {
    QStringList papers;
    const Json nodes = document.value("nodes", Json::object());
    for (const auto& [node, spec] : nodes.items()) {
        const auto key = spec.is_object() ? spec.value("mechanism", "") : std::string{};
        if (!registry.contains(key) || key.starts_with("rule.")) continue;
        const QString paper = shortCitation(registry.find(key, key).declaration.citation);
        if (!paper.isEmpty() && !papers.contains(paper)) papers << paper;
    }
    return QStringList{papers.mid(0, 2)}.join(QStringLiteral(" · "));
}

} // namespace

std::vector<ShippedExperiment> shippedExperiments(const Registry& registry) {
    std::map<std::string, Json> documents;
    for (const auto& name : experimentNames()) {
        try {
            documents[name] = readJson(findExperiment(name));
        } catch (const std::exception&) {
        }
    }
    std::map<std::string, ShippedExperiment> found;
    for (const auto& [name, document] : documents)
        if (!document.contains("base"))
            found[name] = {name, document.value("doc", ""), papersOf(document, registry), {}};
    for (const auto& [name, document] : documents) {
        std::string base = name;
        for (int depth = 0; depth < 16 && documents.count(base) != 0 && documents[base].contains("base"); ++depth)
            base = documents[base]["base"].get<std::string>();
        if (base != name && found.count(base) != 0) found[base].variants.push_back({name, document.value("doc", "")});
    }
    std::vector<ShippedExperiment> result;
    for (auto& [name, item] : found) result.push_back(std::move(item));
    return result;
}

} // namespace raphe
