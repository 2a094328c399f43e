// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/graph_search.h"

#include <QString>

#include <algorithm>
#include <array>

namespace raphe {

std::vector<GraphHit> searchGraph(const CanvasGraph& graph, const std::string& words) {
    const QString wanted = QString::fromStdString(words).trimmed();
    if (wanted.isEmpty()) return {};
    std::array<std::vector<GraphHit>, 4> ranks;
    const auto in = [&](const std::string& text) {
        return QString::fromStdString(text).indexOf(wanted, 0, Qt::CaseInsensitive);
    };
    for (const auto& node : graph.nodes) {
        const auto at = in(node.name);
        if (at >= 0)
            ranks[at == 0 ? 0 : 1].push_back({node.name, {}});
        else if (in(node.mechanism) >= 0)
            ranks[2].push_back({node.name, {}});
        for (const auto& port : node.ports) // "agent.hidden" finds the port, too
            if (in(port.name) >= 0 || (wanted.contains('.') && in(node.name + "." + port.name) >= 0))
                ranks[3].push_back({node.name, port.name});
    }
    std::vector<GraphHit> hits;
    for (const auto& rank : ranks) hits.insert(hits.end(), rank.begin(), rank.end());
    return hits;
}

} // namespace raphe
