// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace raphe {

/// A square maze of size x size cells, size odd: a border of walls, pillars in the interior cells whose row and column
/// are both even (counted from 0), and a free centre. A cell is its row * size + its column.
class Maze {
public:
    explicit Maze(int size) : size_(size), wall_(static_cast<std::size_t>(size) * static_cast<std::size_t>(size)) {
        for (int r = 0; r < size; ++r)
            for (int c = 0; c < size; ++c) {
                const bool border = r == 0 || c == 0 || r == size - 1 || c == size - 1;
                const bool pillar = r % 2 == 0 && c % 2 == 0;
                wall_[at(cell(r, c))] = border || (pillar && cell(r, c) != centre());
            }
        for (int i = 0; i < size * size; ++i)
            if (!isWall(i)) free_.push_back(i);
    }

    int size() const { return size_; }
    int cell(int row, int column) const { return row * size_ + column; }
    int row(int cell) const { return cell / size_; }
    int column(int cell) const { return cell % size_; }
    int centre() const { return cell(size_ / 2, size_ / 2); }
    bool isWall(int cell) const { return wall_[at(cell)]; }
    const std::vector<int>& freeCells() const { return free_; }

    static constexpr int moves = 4; ///< up, down, left, right
    /// The cell in that direction, which may be a wall. @pre `cell` is free
    int beyond(int cell, int move) const {
        const std::array<int, moves> steps{-size_, size_, -1, 1};
        return cell + steps[at(move)];
    }

    /// One of the free cells other than one or two, uniformly. @param except  free cells, which may be the same
    template <class Stream>
    int draw(Stream& random, int except, int exceptToo) const {
        const auto left = free_.size() - (except == exceptToo ? 1 : 2);
        auto number = random.integer(static_cast<unsigned>(left));
        for (int cell : free_)
            if (cell != except && cell != exceptToo && number-- == 0) return cell;
        return centre();
    }

private:
    static std::size_t at(int i) { return static_cast<std::size_t>(i); }

    int size_;
    std::vector<bool> wall_;
    std::vector<int> free_;
};

} // namespace raphe
