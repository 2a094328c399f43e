// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/export.h"

#include "engine/base/files.h"
#include "engine/base/npz.h"
#include "raphe/error.h"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <mutex>
#include <set>
#include <string_view>
#include <utility>

namespace raphe {
namespace {

void checkShapes(const std::string& place, const std::vector<NamedTensor>& tensors, const std::vector<Table>& tables) {
    for (const auto& [name, tensor] : tensors) {
        bool fits = std::all_of(tensor.shape.begin(), tensor.shape.end(), [](auto extent) { return extent >= 0; });
        fits = fits && static_cast<std::size_t>(tensor.size()) == tensor.values.size() && tensor.shape.size() <= 32;
        if (name.empty() || !fits)
            throw Error(
                place,
                fmt::format("tensor \"{}\" needs a name, at most 32 dimensions and as many values as its shape says",
                            name));
    }
    for (const auto& table : tables) {
        for (std::size_t row = 0; row < table.rows.size(); ++row)
            if (table.rows[row].size() != table.columns.size())
                throw Error(place, fmt::format("row {} of table \"{}\" has {} values, expected {}, one a column", row,
                                               table.name, table.rows[row].size(), table.columns.size()));
    }
}

Tensor columnOf(const Table& table, std::size_t column) {
    Tensor tensor{{static_cast<std::int64_t>(table.rows.size())}, {}, Precision::float64};
    tensor.values.reserve(table.rows.size());
    for (const auto& row : table.rows) tensor.values.push_back(row[column]);
    return tensor;
}

/// Tables as tensors, behind the tensors themselves.
std::vector<NamedTensor> withColumns(std::vector<NamedTensor> tensors, const std::vector<Table>& tables) {
    for (const auto& table : tables)
        for (std::size_t column = 0; column < table.columns.size(); ++column)
            tensors.push_back({table.name + "/" + table.columns[column], columnOf(table, column)});
    return tensors;
}

// ---- CSV (RFC 4180)

std::string csvField(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string field = "\"";
    for (const char c : text) {
        if (c == '"') field += '"';
        field += c;
    }
    return field + '"';
}

template <class Values>
void appendLine(std::string& text, const Values& values, std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) {
        if (i > first) text += ',';
        fmt::format_to(std::back_inserter(text), "{:.17g}", values[i]);
    }
    text += "\r\n";
}

std::string csvOf(const Table& table) {
    std::string text;
    for (std::size_t column = 0; column < table.columns.size(); ++column)
        text += (column ? "," : "") + csvField(table.columns[column]);
    text += "\r\n";
    for (const auto& row : table.rows) appendLine(text, row, 0, row.size());
    return text;
}

std::string csvOf(const Tensor& tensor) {
    std::string text;
    const auto width = tensor.shape.size() < 2 ? 1 : static_cast<std::size_t>(tensor.shape.back());
    for (std::size_t first = 0; width > 0 && first < tensor.values.size(); first += width)
        appendLine(text, tensor.values, first, width);
    return text;
}

/// A tensor's name as part of a file name.
std::string fileNamePart(const std::string& name) {
    auto part = name;
    for (auto& c : part)
        if (c == '/' || c == '\\' || c == ':' || static_cast<unsigned char>(c) < 0x20) c = '_';
    return part;
}

std::vector<std::filesystem::path> writeCsv(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                                            const std::vector<Table>& tables) {
    const bool alone = tables.empty() && tensors.size() == 1;
    std::set<std::filesystem::path> taken;
    const auto claim = [&](const std::filesystem::path& file) {
        if (!taken.insert(file).second)
            throw Error(file.string(),
                        "two tables or tensors would be written to this file; rename one or export to .npz");
        return file;
    };
    const auto beside = [&](const std::string& name) {
        return claim(path.parent_path() /
                     fmt::format("{}.{}{}", path.stem().string(), fileNamePart(name), path.extension().string()));
    };
    // All names are settled before the first file is written.
    std::vector<std::filesystem::path> files;
    for (std::size_t i = 0; i < tables.size(); ++i) files.push_back(i == 0 ? claim(path) : beside(tables[i].name));
    for (const auto& named : tensors) files.push_back(alone ? claim(path) : beside(named.name));
    auto file = files.begin();
    for (const auto& table : tables) writeAtomically(*file++, csvOf(table));
    for (const auto& named : tensors) writeAtomically(*file++, csvOf(named.tensor));
    return files;
}

// ---- HDF5

/// The C library is built without locks.
std::mutex& hdf5Mutex() {
    static std::mutex mutex;
    return mutex;
}

/// An identifier with the function that releases it.
class Handle {
public:
    Handle(hid_t id, herr_t (*release)(hid_t)) : id_(id), release_(release) {
        if (id_ < 0) throw Error("the HDF5 library reported an error; check the disk and the names");
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() {
        if (id_ >= 0) release_(id_);
    }
    hid_t get() const { return id_; }
    /// Closes now, so that a failure is seen.
    bool close() { return release_(std::exchange(id_, -1)) >= 0; }

private:
    hid_t id_;
    herr_t (*release_)(hid_t);
};

/// Keeps the library from printing its error stack; our exceptions say it.
class QuietErrors {
public:
    QuietErrors() {
        H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    }
    QuietErrors(const QuietErrors&) = delete;
    QuietErrors& operator=(const QuietErrors&) = delete;
    ~QuietErrors() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }

private:
    H5E_auto2_t function_ = nullptr;
    void* data_ = nullptr;
};

std::string hdf5Path(std::string name) {
    std::replace(name.begin(), name.end(), '.', '/');
    return name;
}

/// HDF5 cannot have a dataset where a group must be, so no path may be the beginning of another.
void checkPaths(const std::string& place, const std::vector<NamedTensor>& tensors) {
    std::set<std::string> paths;
    for (const auto& named : tensors) {
        const auto path = hdf5Path(named.name);
        if (path.front() == '/' || path.back() == '/' || path.find("//") != std::string::npos ||
            path.find('\0') != std::string::npos)
            throw Error(
                place, fmt::format("the name \"{}\" has an empty part between dots or slashes; rename it", named.name));
        if (!paths.insert(path).second)
            throw Error(place, fmt::format("two tensors or columns would be stored as \"{}\"; rename one", path));
    }
    for (const auto& path : paths) {
        const auto next = paths.lower_bound(path + "/");
        if (next != paths.end() && next->starts_with(path + "/"))
            throw Error(place,
                        fmt::format("\"{}\" cannot be a tensor and the group of \"{}\"; rename one", path, *next));
    }
}

void writeDataset(hid_t file, const NamedTensor& named) {
    const auto& tensor = named.tensor;
    const std::vector<hsize_t> extents(tensor.shape.begin(), tensor.shape.end());
    const Handle space(extents.empty() ? H5Screate(H5S_SCALAR)
                                       : H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr),
                       H5Sclose);
    const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    H5Pset_create_intermediate_group(links.get(), 1);
    H5Pset_char_encoding(links.get(), H5T_CSET_UTF8);
    const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_obj_track_times(creation.get(), false); // equal tensors, equal files
    const auto type = tensor.precision == Precision::float32 ? H5T_IEEE_F32LE : H5T_IEEE_F64LE;
    const Handle dataset(
        H5Dcreate2(file, hdf5Path(named.name).c_str(), type, space.get(), links.get(), creation.get(), H5P_DEFAULT),
        H5Dclose);
    if (tensor.values.empty()) return;
    if (H5Dwrite(dataset.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, tensor.values.data()) < 0)
        throw Error(fmt::format("the tensor \"{}\" cannot be written; check the free space of the disk", named.name));
}

void writeHdf5(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors) {
    const auto place = path.string();
    checkPaths(place, tensors);
    AtomicFile target(path);
    try {
        const std::lock_guard guard(hdf5Mutex());
        const QuietErrors quiet;
        Handle file(H5Fcreate(target.temporary().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
        for (const auto& named : tensors) writeDataset(file.get(), named);
        if (H5Fflush(file.get(), H5F_SCOPE_GLOBAL) < 0 || !file.close())
            throw Error("the file cannot be completed; check the free space of the disk");
    } catch (const Error& error) {
        throw Error(place, error.what());
    }
    target.commit();
}

} // namespace

std::vector<std::filesystem::path> exportTensors(const std::filesystem::path& path,
                                                 const std::vector<NamedTensor>& tensors,
                                                 const std::vector<Table>& tables) {
    const auto place = path.string();
    auto extension = path.extension().string();
    for (auto& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (extension != ".npz" && extension != ".csv" && extension != ".h5" && extension != ".hdf5")
        throw Error(place,
                    fmt::format("cannot export to \"{}\"; the name must end in .npz, .csv, .h5 or .hdf5", extension));
    if (tensors.empty() && tables.empty())
        throw Error(place, "there is nothing to export; choose a run that holds metrics or tensors");
    checkShapes(place, tensors, tables);
    if (extension == ".csv") return writeCsv(path, tensors, tables);
    const auto all = withColumns(tensors, tables);
    if (extension == ".npz")
        writeNpz(path, all, NonFinite::allow);
    else
        writeHdf5(path, all);
    return {path};
}

} // namespace raphe
