// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/stored_tensor.h"

#include "engine/runs/hash.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <system_error>

static_assert(std::endian::native == std::endian::little, "blobs hold numbers as the machine does");

namespace raphe::stored {
namespace {

constexpr std::size_t partBytes = std::size_t{16} << 20;

std::int64_t checksumOf(const std::string& key, std::int64_t index, const Part& part, std::string_view data) {
    return Hash()
        .add(key)
        .add(index)
        .add(std::int64_t{part.precision})
        .add(std::int64_t{part.width})
        .add(part.shape)
        .add(part.bytes)
        .add(data)
        .low();
}

bool fitsFloat(double value) {
    return std::bit_cast<std::uint64_t>(static_cast<double>(static_cast<float>(value))) ==
           std::bit_cast<std::uint64_t>(value);
}

} // namespace

std::vector<Part> encode(const std::string& place, const std::string& key, const Tensor& tensor) {
    std::string shape;
    std::uint64_t size = 1;
    for (const auto extent : tensor.shape) {
        if (extent < 0 || (extent > 0 && size > maxTensorBytes / static_cast<std::uint64_t>(extent)))
            throw Error(place, fmt::format("the shape of {} is too large; record or store less of it", key));
        size *= static_cast<std::uint64_t>(extent);
        shape += fmt::format("{}{}", shape.empty() ? "" : ",", extent);
    }
    if (size != tensor.values.size() || size * 8 > maxTensorBytes)
        throw Error(
            place,
            fmt::format(
                "{} has {} values, expected the {} of its shape and at most {} bytes; record or store less of it", key,
                tensor.values.size(), size, maxTensorBytes));
    const bool narrow =
        tensor.precision == Precision::float32 && std::all_of(tensor.values.begin(), tensor.values.end(), fitsFloat);
    Part part;
    part.precision = tensor.precision == Precision::float32 ? 32 : 64;
    part.width = narrow ? 4 : 8;
    part.shape = std::move(shape);

    const auto perPart = partBytes / static_cast<std::size_t>(part.width);
    std::vector<Part> parts;
    std::string raw;
    for (std::size_t first = 0; first == 0 || first < tensor.values.size(); first += perPart) {
        const auto count = std::min(perPart, tensor.values.size() - first);
        raw.resize(count * static_cast<std::size_t>(part.width));
        for (std::size_t i = 0; narrow && i < count; ++i) {
            const auto value = static_cast<float>(tensor.values[first + i]);
            std::memcpy(raw.data() + i * sizeof(float), &value, sizeof(float));
        }
        if (!narrow && count > 0) std::memcpy(raw.data(), tensor.values.data() + first, raw.size());
        auto& stored = parts.emplace_back(part);
        stored.bytes = static_cast<std::int64_t>(raw.size());
        stored.data.resize(ZSTD_compressBound(raw.size()));
        const auto length = ZSTD_compress(stored.data.data(), stored.data.size(), raw.data(), raw.size(), 1);
        if (ZSTD_isError(length))
            throw Error(place,
                        fmt::format("{} cannot be compressed ({}); free some memory", key, ZSTD_getErrorName(length)));
        stored.data.resize(length);
        stored.data.shrink_to_fit();
        stored.checksum = checksumOf(key, static_cast<std::int64_t>(parts.size()) - 1, stored, stored.data);
    }
    return parts;
}

void Decoder::add(std::int64_t index, const Part& part, std::string_view data) {
    if (index != next_ || checksumOf(key_, index, part, data) != part.checksum) throw damaged();
    if (next_++ == 0) begin(part);
    // The checksum proves that we wrote the row, not that nobody meant harm: sizes are checked all the same.
    if (part.width != width_ || part.bytes < 0 || part.bytes > static_cast<std::int64_t>(partBytes) ||
        part.bytes % width_ != 0 || tensor_.values.size() + static_cast<std::size_t>(part.bytes / width_) > size_ ||
        ZSTD_getFrameContentSize(data.data(), data.size()) != static_cast<unsigned long long>(part.bytes))
        throw damaged();
    std::string raw(static_cast<std::size_t>(part.bytes), '\0');
    if (ZSTD_decompress(raw.data(), raw.size(), data.data(), data.size()) != raw.size()) throw damaged();
    const auto width = static_cast<std::size_t>(width_);
    for (std::size_t at = 0; at < raw.size(); at += width) {
        double wide = 0;
        float narrow = 0;
        if (width_ == 8)
            std::memcpy(&wide, raw.data() + at, 8);
        else
            std::memcpy(&narrow, raw.data() + at, 4), wide = narrow;
        tensor_.values.push_back(wide);
    }
}

Tensor Decoder::finish() {
    if (next_ == 0 || tensor_.values.size() != size_) throw damaged();
    return std::move(tensor_);
}

Error Decoder::damaged() const {
    return {place_, key_ + " is damaged; use an earlier checkpoint or a copy of the run"};
}

void Decoder::begin(const Part& part) {
    width_ = part.width;
    if ((width_ != 4 && width_ != 8) || (part.precision != 32 && part.precision != 64)) throw damaged();
    tensor_.precision = part.precision == 32 ? Precision::float32 : Precision::float64;
    std::uint64_t size = 1;
    const char* at = part.shape.data();
    const char* const end = at + part.shape.size();
    while (at != end) {
        std::int64_t extent = 0;
        const auto [rest, error] = std::from_chars(at, end, extent);
        if (error != std::errc{} || extent < 0 ||
            (extent > 0 && size > maxTensorBytes / static_cast<std::uint64_t>(extent)))
            throw damaged();
        size *= static_cast<std::uint64_t>(extent);
        tensor_.shape.push_back(extent);
        at = rest;
        if (at != end && (*at++ != ',' || at == end)) throw damaged();
    }
    if (size * 8 > maxTensorBytes) throw damaged();
    size_ = size;
}

void bindPart(sqlite::Statement& statement, int first, const Part& part) {
    statement.bind(first, std::int64_t{part.precision})
        .bind(first + 1, std::int64_t{part.width})
        .bind(first + 2, part.shape);
    statement.bind(first + 3, part.bytes).bind(first + 4, part.checksum).bindBlob(first + 5, part.data);
}

void addPart(Decoder& decoder, const sqlite::Statement& row, std::int64_t index, int first) {
    Part part;
    part.precision = static_cast<int>(row.integer(first));
    part.width = static_cast<int>(row.integer(first + 1));
    part.shape = row.text(first + 2);
    part.bytes = row.integer(first + 3);
    part.checksum = row.integer(first + 4);
    decoder.add(index, part, row.blob(first + 5));
}

} // namespace raphe::stored
