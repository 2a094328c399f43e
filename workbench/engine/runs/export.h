// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/tensor.h"

#include <filesystem>
#include <string>
#include <vector>

namespace raphe {

/// Numbers by row and column, e.g. the metrics of every iteration. NaN where a row has no value.
struct Table {
    std::string name;
    std::vector<std::string> columns;
    std::vector<std::vector<double>> rows; ///< each as long as `columns`
};

/// Writes for other programs, by the extension of `path`; the layouts are in resources/docs/file-formats.md. Each file
/// appears complete or not at all. NaN and infinities are written as they are.
///   .npz         everything in one archive; a column of a table is the array TABLE/COLUMN
///   .h5 .hdf5    everything in one file; dots in names become groups
///   .csv         the first table; further tables and all tensors go to files STEM.NAME.csv beside it. A tensor that is
///                alone goes to `path` itself
/// @return the files written
/// @throws Error
std::vector<std::filesystem::path> exportTensors(const std::filesystem::path& path,
                                                 const std::vector<NamedTensor>& tensors,
                                                 const std::vector<Table>& tables = {});

} // namespace raphe
