// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_list.h"

#include "engine/document/json_reader.h"
#include "engine/runs/run_reader.h"
#include "engine/runs/run_schema.h"
#include "engine/runs/writer_lock.h"
#include "raphe/error.h"

#include <fmt/format.h>

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <set>
#include <system_error>
#include <unordered_map>

namespace raphe {

namespace {

constexpr int depthLimit = 8;
constexpr std::size_t folderLimit = 500'000;
/// An entry holds what a person reads. What a stranger's document holds beyond that is cut.
constexpr std::size_t valueLimit = 200, settingLimit = 2000, metricLimit = 500;

std::int64_t nanoseconds(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

std::string journalOf(const std::string& folder) { return folder + "/" + stored::databaseName + "-wal"; }

/// @return 0, or an error number
int stampOf(const std::string& folder, RunStamp& stamp) {
    struct stat found {};
    if (::stat((folder + "/" + stored::databaseName).c_str(), &found) != 0) return errno;
    if (!S_ISREG(found.st_mode)) return EINVAL;
    stamp = {static_cast<std::int64_t>(found.st_ino), found.st_size, nanoseconds(found.st_mtim), 0, 0};
    if (::stat(journalOf(folder).c_str(), &found) == 0 && found.st_size > 0) {
        stamp.journalBytes = found.st_size;
        stamp.journalModified = nanoseconds(found.st_mtim);
    }
    return 0;
}

std::string reason(int error) { return std::generic_category().message(error); }

class Scan {
public:
    explicit Scan(const std::atomic<bool>* stop) : stop_(stop) {}

    void visit(const std::string& folder, int depth) {
        if ((stop_ && *stop_) || ++folders_ > folderLimit) return;
        RunStamp stamp;
        const int error = stampOf(folder, stamp);
        if (error == 0) {
            found.push_back({folder, stamp, {}});
        } else if (error == EINVAL) {
            found.push_back({folder, {}, fmt::format("{} is not a file; remove it", stored::databaseName)});
        } else if (error == EACCES || error == ELOOP || error == EIO) {
            found.push_back({folder, {}, reason(error) + "; see that you may read the folder"});
        } else if (depth < depthLimit) {
            descend(folder, depth);
        }
    }

    std::vector<FoundRun> found;

private:
    void descend(const std::string& folder, int depth) {
        std::vector<std::string> below;
        DIR* listing = ::opendir(folder.c_str());
        if (!listing) {
            if (errno != ENOENT && errno != ENOTDIR)
                found.push_back({folder, {}, reason(errno) + "; see that you may read the folder"});
            return;
        }
        while (const dirent* item = ::readdir(listing)) {
            if (item->d_name[0] == '.') continue;
            if (item->d_type == DT_DIR) {
                below.emplace_back(item->d_name);
            } else if (item->d_type == DT_UNKNOWN) {
                struct stat what {};
                const auto path = folder + "/" + item->d_name;
                if (::lstat(path.c_str(), &what) == 0 && S_ISDIR(what.st_mode)) below.emplace_back(item->d_name);
            }
        }
        ::closedir(listing);
        for (const auto& name : below) visit(folder + (folder.back() == '/' ? "" : "/") + name, depth + 1);
    }

    const std::atomic<bool>* stop_;
    std::size_t folders_ = 0;
};

std::string shortened(std::string text) {
    if (text.size() <= valueLimit) return text;
    text.resize(valueLimit);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0x80) text.pop_back();
    return text + "…";
}

std::map<std::string, std::string> settingsOf(const Json& document) {
    std::map<std::string, std::string> settings;
    const auto put = [&](const std::string& name, const Json& value) {
        if (settings.size() < settingLimit) settings[shortened(name)] = shortened(value.dump());
    };
    for (const auto& [key, value] : document.items()) {
        if (key == "nodes" && value.is_object()) {
            for (const auto& [node, spec] : value.items()) {
                if (!spec.is_object()) continue;
                if (spec.contains("mechanism")) put(node, spec["mechanism"]);
                if (spec.contains("params") && spec["params"].is_object())
                    for (const auto& [param, given] : spec["params"].items()) put(node + "." + param, given);
            }
        } else if (value.is_number() || value.is_boolean() || key == "precision") {
            if (key != "raphe" && key != "seed") put(key, value);
        }
    }
    return settings;
}

std::int64_t bytesOf(const std::filesystem::path& folder) {
    std::int64_t bytes = 0;
    for (const std::string& name : {std::string(stored::databaseName), std::string(stored::databaseName) + "-wal",
                                    std::string(stored::documentName)}) {
        struct stat found {};
        if (::stat((folder / name).c_str(), &found) == 0) bytes += std::int64_t{found.st_blocks} * 512;
    }
    return bytes;
}

RunEntry entryOf(const std::filesystem::path& folder, const RunReader& reader) {
    RunEntry entry;
    entry.folder = folder;
    const auto document = parseJson(reader.experimentJson(), folder.string());
    if (!document.is_object()) throw Error(folder.string(), "its experiment is no document; restore it from a copy");
    if (document.contains("name") && document["name"].is_string())
        entry.experiment = shortened(document["name"].get<std::string>());
    if (document.contains("iterations") && document["iterations"].is_number_integer())
        entry.planned = document["iterations"].get<std::int64_t>();
    entry.settings = settingsOf(document);
    entry.state = "interrupted";
    for (const auto& [key, value] : reader.provenance()) {
        if (key == "exit" && (value == "done" || value == "failed")) entry.state = value;
        if (key == "start") entry.start = shortened(value);
        if (key == "run_hash") entry.hash = shortened(value);
        if (key == "seed") entry.seed = shortened(value);
    }
    if (stored::WriterLock::held(folder)) entry.state = "running";
    entry.iterations = reader.metricsCount();
    entry.checkpoints = reader.checkpoints();
    const auto tail = std::max<std::int64_t>(1, entry.iterations / 20);
    std::int64_t count = 0;
    reader.forEachMetrics(
        [&](const Metrics& item) {
            entry.seconds = item.seconds;
            if (++count == 1) {
                const auto kept = static_cast<std::ptrdiff_t>(std::min(item.values.size(), metricLimit));
                entry.metrics.assign(item.values.begin(), item.values.begin() + kept);
                for (auto& [name, sum] : entry.metrics) name = shortened(name);
            } else {
                for (std::size_t i = 0; i < std::min(entry.metrics.size(), item.values.size()); ++i)
                    entry.metrics[i].second += item.values[i].second;
            }
        },
        entry.iterations - tail - 1);
    for (auto& [name, sum] : entry.metrics) sum /= static_cast<double>(std::max<std::int64_t>(1, count));
    entry.bytes = bytesOf(folder);
    return entry;
}

} // namespace

RunSettings::RunSettings(Map map) {
    std::string words;
    for (const auto& [name, value] : map) words += name + "=" + value + "\n";
    for (char& c : words) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    held_ = std::make_shared<const Held>(Held{std::move(map), std::move(words)});
}

std::vector<FoundRun> scanRuns(const std::filesystem::path& root, const std::atomic<bool>* stop) {
    Scan scan(stop);
    scan.visit(root.string(), 0);
    std::sort(scan.found.begin(), scan.found.end(),
              [](const FoundRun& a, const FoundRun& b) { return a.folder < b.folder; });
    return std::move(scan.found);
}

std::vector<std::filesystem::path> findRuns(const std::filesystem::path& root) {
    std::vector<std::filesystem::path> folders;
    for (auto& run : scanRuns(root)) folders.emplace_back(std::move(run.folder));
    return folders;
}

RunEntry unreadableRun(const std::filesystem::path& folder, const std::string& problem) {
    RunEntry entry;
    entry.folder = folder;
    entry.state = "unreadable";
    entry.problem = "cannot be read: " + problem;
    return entry;
}

RunEntry runEntry(const std::filesystem::path& folder) {
    try {
        RunStamp before, after;
        const int error = stampOf(folder.string(), before);
        if (error == EINVAL) throw Error(folder.string(), fmt::format("{} is not a file", stored::databaseName));
        if (error == 0 && before.journalBytes == 0 && !stored::WriterLock::held(folder)) {
            try {
                auto entry = entryOf(folder, RunReader::openUnwritten(folder));
                if (stampOf(folder.string(), after) == 0 && after == before) return entry;
            } catch (const Error&) { // if somebody has begun to write meanwhile, it can be read in the other way
                if (stampOf(folder.string(), after) == 0 && after == before) throw;
            }
        }
        return entryOf(folder, RunReader::open(folder));
    } catch (const std::exception& error) {
        std::string sentence = error.what();
        if (sentence.starts_with(folder.string())) // the entry says which folder it is
            if (const auto end = sentence.find(": ", folder.string().size()); end != std::string::npos)
                sentence.erase(0, end + 2);
        return unreadableRun(folder, sentence);
    }
}

std::string nameOf(const RunEntry& run) {
    return run.experiment.empty() ? run.folder.filename().string() : run.experiment;
}

std::vector<std::string> differingSettings(const RunList& runs) {
    struct Seen {
        const std::string* value = nullptr;
        std::size_t count = 0;
        bool differs = false;
    };
    constexpr std::size_t keptKinds = 64;
    std::vector<const RunSettings*> kinds; ///< looked at already
    std::unordered_map<std::string, Seen> seen;
    std::size_t readable = 0; ///< runs that count
    for (const auto& run : runs) {
        if (run->state == "unreadable") continue;
        const bool known =
            std::any_of(kinds.begin(), kinds.end(), [&](const auto* kind) { return kind->sharedWith(run->settings); });
        if (known) continue;
        if (kinds.size() < keptKinds) kinds.push_back(&run->settings);
        ++readable;
        for (const auto& [name, value] : run->settings) {
            Seen& setting = seen[name];
            if (!setting.value) setting.value = &value;
            setting.differs = setting.differs || *setting.value != value;
            ++setting.count;
        }
    }
    std::vector<std::string> result;
    for (const auto& [name, setting] : seen)
        if (setting.differs || setting.count != readable) result.push_back(name);
    std::sort(result.begin(), result.end());
    return result;
}

std::vector<std::string> metricNames(const RunList& runs) {
    std::set<std::string> names;
    for (const auto& run : runs)
        for (const auto& [name, value] : run->metrics) names.insert(name);
    std::vector<std::string> result;
    for (const char* usual : {"reward", "return", "loss"})
        if (names.erase(usual) != 0) result.emplace_back(usual);
    result.insert(result.end(), names.begin(), names.end());
    return result;
}

} // namespace raphe
