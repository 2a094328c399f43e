// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/session.h"
#include "engine/mechanisms/plugin_host.h"

#include <string>
#include <utility>
#include <vector>

namespace raphe {

/// The present time, "2024-05-01T12:00:00Z".
std::string timeText();

/// By key: what a run, or a part of one that is resumed, is made with.
std::vector<std::pair<std::string, std::string>> provenanceOf(const Session& session, const PluginHost& plugins,
                                                              const Json& document);

} // namespace raphe
