// SPDX-License-Identifier: Apache-2.0
#include "engine/editing/document.h"
#include "engine/editing/draft.h"
#include "engine/graph/graph.h"

#include <fmt/format.h>

#include <algorithm>

namespace raphe {

namespace {

const char* plural(int count) { return count == 1 ? "" : "s"; }

/// Tries wires on a document, each for itself.
class WireTrial {
public:
    WireTrial(const Json& complete, const Experiment& experiment, const Registry& registry, const Json& base)
        : experiment_(experiment), registry_(registry), draft_{complete, experiment, registry, base},
          graph_(experiment, registry, ignored_) {}

    /// @param thoroughly  says what the wire would do, too
    Connection judge(const std::string& fromText, const std::string& toText, bool thoroughly) {
        try {
            draft_.list("wires");
            const auto from = draft_.port(fromText, true), to = draft_.port(toText, false);
            if (draft_.declaration(from.node).kind == Kind::rule)
                return {"a learning rule sends no signals to other nodes", {}};
            if (std::any_of(experiment_.wires.begin(), experiment_.wires.end(),
                            [&](const WireSpec& wire) { return wire.from == from && wire.to == to; }))
                return {wireIsThere(from, to), {}};
            auto connection = fit(from, to);
            const bool late = port(from).read == Read::end;
            return connection.fits() && (thoroughly || late) ? inTime(from, to, std::move(connection)) : connection;
        } catch (const Error& error) {
            return {error.what(), {}};
        }
    }

private:
    const GraphNode& node(const std::string& name) const {
        return graph_.nodes()[static_cast<std::size_t>(graph_.node(name))];
    }
    const PortInfo& port(const Address& address) const {
        const auto& declaration = node(address.node).declaration();
        return declaration.ports[static_cast<std::size_t>(declaration.port(address.port))];
    }

    /// Sizes: what the wire brings must fit into what the port still takes.
    Connection fit(const Address& from, const Address& to) const {
        const auto& source = node(from.node);
        const int brought = source.portSizes[static_cast<std::size_t>(source.declaration().port(from.port))],
                  taken = port(to).size(node(to.node).params);
        for (const auto& [address, size] : {std::pair{from, brought}, std::pair{to, taken}})
            if (size == noPort)
                return {fmt::format("{} does not exist for these parameters; change them first", address.text()), {}};
        if (taken == openSize) return {};
        int wired = 0;
        for (const auto& wire : graph_.wires()) {
            const auto& target = graph_.nodes()[static_cast<std::size_t>(wire.toNode)];
            if (target.name == to.node && target.declaration().port(to.port) == wire.toPort) wired += wire.size;
        }
        if (wired >= taken)
            return {fmt::format("{} is occupied: it takes {} unit{}, and {} {} wired to it; remove a wire first",
                                to.text(), taken, plural(taken), wired, wired == 1 ? "is" : "are"),
                    {}};
        if (wired + brought > taken)
            return {
                fmt::format(
                    "{} takes {} unit{}, but {} has {}{}", to.text(), taken, plural(taken), from.text(), brought,
                    wired == 0 ? "" : fmt::format(", and {} {} wired to it already", wired, wired == 1 ? "is" : "are")),
                {}};
        if (wired + brought < taken)
            return {{},
                    fmt::format("{} takes {} units; with this wire it has {}, and needs other wires for the rest",
                                to.text(), taken, wired + brought),
                    taken - wired - brought};
        return {};
    }

    /// When the wire would deliver, and whether it can.
    Connection inTime(const Address& from, const Address& to, Connection connection) const {
        auto wired = experiment_;
        wired.wires.push_back({from, to, std::nullopt});
        Problems found;
        const Graph graph(wired, registry_, found);
        const auto place = fmt::format("wires[{}] ({} -> {}): ", wired.wires.size() - 1, from.text(), to.text());
        for (const auto& line : found.lines()) // what a port takes has been looked at
            if (line.starts_with(place) && !line.substr(place.size()).starts_with(to.text() + " takes "))
                return {line.substr(place.size()), {}};
        if (!graph.wires().empty() && graph.wires().back().delayed) {
            const char* note = "delivers the value of the previous step, because it closes a cycle or the output is "
                               "written at the end of a step";
            connection.note = connection.note.empty() ? note : connection.note + "; " + note;
        }
        return connection;
    }

    const Experiment& experiment_;
    const Registry& registry_;
    Draft draft_;
    Problems ignored_;
    const Graph graph_;
};

} // namespace

Connection Document::canConnect(const std::string& from, const std::string& to) const {
    return WireTrial(complete_, experiment(), registry_, base()).judge(from, to, true);
}

std::vector<Connection> Document::canConnect(const std::vector<std::pair<std::string, std::string>>& ends) const {
    WireTrial trial(complete_, experiment(), registry_, base());
    std::vector<Connection> connections;
    for (const auto& [from, to] : ends) connections.push_back(trial.judge(from, to, false));
    return connections;
}

} // namespace raphe
