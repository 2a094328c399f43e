// SPDX-License-Identifier: Apache-2.0
#include "target.h"

#include "engine/document/json_reader.h"
#include "raphe/error.h"

using namespace raphe;

/// What parses must be written and parsed again without a change.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const auto value = parseJson(fuzz::textOf(data, size), "input");
        fuzz::check(parseJson(value.dump(), "again") == value, "a document changed when it was written and read");
    } catch (const Error&) {
    }
    return 0;
}
