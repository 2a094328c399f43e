// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace raphe {

/// Copies a run so that the copy can be gone on with, for `iterations` in all; the original stays as it is. The copy
/// says in its provenance what it was made from. A run that is being written is copied as it was committed last.
/// @throws Error if the run has stages, which say how long they take, or has done more iterations already
void copyRun(const std::filesystem::path& from, const std::filesystem::path& to, int iterations);

} // namespace raphe
