// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"

#include <string>

namespace raphe {

/// A declaration as JSON: name, version, summary, citation, manual, params, ports, tensors.
Json describeJson(const DeclarationData& declaration);
/// The same for people, as plain text.
std::string describeText(const DeclarationData& declaration);
/// The same as a page of the reference, in Markdown.
std::string describeMarkdown(const DeclarationData& declaration);
/// The whole reference: all mechanisms of a registry by kind.
std::string referenceMarkdown(const Registry& registry);

} // namespace raphe
