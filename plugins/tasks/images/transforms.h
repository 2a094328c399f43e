// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace raphe {

/// Turns an image about its centre, bilinearly, with zeros outside: the output at (row r, column c), seen from the
/// centre as y and x, reads the input at column cos x + sin y, row -sin x + cos y. Values are multiplied by `factor`.
template <class T, class From>
void turn(const From* from, int rows, int columns, double angle, T factor, T* to) {
    // With a border of zeros there are no edges to ask for: a place is moved into the border before it is read.
    const int width = columns + 3;
    thread_local std::vector<T> padded;
    padded.assign(static_cast<std::size_t>((rows + 3) * width), T(0));
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < columns; ++c)
            padded[static_cast<std::size_t>((r + 1) * width + c + 1)] = static_cast<T>(from[r * columns + c]);
    const T cosine = static_cast<T>(std::cos(angle)), sine = static_cast<T>(std::sin(angle));
    const T middleRow = T(rows - 1) / 2, middleColumn = T(columns - 1) / 2;
    const T lastRow = static_cast<T>(rows + 1), lastColumn = static_cast<T>(columns + 1);
    for (int r = 0; r < rows; ++r) {
        const T y = static_cast<T>(r) - middleRow;
        // Places are counted in the padded image, whose first row and column are zero.
        const T column0 = sine * y + middleColumn + 1, row0 = cosine * y + middleRow + 1;
        for (int c = 0; c < columns; ++c) {
            const T x = static_cast<T>(c) - middleColumn;
            const T u = std::min(std::max(column0 + cosine * x, T(0)), lastColumn),
                    v = std::min(std::max(row0 - sine * x, T(0)), lastRow);
            const int i = static_cast<int>(v), j = static_cast<int>(u);
            const T a = v - static_cast<T>(i), b = u - static_cast<T>(j);
            const T* p = padded.data() + i * width + j;
            const T above = p[0] + b * (p[1] - p[0]), below = p[width] + b * (p[width + 1] - p[width]);
            to[r * columns + c] = factor * (above + a * (below - above));
        }
    }
}

template <class T>
void toFractions(const std::uint8_t* from, int count, T* to) {
    for (int i = 0; i < count; ++i) to[i] = static_cast<T>(from[i]) / T(255);
}

/// Shifts rows cyclically: column c reads column c - by.
template <class T>
void shiftColumns(T* image, int rows, int columns, int by) {
    const int start = ((-by) % columns + columns) % columns;
    for (int r = 0; r < rows; ++r)
        std::rotate(image + r * columns, image + r * columns + start, image + (r + 1) * columns);
}

/// Means of squares of `by` x `by` pixels, in place.
template <class T>
void pool(T* image, int rows, int columns, int by) {
    const int across = columns / by;
    for (int r = 0; r < rows / by; ++r)
        for (int c = 0; c < across; ++c) {
            T sum = 0;
            for (int i = 0; i < by; ++i)
                for (int j = 0; j < by; ++j) sum += image[(r * by + i) * columns + c * by + j];
            image[r * across + c] = sum / static_cast<T>(by * by); // never beyond what has been read
        }
}

} // namespace raphe
