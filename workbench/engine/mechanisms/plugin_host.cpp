// SPDX-License-Identifier: Apache-2.0
#include "engine/mechanisms/plugin_host.h"

#include "engine/base/files.h"
#include "engine/document/json_reader.h"

#include <xxhash.h>

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <sstream>

namespace raphe {

const char* nameOf(PluginStage stage) {
    switch (stage) {
    case PluginStage::found:
        return "found";
    case PluginStage::manifestRead:
        return "manifest read";
    case PluginStage::compatible:
        return "compatible";
    case PluginStage::loaded:
        return "loaded";
    case PluginStage::registered:
        return "registered";
    }
    return "";
}

const char* PluginHost::abiTag() { return RAPHE_ABI_TAG; }

std::filesystem::path programFolder() {
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? std::filesystem::current_path() : program.parent_path();
}

std::filesystem::path resourceFolder() {
    if (const char* folder = std::getenv("RAPHE_RESOURCES")) return folder;
    const auto installed = programFolder() / ".." / "share" / "raphe";
    if (std::filesystem::exists(installed / "experiments")) return installed.lexically_normal();
    return RAPHE_SOURCE_RESOURCES;
}

std::vector<std::filesystem::path> PluginHost::defaultFolders() {
    std::vector<std::filesystem::path> folders;
    if (const char* path = std::getenv("RAPHE_PLUGIN_PATH")) {
        std::stringstream parts(path);
        for (std::string part; std::getline(parts, part, ':');)
            if (!part.empty()) folders.emplace_back(part);
    }
    for (const char* place : {"../lib/raphe/plugins", "../lib/" RAPHE_LIBRARY_ARCHITECTURE "/raphe/plugins"})
        if (const auto folder = (programFolder() / place).lexically_normal(); std::filesystem::is_directory(folder))
            folders.push_back(folder);
    return folders;
}

void PluginHost::loadFolder(const std::filesystem::path& folder) {
    if (!std::filesystem::is_directory(folder)) return;
    std::vector<std::filesystem::path> manifests, libraries;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
        if (file.path().extension() == ".json") manifests.push_back(file.path());
        if (file.path().extension() == ".so") libraries.push_back(file.path());
    }
    std::sort(manifests.begin(), manifests.end());
    for (const auto& manifest : manifests) {
        PluginRecord record;
        record.library = std::filesystem::path(manifest).replace_extension(".so");
        record.name = manifest.stem();
        try {
            load(record, manifest);
        } catch (const std::exception& error) {
            record.error = error.what();
        } catch (...) {
            record.error = record.library.string() + ": threw something that is not a std::exception while its "
                                                     "mechanisms were read; report it to its author";
        }
        records_.push_back(std::move(record));
    }
    std::sort(libraries.begin(), libraries.end());
    for (const auto& library : libraries) {
        if (std::filesystem::exists(std::filesystem::path(library).replace_extension(".json"))) continue;
        PluginRecord record;
        record.library = library;
        record.name = library.stem();
        record.error = fmt::format("{}: has no manifest {}.json beside it; build it with raphe_add_plugin()",
                                   library.string(), record.name);
        records_.push_back(std::move(record));
    }
}

void PluginHost::load(PluginRecord& record, const std::filesystem::path& manifestPath) {
    const auto place = manifestPath.string();
    const auto text = readBytes(manifestPath, std::size_t{1} << 20);
    record.manifestHash = fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
    const auto manifest = parseJson(text, place);
    const auto field = [&](const char* key) {
        if (!manifest.is_object() || !manifest.contains(key) || !manifest[key].is_string())
            throw Error(place,
                        fmt::format("expected a text at \"{}\"; rebuild the plugin with raphe_add_plugin()", key));
        return manifest[key].get<std::string>();
    };
    record.name = field("name");
    record.version = field("version");
    record.licence = field("licence");
    const auto tag = field("abi");
    record.stage = PluginStage::manifestRead;

    const auto refuse = [&](const std::string& where, const std::string& theirs) {
        throw Error(
            where,
            fmt::format("built for \"{}\", but this Raphe has \"{}\"; rebuild the plugin against this Raphe's SDK",
                        theirs, abiTag()));
    };
    if (tag != abiTag()) refuse(place, tag);
    record.stage = PluginStage::compatible;

    const auto library = std::filesystem::absolute(record.library);
    if (!std::filesystem::exists(library))
        throw Error(place, "its library " + library.filename().string() + " is missing beside it; rebuild the plugin");
    void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char* reason = dlerror();
        throw Error(library.string(), fmt::format("cannot be loaded: {}; install what is missing or rebuild the plugin",
                                                  reason ? reason : "unknown reason"));
    }
    const auto* plugin = static_cast<const PluginExport*>(dlsym(handle, "raphe_plugin"));
    if (!plugin) throw Error(library.string(), "exports no raphe_plugin; use RAPHE_PLUGIN(...) once in its sources");
    if (std::string(plugin->abiTag) != abiTag()) refuse(library.string() + " (its manifest is stale)", plugin->abiTag);
    record.stage = PluginStage::loaded;

    std::vector<MechanismEntry> entries;
    try {
        plugin->mechanisms(entries);
    } catch (const std::exception& error) {
        throw Error(library.string(),
                    fmt::format("threw while its mechanisms were declared: {}; the plugin is disabled", error.what()));
    }
    if (entries.empty()) throw Error(library.string(), "declares no mechanism; name its classes in RAPHE_PLUGIN(...)");
    for (const auto& entry : entries)
        if (registry_.contains(entry.declaration.key()))
            throw Error(library.string(),
                        fmt::format("{} is already provided by {}; rename or remove one of them",
                                    entry.declaration.key(), registry_.provider(entry.declaration.key())));
    for (auto& entry : entries) {
        record.mechanisms.push_back(entry.declaration.key());
        registry_.add(std::move(entry), record.name);
    }
    record.stage = PluginStage::registered;
}

} // namespace raphe
