// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/json_reader.h"

#include <filesystem>
#include <string>
#include <vector>

namespace raphe {

/// A file, or the name of an experiment that comes with Raphe.
std::filesystem::path findExperiment(const std::string& nameOrPath);

/// Where the document that a document in `folder` names as its "base" lies: beside it, or among those that come with
/// Raphe. @throws Error if there is none
std::filesystem::path findBase(const std::string& name, const std::filesystem::path& folder);

/// What a document states only through its "base", complete; an empty object if it extends none. @throws Error
Json baseOf(const Json& document, const std::filesystem::path& folder);
/// A document together with what baseOf() gave, as a JSON merge patch (RFC 7396).
Json extended(Json base, Json document);

/// The other way round: what the variant must state so that it gives `after`, when `authored` gave `before`. What it
/// states already stays where it is; new members come before the first that follows them in `after`.
Json revised(const Json& base, Json authored, const Json& before, const Json& after);
/// Puts a member before the first one that comes later in `order`; one that is there already is replaced.
void insertMember(Json& object, const std::string& key, Json value, const std::vector<std::string>& order);

/// The document that a file and those that it extends make together.
Json readExtended(const std::filesystem::path& path);

} // namespace raphe
