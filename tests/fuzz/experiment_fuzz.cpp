// SPDX-License-Identifier: Apache-2.0
#include "target.h"

#include "engine/document/json_reader.h"
#include "engine/graph/graph.h"
#include "engine/mechanisms/plugin_host.h"

using namespace raphe;

namespace {
const Registry& registry() {
    static PluginHost host;
    static const bool loaded = (host.loadFolder(PLUGIN_FOLDER), true);
    fuzz::check(loaded && !host.registry().keys().empty(), "no plugins were found");
    return host.registry();
}
} // namespace

/// Any document: what is accepted as an experiment must stay the same through its own JSON, and its graph must resolve
/// or be refused.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const auto experiment =
            experimentFromJson(parseJson(fuzz::textOf(data, size), "input"), registry(), "/nowhere");
        const auto document = experiment.toJson();
        fuzz::check(experimentFromJson(document, registry()).toJson() == document,
                    "an experiment changed when it was written and read");
        const Graph graph(experiment, registry());
    } catch (const Error&) {
    }
    return 0;
}
