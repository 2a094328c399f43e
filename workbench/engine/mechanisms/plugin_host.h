// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/mechanisms/registry.h"

#include <filesystem>
#include <string>
#include <vector>

namespace raphe {

/// How far a plugin came on its way into the registry.
enum class PluginStage { found, manifestRead, compatible, loaded, registered };
const char* nameOf(PluginStage stage);

struct PluginRecord {
    std::filesystem::path library;
    std::string name, version, licence, manifestHash;
    std::vector<std::string> mechanisms;
    PluginStage stage = PluginStage::found; ///< the last stage that succeeded
    std::string error;                      ///< empty if registered; else why not, and what to do
};

/// Finds plugins, reads their manifests before running any of their code, and registers what fits. A plugin that does
/// not fit, does not load or throws is disabled and recorded; nothing it does here ends the program. Libraries stay
/// open until the program ends.
class PluginHost {
public:
    /// Loads every NAME.json + NAME.so of a folder, in alphabetical order. A missing folder holds no plugins.
    void loadFolder(const std::filesystem::path& folder);
    const std::vector<PluginRecord>& records() const { return records_; }
    Registry& registry() { return registry_; }
    const Registry& registry() const { return registry_; }

    /// Folders in which the programs look: $RAPHE_PLUGIN_PATH (separated by colons), then the one beside the program.
    static std::vector<std::filesystem::path> defaultFolders();
    /// Tag of this host, to which a plugin's must be equal.
    static const char* abiTag();

private:
    void load(PluginRecord& record, const std::filesystem::path& manifest);
    Registry registry_;
    std::vector<PluginRecord> records_;
};

/// Folder of resources (experiments, docs): $RAPHE_RESOURCES, or the installed one, or that of the source tree.
std::filesystem::path resourceFolder();
/// Folder of the running program.
std::filesystem::path programFolder();

} // namespace raphe
