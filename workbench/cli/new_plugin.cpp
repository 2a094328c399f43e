// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "engine/base/files.h"

#include <fmt/format.h>

#include <cctype>

namespace raphe::cli {

namespace {
void replaceAll(std::string& text, const std::string& from, const std::string& to) {
    for (std::size_t i = text.find(from); i != std::string::npos; i = text.find(from, i + to.size()))
        text.replace(i, from.size(), to);
}

/// gated_rnn -> GatedRnn
std::string camelCase(const std::string& name) {
    std::string result;
    bool upper = true;
    for (char c : name) {
        if (c != '_') result += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
        upper = c == '_';
    }
    return result;
}

/// The smallest plugin of a kind: a folder below resources/plugin_template.
std::string templateOf(const std::string& kind) {
    return kind == "task" ? "coin_guess" : kind == "rule" ? "absolute_error" : "leaky";
}
} // namespace

/// Copies the smallest plugin of a kind under a new name, e.g. coin_guess -> NAME and CoinGuess -> Name.
int pluginNew(const std::string& kind, const std::string& name) {
    bool good = !name.empty() && std::islower(static_cast<unsigned char>(name[0]));
    for (char c : name)
        good = good &&
               (std::islower(static_cast<unsigned char>(c)) || std::isdigit(static_cast<unsigned char>(c)) || c == '_');
    if (!good)
        throw Error("plugin new",
                    "a plugin's name consists of lower-case letters, digits and _ and begins with a letter, got \"" +
                        name + "\"");
    // A class of this name would hide the one of the SDK that the template derives from or uses.
    for (const char* taken :
         {"Model", "Task", "Rule", "Step", "State", "Input", "Output", "Weight", "Value", "Tape", "Builder",
          "Declaration", "Objective", "OptimiserParams", "Error", "Kind", "TaskOf", "TaskStep"})
        if (camelCase(name) == taken)
            throw Error("plugin new", "\"" + name + "\" would name a class " + taken +
                                          ", which the SDK has already; choose another name, e.g. my_" + name);
    if (std::filesystem::exists(name)) throw Error(name, "exists already; choose another name");
    const auto example = templateOf(kind);
    const auto source = resourceFolder() / "plugin_template" / example;
    std::filesystem::create_directory(name);
    for (const auto& file : std::filesystem::directory_iterator(source)) {
        auto text = readBytes(file.path(), 1 << 20);
        auto target = file.path().filename().string();
        for (auto* t : {&text, &target}) {
            replaceAll(*t, example, name);
            replaceAll(*t, camelCase(example), camelCase(name));
        }
        writeAtomically(std::filesystem::path(name) / target, text);
    }
    fmt::print("{0}/ holds a plugin that works; build it with\n  cmake -S {0} -B {0}/build -G Ninja "
               "-DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH=PREFIX && cmake --build {0}/build\n"
               "where PREFIX is where Raphe is installed (cmake --install build/release --prefix PREFIX),\n"
               "and use it with\n  RAPHE_PLUGIN_PATH={0}/build raphe describe {1}.{0}\n",
               name, kind);
    return 0;
}

} // namespace raphe::cli
