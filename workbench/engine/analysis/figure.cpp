// SPDX-License-Identifier: Apache-2.0
#include "engine/analysis/figure.h"

#include "engine/base/process.h"
#include "engine/mechanisms/plugin_host.h"

namespace raphe {

void drawFigure(const Json& description, const std::filesystem::path& picture, double width, double height) {
    const auto extension = picture.extension().string();
    if (extension != ".svg" && extension != ".png" && extension != ".pdf")
        throw Error(picture.string(), "pictures are written as .svg, .png or .pdf");
    if (const auto folder = picture.parent_path(); !folder.empty()) {
        std::error_code problem;
        std::filesystem::create_directories(folder, problem);
        if (problem) throw Error(picture.string(), "its folder cannot be made: " + problem.message());
    }
    const auto program = programFolder() / "raphe-figure";
    if (!std::filesystem::exists(program))
        throw Error(program.string(),
                    "the program that draws figures is missing; build or install Raphe with Qt 6 (RAPHE_BUILD_GUI=ON)");
    std::vector<std::string> words{program.string(), "-", "-o", picture.string()};
    if (width > 0) words.insert(words.end(), {"--width", std::to_string(width)});
    if (height > 0) words.insert(words.end(), {"--height", std::to_string(height)});
    const auto result = runProcess(words, description.dump());
    if (result.exitCode != 0) {
        const auto said = result.output + result.messages;
        throw Error(picture.string(), "could not be drawn: " +
                                          (said.empty() ? std::string("raphe-figure ended without a message") : said));
    }
}

} // namespace raphe
