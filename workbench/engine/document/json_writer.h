// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/json_reader.h"

#include <string>

namespace raphe {

/// A document as the experiments that come with Raphe are written: known fields in a set order, nodes and parameters
/// one to a line, items of lists and positions on one line each. Nodes, parameters and lists keep their order, which
/// means something. The text of what is read from such a text is the same text.
std::string documentText(const Json& document);

} // namespace raphe
