// SPDX-License-Identifier: Apache-2.0
#include "engine/editing/recorded_script.h"

#include "engine/base/files.h"
#include "engine/editing/document.h"
#include "engine/mechanisms/plugin_host.h"

#include <fmt/format.h>

#include <algorithm>

namespace raphe {

namespace {

/// How the script gets at a text: by the name of an experiment that comes with Raphe, or as it stands.
std::string opening(const std::string& text, const std::filesystem::path& file) {
    std::error_code none;
    const auto shipped = resourceFolder() / "experiments" / file.filename();
    if (!file.empty() && file.extension() == ".json" && std::filesystem::is_regular_file(shipped, none)) {
        try {
            if (readBytes(shipped, JsonLimits{}.bytes) == text)
                return fmt::format("local e = raphe.open(\"{}\")\n", file.stem().string());
        } catch (const Error&) { // then the text
        }
    }
    return "local e = raphe.open_text(" + luaLongText(text) + ")\n";
}

bool leadsTo(const std::string& from, const std::vector<Json>& commands, const Document& document) {
    try {
        const auto again = Document::fromText(from, "document", document.registry(), document.path().parent_path());
        for (const auto& command : commands) again->execute(command);
        return again->text() == document.text();
    } catch (const Error&) {
        return false;
    }
}

std::string oneLine(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < 0x20; }, ' ');
    return text;
}

} // namespace

std::string luaLongText(const std::string& text) {
    // A long bracket would turn every end of line into \n, and cannot hold some control characters readably.
    for (const char c : text)
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') return luaText(text);
    std::string level;
    while ((text + "]").find("]" + level + "]") != std::string::npos) level += '=';
    return "[" + level + "[\n" + text + "]" + level + "]";
}

std::string scriptOf(const Document& document) {
    auto from = document.startText();
    auto commands = document.standing();
    if (!leadsTo(from, commands, document)) {
        from = document.text();
        commands.clear();
    }
    std::string script = "-- Makes the experiment \"" + oneLine(document.experiment().name) +
                         "\". raphe lua THIS_FILE experiment.json writes it.\nlocal raphe = require \"raphe\"\n\n" +
                         opening(from, document.path());
    for (const auto& command : commands) script += luaLine(command) + "\n";
    return script + "\nif raphe.args[1] then e:save(raphe.args[1]) end\n";
}

} // namespace raphe
