// SPDX-License-Identifier: Apache-2.0
#include "engine/base/npz.h"

#include "engine/base/files.h"
#include "engine/base/npy_header.h"
#include "raphe/error.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <ctime>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

static_assert(std::endian::native == std::endian::little, "NPZ arrays are written as the machine holds them");

namespace raphe {
namespace {

using npy::shown;

constexpr std::size_t maxHeader = 64 * 1024;
constexpr std::uint64_t maxDeflateRatio = 1100; // deflate cannot do better than 1032 to 1

struct DiscardZip {
    void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseEntry {
    void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};
using Archive = std::unique_ptr<zip_t, DiscardZip>;
using Entry = std::unique_ptr<zip_file_t, CloseEntry>;

/// Why a name cannot be an entry, or null. Names become paths when somebody unpacks the archive.
const char* unsafeName(std::string_view name) {
    if (name.empty()) return "is empty";
    if (name.size() > 1024) return "is longer than 1024 bytes";
    for (const unsigned char c : name)
        if (c < 0x20 || c == 0x7f || c == '\\' || c == ':') return "has a character that is not safe in a file name";
    for (std::size_t first = 0; first <= name.size();) {
        const auto slash = std::min(name.find('/', first), name.size());
        const auto part = name.substr(first, slash - first);
        if (part.empty() || part == "." || part == "..") return "is not a plain relative path";
        first = slash + 1;
    }
    return nullptr;
}

/// Product of extents, or nothing if it exceeds `most`.
std::optional<std::uint64_t> product(const std::vector<std::int64_t>& shape, std::uint64_t most) {
    std::uint64_t result = 1;
    for (const auto extent : shape) {
        if (extent < 0) return std::nullopt;
        if (extent == 0) return 0;
    }
    for (const auto extent : shape) {
        if (static_cast<std::uint64_t>(extent) > most / result) return std::nullopt;
        result *= static_cast<std::uint64_t>(extent);
    }
    return result;
}

// ---- writing

std::string npyBytes(const Tensor& tensor) {
    auto bytes = npy::headerOf(tensor);
    const auto start = bytes.size();
    if (tensor.precision == Precision::float64) {
        bytes.resize(start + tensor.values.size() * sizeof(double));
        if (!tensor.values.empty())
            std::memcpy(bytes.data() + start, tensor.values.data(), tensor.values.size() * sizeof(double));
    } else {
        bytes.resize(start + tensor.values.size() * sizeof(float));
        for (std::size_t i = 0; i < tensor.values.size(); ++i) {
            const auto value = static_cast<float>(tensor.values[i]);
            std::memcpy(bytes.data() + start + i * sizeof(float), &value, sizeof(float));
        }
    }
    return bytes;
}

void checkTensor(const std::string& place, const NamedTensor& named, NonFinite nonFinite) {
    if (const auto* why = unsafeName(named.name))
        throw Error(place, fmt::format("the tensor name {} {}; rename the tensor", shown(named.name), why));
    const auto& tensor = named.tensor;
    if (tensor.shape.size() > NpzLimits{}.extents)
        throw Error(place, fmt::format("tensor {} has {} dimensions; reshape it to at most 32", shown(named.name),
                                       tensor.shape.size()));
    const auto size = product(tensor.shape, std::numeric_limits<std::int64_t>::max());
    if (!size || *size != tensor.values.size())
        throw Error(place, fmt::format("tensor {} has {} values, which its shape does not; give one value an entry",
                                       shown(named.name), tensor.values.size()));
    if (nonFinite == NonFinite::allow) return;
    for (std::size_t i = 0; i < tensor.values.size(); ++i) {
        const double stored =
            tensor.precision == Precision::float32 ? static_cast<float>(tensor.values[i]) : tensor.values[i];
        if (!std::isfinite(stored))
            throw Error(place,
                        fmt::format("tensor {} holds {} at index {}; replace it by a finite number before saving",
                                    shown(named.name), stored, i));
    }
}

// ---- reading

/// One entry of an archive, read strictly forward.
class EntryReader {
public:
    EntryReader(zip_t* archive, zip_uint64_t index, std::uint64_t size, std::string place)
        : place_(std::move(place)), entry_(zip_fopen_index(archive, index, 0)), left_(size) {
        if (!entry_)
            throw Error(place_, fmt::format("cannot be opened ({}); save the archive again", zip_strerror(archive)));
    }
    void read(void* target, std::size_t count) {
        if (count > left_) throw Error(place_, "ends too early; save the archive again");
        auto* bytes = static_cast<char*>(target);
        for (std::size_t done = 0; done < count;) {
            const auto got = zip_fread(entry_.get(), bytes + done, count - done);
            if (got <= 0) throw damaged();
            done += static_cast<std::size_t>(got);
        }
        left_ -= count;
    }
    /// Reading past the end makes libzip compare the checksum.
    void finish() {
        char extra = 0;
        if (zip_fread(entry_.get(), &extra, 1) != 0) throw damaged();
    }
    std::uint64_t left() const { return left_; }
    const std::string& place() const { return place_; }

private:
    Error damaged() const {
        return {place_, fmt::format("is damaged ({}); save the archive again",
                                    zip_error_strerror(zip_file_get_error(entry_.get())))};
    }

    std::string place_;
    Entry entry_;
    std::uint64_t left_;
};

npy::Header readHeader(EntryReader& entry, const NpzLimits& limits) {
    std::array<unsigned char, 8> start{};
    entry.read(start.data(), start.size());
    if (std::memcmp(start.data(), npy::magic.data(), npy::magic.size()) != 0)
        throw Error(entry.place(), "is not a .npy array; save it with numpy.savez");
    const int major = start[6];
    if (major < 1 || major > 3 || start[7] != 0)
        throw Error(entry.place(),
                    fmt::format("has the .npy version {}.{}, expected 1.0 to 3.0; save it again with numpy.savez",
                                major, start[7]));
    std::array<unsigned char, 4> lengthBytes{};
    entry.read(lengthBytes.data(), major == 1 ? 2 : 4);
    std::uint32_t length = 0;
    std::memcpy(&length, lengthBytes.data(), 4);
    if (length > maxHeader)
        throw Error(entry.place(),
                    fmt::format("has a header of {} bytes, expected at most {}; save it again with numpy.savez", length,
                                maxHeader));
    std::string text(std::min<std::uint64_t>(length, entry.left() + 1), '\0'); // one too many: read() explains
    entry.read(text.data(), text.size());
    return npy::parseHeader(text, entry.place(), limits.extents);
}

template <class T>
T decode(const char* bytes) {
    T value;
    std::memcpy(&value, bytes, sizeof(T));
    return value;
}

double decodeValue(const npy::Type& type, const char* bytes, std::uint64_t index, const std::string& place) {
    double value = 0;
    if (type.name == "<f4")
        value = decode<float>(bytes);
    else if (type.name == "<f8")
        value = decode<double>(bytes);
    else if (type.name == "<i4")
        value = decode<std::int32_t>(bytes);
    else if (type.name == "<i8") {
        const auto integer = decode<std::int64_t>(bytes);
        constexpr std::int64_t exact = std::int64_t{1} << 53;
        if (integer > exact || integer < -exact)
            throw Error(
                place,
                fmt::format("holds an integer beyond 2^53 at index {}; a double cannot hold it, so scale it", index));
        value = static_cast<double>(integer);
    } else {
        if (*bytes != 0 && *bytes != 1)
            throw Error(place,
                        fmt::format("holds a byte that is neither true nor false at index {}; save it again", index));
        value = *bytes;
    }
    if (!std::isfinite(value))
        throw Error(place, fmt::format("holds {} at index {}; replace it by a finite number", value, index));
    return value;
}

/// From Fortran order (first index fastest) to C order (last index fastest).
std::vector<double> toRowMajor(const std::vector<double>& values, const std::vector<std::int64_t>& shape) {
    std::vector<double> result(values.size());
    std::vector<std::int64_t> index(shape.size(), 0);
    for (const auto value : values) {
        std::int64_t offset = 0;
        for (std::size_t d = 0; d < shape.size(); ++d) offset = offset * shape[d] + index[d];
        result[static_cast<std::size_t>(offset)] = value;
        for (std::size_t d = 0; d < shape.size() && ++index[d] == shape[d]; ++d) index[d] = 0;
    }
    return result;
}

Tensor readTensor(EntryReader& entry, std::uint64_t& budget, const NpzLimits& limits) {
    auto header = readHeader(entry, limits);
    const auto count = product(header.shape, entry.left() / header.type->width);
    if (!count || *count * header.type->width != entry.left())
        throw Error(
            entry.place(),
            fmt::format("the shape in its header does not fit the {} bytes that follow; save it again", entry.left()));
    if (*count > budget / sizeof(double))
        throw Error(entry.place(),
                    fmt::format("all tensors together exceed {} bytes in memory; split the archive", limits.bytes));
    budget -= *count * sizeof(double);

    Tensor tensor;
    tensor.precision = header.type->precision;
    tensor.values.reserve(*count);
    const auto width = header.type->width;
    std::string block(std::min<std::uint64_t>(*count, 128 * 1024) * width, '\0');
    while (tensor.values.size() < *count) {
        const auto values = std::min<std::uint64_t>(block.size() / width, *count - tensor.values.size());
        entry.read(block.data(), values * width);
        for (std::uint64_t i = 0; i < values; ++i)
            tensor.values.push_back(
                decodeValue(*header.type, block.data() + i * width, tensor.values.size(), entry.place()));
    }
    entry.finish();
    if (header.fortranOrder && header.shape.size() > 1) tensor.values = toRowMajor(tensor.values, header.shape);
    tensor.shape = std::move(header.shape);
    return tensor;
}

std::string openError(int code) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    std::string text = zip_error_strerror(&error);
    zip_error_fini(&error);
    return text;
}

} // namespace

void writeNpz(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors, NonFinite nonFinite) {
    const auto place = path.string();
    std::set<std::string> names;
    std::uint64_t total = 0;
    for (const auto& named : tensors) {
        checkTensor(place, named, nonFinite);
        if (!names.insert(named.name).second)
            throw Error(place, fmt::format("two tensors are called {}; rename one", shown(named.name)));
        total += named.tensor.values.size() * sizeof(double);
    }
    if (total > NpzLimits{}.bytes || tensors.size() > NpzLimits{}.entries)
        throw Error(place, fmt::format("{} tensors of {} bytes are more than an archive may hold; save fewer at a time",
                                       tensors.size(), total));

    AtomicFile file(path);
    const auto failed = [&](zip_t* archive) {
        return Error(place, fmt::format("cannot be written ({}); check the disk and try again", zip_strerror(archive)));
    };
    int code = 0;
    // Declared before the archive: libzip reads the contents when it closes the archive.
    std::vector<std::string> contents;
    contents.reserve(tensors.size());
    Archive archive(zip_open(file.temporary().c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
    if (!archive)
        throw Error(place, fmt::format("cannot be written ({}); check the disk and try again", openError(code)));
    std::tm day{};
    day.tm_year = 80; // the first day that a ZIP file can express, so that equal tensors give equal files
    day.tm_mday = 1;
    day.tm_isdst = -1;
    const auto time = std::mktime(&day);
    for (const auto& named : tensors) {
        const auto& bytes = contents.emplace_back(npyBytes(named.tensor));
        auto* source = zip_source_buffer(archive.get(), bytes.data(), bytes.size(), 0);
        if (!source) throw failed(archive.get());
        const auto index = zip_file_add(archive.get(), (named.name + ".npy").c_str(), source, ZIP_FL_ENC_UTF_8);
        if (index < 0) {
            zip_source_free(source);
            throw failed(archive.get());
        }
        const auto entry = static_cast<zip_uint64_t>(index);
        if (zip_set_file_compression(archive.get(), entry, ZIP_CM_STORE, 0) != 0 ||
            zip_file_set_mtime(archive.get(), entry, time, 0) != 0)
            throw failed(archive.get());
    }
    if (tensors.empty()) {
        // libzip deletes an archive without entries; an empty one is 22 bytes.
        archive.reset();
        writeAtomically(path, std::string("PK\x05\x06", 4) + std::string(18, '\0'));
        return;
    }
    if (zip_close(archive.get()) != 0) throw failed(archive.get());
    static_cast<void>(archive.release()); // closed
    file.commit();
}

std::vector<NamedTensor> readNpz(const std::filesystem::path& path, const NpzLimits& limits) {
    const auto place = path.string();
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) throw Error(place, "there is no such file; check the path");
    if (!std::filesystem::is_regular_file(status))
        throw Error(place, "is not a file; give the path of an .npz archive");
    const auto fileSize = std::filesystem::file_size(path, error);
    if (error) throw Error(place, fmt::format("cannot be read ({}); check the disk", error.message()));

    int code = 0;
    const Archive archive(zip_open(path.c_str(), ZIP_RDONLY, &code));
    if (!archive)
        throw Error(
            place, fmt::format("is not a readable .npz archive ({}); save it again with numpy.savez", openError(code)));
    const auto entries = static_cast<std::uint64_t>(zip_get_num_entries(archive.get(), 0));
    if (entries > limits.entries)
        throw Error(place,
                    fmt::format("has {} entries, expected at most {}; split the archive", entries, limits.entries));

    std::vector<NamedTensor> tensors;
    std::set<std::string> names;
    auto budget = limits.bytes;
    for (zip_uint64_t index = 0; index < entries; ++index) {
        zip_stat_t entry;
        constexpr auto needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
        if (zip_stat_index(archive.get(), index, 0, &entry) != 0 || (entry.valid & needed) != needed)
            throw Error(place, fmt::format("entry {} is damaged; save the archive again", index));
        std::string name = entry.name;
        if (!name.ends_with(".npy"))
            throw Error(place,
                        fmt::format("the entry {} is not a .npy array; remove it from the archive", shown(name)));
        name.resize(name.size() - 4);
        if (const auto* why = unsafeName(name))
            throw Error(place, fmt::format("the entry name {} {}; rename the array", shown(name), why));
        if (!names.insert(name).second)
            throw Error(place, fmt::format("the array {} appears twice; remove one from the archive", shown(name)));
        const auto where = place + ": array " + shown(name);
        if ((entry.valid & ZIP_STAT_ENCRYPTION_METHOD) && entry.encryption_method != ZIP_EM_NONE)
            throw Error(where, "is encrypted; save it without a password");
        if (entry.comp_method != ZIP_CM_STORE && entry.comp_method != ZIP_CM_DEFLATE)
            throw Error(where, "is compressed in an unusual way; save it with numpy.savez");
        // A small archive that claims to unpack to gigabytes lies, or means harm.
        if (entry.comp_size > fileSize || entry.size / maxDeflateRatio > entry.comp_size ||
            (entry.comp_method == ZIP_CM_STORE && entry.size != entry.comp_size))
            throw Error(where, fmt::format("claims {} bytes in an archive of {}; save the archive again", entry.size,
                                           fileSize));
        EntryReader reader(archive.get(), index, entry.size, where);
        auto tensor = readTensor(reader, budget, limits);
        tensors.push_back({std::move(name), std::move(tensor)});
    }
    return tensors;
}

} // namespace raphe
