// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/json_reader.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace raphe {

/// A member or an item that differs between two documents, the order of members included.
struct Change {
    Json at;              ///< where it stands: a list of keys and of numbers in lists; empty: the whole document
    std::size_t position; ///< among the members of an object
    std::optional<Json> before, after; ///< nothing: it is not there

    /// "nodes.agent.params.hidden", "wires[3]"
    std::string place() const;
};

/// What leads from one document to another, step by step. Data, and so is its inverse.
using Patch = std::vector<Change>;

/// Whether two values are written alike: 1 is not 1.0, and the order of members counts.
bool identical(const Json& a, const Json& b);
Patch difference(const Json& before, const Json& after);
/// @pre the document is the one that the patch leads from
void applyPatch(const Patch& patch, Json& document);
Patch inverse(const Patch& patch);

Json toJson(const Patch& patch);
/// @throws Error at `place`
Patch patchFromJson(const Json& value, const std::string& place);

} // namespace raphe
