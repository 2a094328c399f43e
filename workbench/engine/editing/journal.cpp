// SPDX-License-Identifier: Apache-2.0
#include "engine/editing/journal.h"

#include "engine/base/files.h"
#include "engine/base/set_aside.h"
#include "engine/document/fields.h"
#include "engine/editing/document.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace raphe {

namespace fs = std::filesystem;

namespace {

constexpr const char* ending = ".journal";
constexpr std::size_t largestJournal = std::size_t{1} << 30;
constexpr JsonLimits frameLimits{.bytes = std::size_t{256} << 20}; ///< a frame holds a document as a text

std::string checksum(std::string_view bytes) { return fmt::format("{:016x}", XXH3_64bits(bytes.data(), bytes.size())); }

/// length, checksum, text
std::string frameText(const Json& frame) {
    const auto text = frame.dump();
    return fmt::format("{:08x} {} {}\n", text.size(), checksum(text), text);
}

/// Takes a frame from the front. @return null if it is not whole; then nothing is taken
Json takeFrame(std::string_view& bytes) {
    constexpr std::size_t head = 8 + 1 + 16 + 1;
    if (bytes.size() < head || bytes[8] != ' ' || bytes[25] != ' ') return nullptr;
    const auto digits = bytes.substr(0, 8);
    if (digits.find_first_not_of("0123456789abcdef") != std::string_view::npos) return nullptr;
    const auto length = std::stoul(std::string(digits), nullptr, 16);
    if (bytes.size() - head < length + 1 || bytes[head + length] != '\n') return nullptr;
    const auto text = bytes.substr(head, length);
    if (bytes.substr(9, 16) != checksum(text)) return nullptr;
    Json frame;
    try {
        frame = parseJson(text, "journal", frameLimits);
    } catch (const Error&) {
        return nullptr;
    }
    if (!frame.is_object()) return nullptr;
    bytes.remove_prefix(head + length + 1);
    return frame;
}

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
    throw Error(path.string(), fmt::format("{}: {}", what, std::strerror(errno)));
}

void writeAll(int file, std::string_view bytes, const fs::path& path) {
    while (!bytes.empty()) {
        const auto written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) fail(path, "cannot write the journal; make room on the disk");
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

/// Whether somebody has the journal open.
bool inUse(const fs::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    const bool locked = ::flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    ::close(file);
    return locked;
}

bool isEmptyJournal(const fs::path& path) {
    try {
        const auto bytes = readBytes(path, largestJournal);
        std::string_view rest = bytes;
        return !takeFrame(rest).is_null() && rest.empty();
    } catch (const Error&) {
        return false;
    }
}

fs::path nameFor(const fs::path& folder, const fs::path& file) {
    if (!file.empty()) {
        const auto name = fs::weakly_canonical(fs::absolute(file)).string();
        return folder / fmt::format("{}-{}{}", file.stem().string().substr(0, 64), checksum(name), ending);
    }
    for (int number = 1;; ++number) {
        auto path = folder / fmt::format("untitled-{}-{}{}", ::getpid(), number, ending);
        if (!fs::exists(path)) return path;
    }
}

/// Empty if it cannot be read.
std::string bytesOf(const fs::path& file) {
    try {
        return file.empty() ? std::string() : readBytes(file, JsonLimits{}.bytes);
    } catch (const Error&) {
        return {};
    }
}

} // namespace

std::unique_ptr<Journal> Journal::start(const fs::path& folder, const Document& document,
                                        std::unique_ptr<Journal> previous, const fs::path& recovered) {
    std::error_code error;
    fs::create_directories(folder, error);
    const bool known = document.path().empty();
    auto path = previous && known ? previous->path() : nameFor(folder, document.path());
    const bool own = (previous && previous->path() == path) || recovered == path;
    if (!own && fs::exists(path)) {
        if (inUse(path))
            throw OpenElsewhere(document.path().string(),
                                "is open for editing elsewhere; close it there, or save it under another name");
        if (isEmptyJournal(path))
            fs::remove(path);
        else
            setAside(path);
    }
    auto temporary = path;
    temporary += ".new";
    const int file = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) fail(temporary, "cannot begin a journal");
    std::unique_ptr<Journal> journal(new Journal(file, temporary));
    ::flock(file, LOCK_EX | LOCK_NB);
    const Json header{{"journal", 1},
                      {"document", document.path().empty() ? std::string() : fs::absolute(document.path()).string()},
                      {"checksum", checksum(bytesOf(document.path()))},
                      {"text", document.text()}};
    writeAll(file, frameText(header), temporary);
    fs::rename(temporary, path);
    journal->path_ = path;
    journal->synced_->touch();
    if (previous && previous->path() == path) previous->path_.clear(); // its file is this one now
    if (!recovered.empty() && recovered != path) fs::remove(recovered, error);
    return journal;
}

Journal::Journal(int file, fs::path path)
    : file_(file), synced_(BackgroundSync::ofProcess().watch(file)), path_(std::move(path)) {}

Journal::~Journal() {
    if (!path_.empty()) ::unlink(path_.c_str());
    ::flock(file_, LOCK_UN); // the file itself is closed once nobody syncs it any more
}

void Journal::append(const Json& frame) {
    writeAll(file_, frameText(frame), path_);
    synced_->touch();
}

fs::path journalOf(const fs::path& file, const fs::path& folder) {
    if (file.empty()) return {};
    auto path = nameFor(folder, file);
    std::error_code error;
    return fs::is_regular_file(path, error) && !inUse(path) && !isEmptyJournal(path) ? path : fs::path();
}

std::vector<fs::path> journalsIn(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        const auto& path = entry.path();
        if (path.extension() != ending || !entry.is_regular_file(error) || inUse(path)) continue;
        if (isEmptyJournal(path))
            fs::remove(path, error);
        else
            found.push_back(path);
    }
    std::sort(found.begin(), found.end());
    return found;
}

Recovery Recovery::of(const fs::path& journal, const Registry& registry) {
    if (inUse(journal)) throw Error(journal.string(), "is in use; the document is open elsewhere");
    const auto bytes = readBytes(journal, largestJournal);
    Recovery result;
    std::string_view rest = bytes;
    const auto refuse = [&](const std::string& why) {
        result.document.reset();
        result.message = fmt::format("{}: {}; nothing can be recovered, and the journal is kept as {}",
                                     journal.filename().string(), why, setAside(journal).filename().string());
    };
    const auto header = takeFrame(rest);
    std::string name, sum, text;
    try {
        if (header.is_null()) throw Error("header", "is damaged");
        int version = 0;
        fields::readFields(header, "header",
                           {{"journal", fields::integerInto(version, 1, 1)},
                            {"document", fields::textInto(name)},
                            {"checksum", fields::textInto(sum)},
                            {"text", fields::textInto(text)}});
        result.file = name;
        result.document =
            Document::fromText(text, name.empty() ? "journal" : name, registry, result.file.parent_path());
    } catch (const Error& error) {
        refuse(error.what());
        return result;
    }
    auto& document = *result.document;
    document.path_ = result.file;
    document.recoveredFrom_ = journal;
    document.savedText_ = bytesOf(result.file);
    std::string lost;
    int outside = 0; // steps that lie before the journal: undone more often than redone
    while (!rest.empty() && lost.empty()) {
        const auto frame = takeFrame(rest);
        if (frame.is_null()) {
            lost = fmt::format("the last {} bytes of the journal are damaged or incomplete", rest.size());
            break;
        }
        try {
            document.replay(frame);
            for (const auto& [key, value] : frame.items())
                if (value.is_array()) outside += key == "undo" ? 1 : -1;
            ++result.commands;
        } catch (const std::exception& error) {
            lost = fmt::format("a command no longer fits the document ({})", error.what());
        }
    }
    // Redoing what was done after steps that are no longer known would not fit.
    if (outside != 0) document.forgetSteps();
    document.mayMerge_ = false;
    const bool unchanged = document.text() == text; // and what it was before is in its file, or is nothing
    result.worthwhile = !lost.empty() || (name.empty() ? !unchanged || !document.experiment().nodes.empty()
                                                       : document.modified() && !(unchanged && checksum(text) == sum));
    result.message = fmt::format("{}: recovered {} command{}", name.empty() ? "a document without a file" : name,
                                 result.commands, result.commands == 1 ? "" : "s");
    if (!lost.empty()) result.message += "; " + lost + ", so that what followed is lost";
    if (!name.empty() && checksum(document.savedText_) != sum)
        result.message += "; the file has changed since, and saving replaces it";
    return result;
}

} // namespace raphe
