// SPDX-License-Identifier: Apache-2.0
// raphe-manifest LIBRARY.so: writes LIBRARY.json beside it, from what the library exports. Run by raphe_add_plugin().
#include "raphe/plugin.h"

#include <dlfcn.h>

#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

namespace {

std::string inQuotes(const std::string& text) {
    std::string result = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        if (static_cast<unsigned char>(c) >= 0x20) result += c;
    }
    return result + "\"";
}

int writeManifest(const std::filesystem::path& library) {
    void* handle = dlopen(std::filesystem::absolute(library).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        std::cerr << "raphe-manifest: " << library << ": cannot be loaded: " << dlerror() << "\n";
        return 1;
    }
    const auto* plugin = static_cast<const raphe::PluginExport*>(dlsym(handle, "raphe_plugin"));
    if (!plugin) {
        std::cerr << "raphe-manifest: " << library
                  << ": exports no raphe_plugin; use RAPHE_PLUGIN(...) once in its sources\n";
        return 1;
    }
    std::vector<raphe::MechanismEntry> entries;
    plugin->mechanisms(entries);
    std::string text = "{\n  \"raphe_plugin\": 1,\n  \"name\": " + inQuotes(plugin->name) +
                       ",\n  \"version\": " + inQuotes(plugin->version) +
                       ",\n  \"licence\": " + inQuotes(plugin->licence) +
                       ",\n  \"sdk_version\": " + std::to_string(RAPHE_SDK_VERSION) +
                       ",\n  \"abi\": " + inQuotes(plugin->abiTag) + ",\n  \"mechanisms\": [";
    for (std::size_t i = 0; i < entries.size(); ++i)
        text += std::string(i ? "," : "") + "\n    {\"name\": " + inQuotes(entries[i].declaration.key()) +
                ", \"version\": " + inQuotes(entries[i].declaration.version) +
                ", \"summary\": " + inQuotes(entries[i].declaration.summary) + "}";
    text += "\n  ]\n}\n";
    auto path = library;
    path.replace_extension(".json");
    const auto temporary = path.string() + ".part";
    {
        std::ofstream out(temporary, std::ios::binary);
        out << text;
        if (!out.flush()) {
            std::cerr << "raphe-manifest: " << temporary << ": cannot be written\n";
            return 1;
        }
    }
    std::filesystem::rename(temporary, path);
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: raphe-manifest LIBRARY.so\n";
        return 2;
    }
    try {
        return writeManifest(argv[1]);
    } catch (const std::exception& error) {
        std::cerr << "raphe-manifest: " << argv[1] << ": its declarations threw: " << error.what() << "\n";
        return 1;
    }
}
