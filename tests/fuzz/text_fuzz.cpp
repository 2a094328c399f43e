// SPDX-License-Identifier: Apache-2.0
#include "target.h"

#include "engine/document/experiment.h"

using namespace raphe;

/// Interventions and addresses as users type them.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(fuzz::textOf(data, size));
    try {
        parseAddress(text, "input");
    } catch (const Error&) {
    }
    try {
        const auto intervention = parseIntervention(text);
        fuzz::check(interventionFromJson(toJson(intervention), "again") == intervention,
                    "an intervention changed when it was written and read");
    } catch (const Error&) {
    }
    return 0;
}
