// SPDX-License-Identifier: Apache-2.0
#include "target.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace {

void run(const std::string& bytes) {
    // A buffer of exactly this size, so that sanitizers see every byte that is read beyond it.
    const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

/// Changes a few bytes, repeats a part of the input or leaves one out.
std::string mutated(std::string bytes, std::mt19937& random) {
    for (auto edits = 1 + random() % 4; edits > 0 && !bytes.empty(); --edits) {
        const auto at = random() % bytes.size(), length = std::min<std::size_t>(1 + random() % 16, bytes.size() - at);
        switch (random() % 4) {
        case 0:
            bytes[at] = static_cast<char>(random() % 256);
            break;
        case 1:
            bytes.insert(at, bytes.substr(random() % bytes.size(), length));
            break;
        case 2:
            bytes.erase(at, length);
            break;
        case 3:
            bytes[at] = "0[]{}\",:-e9"[random() % 11];
            break;
        }
    }
    return bytes;
}

} // namespace

/// Runs a fuzz target without libFuzzer: over every file of the given folders, parts of it, and mutations of it that
/// are the same each time.
int main(int argc, char** argv) {
    std::vector<std::filesystem::path> files;
    for (int i = 1; i < argc; ++i)
        for (const auto& entry : std::filesystem::directory_iterator(argv[i]))
            if (entry.is_regular_file()) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    raphe::fuzz::check(!files.empty(), "usage: replay FOLDER... with at least one file in them");
    std::mt19937 random(1);
    std::size_t inputs = 0;
    for (const auto& file : files) {
        std::ifstream in(file, std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(in), {}};
        run(bytes);
        for (std::size_t part = 0; part < 16; ++part, ++inputs) run(bytes.substr(0, bytes.size() * part / 16));
        for (int round = 0; round < 200; ++round, ++inputs) run(mutated(bytes, random));
    }
    std::printf("%zu files and %zu inputs made of them\n", files.size(), inputs);
    return 0;
}
