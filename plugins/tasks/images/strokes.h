// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "image_sets.h"

namespace raphe {

/// Digits drawn with a pen, each in its own hand: slant, size, place, width of the stroke and every corner of its line
/// vary. 28 x 28 pixels. The first images of a larger set are those of a smaller one.
/// @param test  digits that differ from those of the training set
ImageSet drawDigits(int count, bool test);

} // namespace raphe
