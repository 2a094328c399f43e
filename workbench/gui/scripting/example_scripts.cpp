// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/scripting/example_scripts.h"

#include "engine/mechanisms/plugin_host.h"

#include <algorithm>
#include <fstream>

namespace raphe {
namespace {

namespace fs = std::filesystem;

/// Where they are installed, or in the source tree.
fs::path scriptsFolder() {
    std::error_code error;
    const auto resources = resourceFolder();
    const auto installed = resources / "scripts";
    return fs::is_directory(installed, error) ? installed
                                              : fs::absolute(resources).lexically_normal().parent_path() / "scripts";
}

/// The sentence that a script's opening comment begins with.
std::string summaryIn(const fs::path& file) {
    std::ifstream in(file);
    std::string text;
    for (std::string line; std::getline(in, line) && line.starts_with("--") && text.size() < 400;) {
        const auto word = line.find_first_not_of("- ");
        if (word == std::string::npos || line.find("SPDX") != std::string::npos) continue;
        text += (text.empty() ? "" : " ") + line.substr(word);
    }
    for (auto end = text.find(". "); end != std::string::npos; end = text.find(". ", end + 1))
        if (end > 30) return text.substr(0, end + 1); // "et al. 2020" ends no sentence
    return text.substr(0, 200);
}

} // namespace

std::vector<ExampleScript> exampleScripts() {
    std::vector<ExampleScript> list;
    std::error_code error;
    for (const auto& folder : fs::directory_iterator(scriptsFolder(), error)) {
        if (!folder.is_directory(error) || folder.path().filename() == "dev") continue;
        for (const auto& entry : fs::directory_iterator(folder.path(), error))
            if (entry.path().extension() == ".lua")
                list.push_back({entry.path(), folder.path().filename().string(), entry.path().stem().string(),
                                summaryIn(entry.path())});
    }
    std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.file < b.file; });
    return list;
}

bool isExampleScript(const fs::path& file) {
    std::error_code error;
    const auto list = exampleScripts();
    return !file.empty() && std::any_of(list.begin(), list.end(), [&](const ExampleScript& example) {
        return fs::equivalent(example.file, file, error);
    });
}

} // namespace raphe
