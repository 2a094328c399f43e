// SPDX-License-Identifier: Apache-2.0
#include "target.h"

#include "engine/document/json_reader.h"
#include "engine/document/json_writer.h"
#include "raphe/error.h"

using namespace raphe;

/// What parses must be written and parsed again without a change.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const auto value = parseJson(fuzz::textOf(data, size), "input");
        fuzz::check(parseJson(value.dump(), "again") == value, "a document changed when it was written and read");
        const auto written = documentText(value);
        fuzz::check(documentText(parseJson(written, "written")) == written,
                    "a document that was written in the layout of documents is written otherwise the next time");
    } catch (const Error&) {
    }
    return 0;
}
