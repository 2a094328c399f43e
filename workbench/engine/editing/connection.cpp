// SPDX-License-Identifier: Apache-2.0
#include "engine/editing/document.h"
#include "engine/editing/draft.h"
#include "engine/graph/graph.h"

#include <fmt/format.h>

namespace raphe {

namespace {

const char* plural(int count) { return count == 1 ? "" : "s"; }

/// Sizes: what the wire brings must fit into what the port still takes.
Connection fit(const Graph& graph, const Address& from, const Address& to) {
    const auto sizeOf = [&](const Address& address, bool declared) {
        const auto& node = graph.nodes()[static_cast<std::size_t>(graph.node(address.node))];
        const auto port = static_cast<std::size_t>(node.declaration().port(address.port));
        return declared ? node.declaration().ports[port].size(node.params) : node.portSizes[port];
    };
    const int brought = sizeOf(from, false), taken = sizeOf(to, true);
    for (const auto& [address, size] : {std::pair{from, brought}, std::pair{to, taken}})
        if (size == noPort)
            return {fmt::format("{} does not exist for these parameters; change them first", address.text()), {}};
    if (taken == openSize) return {};
    int wired = 0;
    for (const auto& wire : graph.wires()) {
        const auto& node = graph.nodes()[static_cast<std::size_t>(wire.toNode)];
        if (node.name == to.node && node.declaration().port(to.port) == wire.toPort) wired += wire.size;
    }
    if (wired >= taken)
        return {fmt::format("{} is occupied: it takes {} unit{}, and {} {} wired to it; remove a wire first", to.text(),
                            taken, plural(taken), wired, wired == 1 ? "is" : "are"),
                {}};
    if (wired + brought > taken)
        return {fmt::format("{} takes {} unit{}, but {} has {}{}", to.text(), taken, plural(taken), from.text(),
                            brought, wired > 0 ? fmt::format(", and {} are wired to it already", wired) : ""),
                {}};
    if (wired + brought < taken)
        return {{}, fmt::format("{} takes {} units; with this wire it has {}", to.text(), taken, wired + brought)};
    return {};
}

} // namespace

Connection Document::canConnect(const std::string& fromText, const std::string& toText) const {
    Draft draft{complete_, experiment(), registry_, base()};
    try {
        const auto from = draft.port(fromText, true), to = draft.port(toText, false);
        if (draft.declaration(from.node).kind == Kind::rule)
            return {"a learning rule sends no signals to other nodes", {}};
        commandNamed("connect").run(draft, {{"command", "connect"}, {"from", fromText}, {"to", toText}});
        Problems ignored;
        auto connection = fit(Graph(experiment(), registry_, ignored), from, to);
        if (!connection.fits()) return connection;
        auto wired = experiment();
        wired.wires.push_back({from, to, std::nullopt});
        const Graph graph(wired, registry_, ignored);
        if (!graph.wires().empty() && graph.wires().back().delayed) {
            const char* note = "delivers the value of the previous step, because it closes a cycle or the output is "
                               "written at the end of a step";
            connection.note = connection.note.empty() ? note : connection.note + "; " + note;
        }
        return connection;
    } catch (const Error& error) {
        return {error.what(), {}};
    }
}

} // namespace raphe
