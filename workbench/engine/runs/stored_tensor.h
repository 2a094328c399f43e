// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/tensor.h"
#include "engine/runs/sqlite.h"
#include "raphe/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace raphe::stored {

/// Of a tensor, as doubles.
constexpr std::uint64_t maxTensorBytes = std::uint64_t{4} << 30;

/// A piece of a tensor, as a row stores it.
struct Part {
    int precision = 64; ///< bits the numbers were computed in
    int width = 8;      ///< bytes a number has in the blob; 4 only where that is exact
    std::string shape;  ///< "3,4"; empty for a scalar
    std::int64_t bytes = 0;
    std::int64_t checksum = 0;
    std::string data; ///< zstd
};

/// A tensor in compressed pieces of at most 16 MiB.
/// @param key  what the parts belong to; part of the checksum, so that a part cannot stand in for another
/// @throws Error  it is too large, or its shape is not that of its values
std::vector<Part> encode(const std::string& place, const std::string& key, const Tensor& tensor);

/// Puts a tensor together from its parts, which may come from a damaged file.
class Decoder {
public:
    Decoder(const std::string& place, std::string key) : place_(place), key_(std::move(key)) {}

    /// @throws Error when the part is damaged or not the next one
    void add(std::int64_t index, const Part& part, std::string_view data);
    /// @throws Error when parts are missing
    Tensor finish();

private:
    Error damaged() const;
    void begin(const Part& part);

    const std::string& place_;
    std::string key_;
    Tensor tensor_;
    std::int64_t next_ = 0;
    int width_ = 8;
    std::uint64_t size_ = 0;
};

/// The columns precision, width, shape, bytes, checksum and data, from `first` on.
void bindPart(sqlite::Statement& statement, int first, const Part& part);
void addPart(Decoder& decoder, const sqlite::Statement& row, std::int64_t index, int first);

} // namespace raphe::stored
