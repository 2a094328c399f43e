// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace raphe {

/// Images with labels: bytes, 0 the background and 255 ink, row by row.
struct ImageSet {
    int count = 0, rows = 0, columns = 0, classes = 0;
    std::vector<std::uint8_t> pixels;
    std::vector<std::uint8_t> labels;

    int size() const { return rows * columns; }
    const std::uint8_t* image(int i) const {
        return pixels.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(size());
    }
};

/// The images of a source, read once in a process and shared by all who ask for them.
/// @param source  "strokes": drawn here; "mnist": the folder mnist below the one that RAPHE_DATA_DIR names
/// @param test    of its two parts the one for tests
/// @param count   so many are needed, at least; the file of mnist is always read as a whole
/// @throws Error that says what is missing and where to get it
std::shared_ptr<const ImageSet> imageSet(const std::string& source, bool test, int count);

/// Reads one part of MNIST from a folder. @throws Error
ImageSet readMnist(const std::string& folder, bool test);

} // namespace raphe
