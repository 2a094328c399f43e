// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/json_reader.h"
#include "engine/editing/located_problems.h"

#include <string>
#include <vector>

namespace raphe {

class Document;

/// A remedy for a problem: commands that take it away, one after the other; or, where something has to be chosen first,
/// what to look for among the mechanisms.
struct Fix {
    std::string title; ///< "Remove the wire"
    std::vector<Json> commands;
    std::string search; ///< "rule." if there are no commands

    bool isChoice() const { return commands.empty(); }
    /// All of it as one command. @pre it is no choice
    Json command() const;
};

/// The pattern that may have been meant by one that matches no tensor: all tensors of a node, or one of them. Empty:
/// none is close.
std::string likelyPattern(const Document& document, const std::string& pattern);

/// What might help, the likeliest first. Not tried; see Document::fixes().
std::vector<Fix> possibleFixes(const Document& document, const LocatedProblem& problem);

} // namespace raphe
