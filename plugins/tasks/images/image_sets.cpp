// SPDX-License-Identifier: Apache-2.0
#include "image_sets.h"

#include "idx.h"
#include "strokes.h"

#include "raphe/error.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>

namespace raphe {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t mostPixels = std::size_t{1} << 28; ///< bytes of a file

/// The file of this name, compressed or not. @throws Error
std::string fileNamed(const std::string& folder, const std::string& name) {
    for (const auto& path : {folder + "/" + name, folder + "/" + name + ".gz"}) {
        std::error_code error;
        if (fs::is_regular_file(path, error)) return path;
    }
    throw Error(folder, "there is no " + name + " or " + name +
                            ".gz; get the four files of MNIST, for example from "
                            "https://ossci-datasets.s3.amazonaws.com/mnist/, and put them there, or choose the source "
                            "\"strokes\", which needs no files");
}

std::string mnistFolder() {
    const char* data = std::getenv("RAPHE_DATA_DIR");
    if (data && *data) return std::string(data) + "/mnist";
    throw Error("source",
                "mnist is read from the folder \"mnist\" below the one that the environment variable "
                "RAPHE_DATA_DIR names, which is not set; put train-images-idx3-ubyte.gz, "
                "train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz there, or "
                "choose \"strokes\", which needs no files");
}

/// Tells whether a file is still the one that was read.
std::string stampOf(const std::string& path) {
    std::error_code error;
    const auto time = fs::last_write_time(path, error).time_since_epoch().count();
    return path + " " + std::to_string(time) + " " + std::to_string(fs::file_size(path, error));
}

std::string nameOfPart(bool test, const char* kind) { return std::string(test ? "t10k" : "train") + kind; }

} // namespace

ImageSet readMnist(const std::string& folder, bool test) {
    const auto imageFile = fileNamed(folder, nameOfPart(test, "-images-idx3-ubyte")),
               labelFile = fileNamed(folder, nameOfPart(test, "-labels-idx1-ubyte"));
    auto images = readIdx(imageFile, mostPixels), labels = readIdx(labelFile, mostPixels);
    if (images.shape.size() != 3)
        throw Error(imageFile, "expected images (3 dimensions), got " + std::to_string(images.shape.size()));
    if (labels.shape.size() != 1)
        throw Error(labelFile, "expected labels (1 dimension), got " + std::to_string(labels.shape.size()));
    if (images.shape[0] != labels.shape[0])
        throw Error(labelFile, "holds " + std::to_string(labels.shape[0]) + " labels for " +
                                   std::to_string(images.shape[0]) + " images");
    if (images.shape[1] != 28 || images.shape[2] != 28)
        throw Error(imageFile, "expected images of 28 x 28 pixels, got " + std::to_string(images.shape[1]) + " x " +
                                   std::to_string(images.shape[2]));
    const auto wrong = std::find_if(labels.values.begin(), labels.values.end(), [](auto label) { return label > 9; });
    if (wrong != labels.values.end())
        throw Error(labelFile, "expected digits, got the label " + std::to_string(*wrong));
    return {static_cast<int>(images.shape[0]), 28, 28, 10, std::move(images.values), std::move(labels.values)};
}

std::shared_ptr<const ImageSet> imageSet(const std::string& source, bool test, int count) {
    static std::mutex mutex;
    static std::map<std::string, std::shared_ptr<const ImageSet>> sets;
    const std::lock_guard lock(mutex); // who comes second waits for the first to read
    if (source == "strokes") {
        auto& set = sets[test ? "strokes test" : "strokes train"];
        if (!set || set->count < count) set = std::make_shared<const ImageSet>(drawDigits(count, test));
        return set;
    }
    const auto folder = mnistFolder();
    auto key = stampOf(fileNamed(folder, nameOfPart(test, "-images-idx3-ubyte")));
    key += "\n" + stampOf(fileNamed(folder, nameOfPart(test, "-labels-idx1-ubyte")));
    auto& set = sets[key];
    if (!set) set = std::make_shared<const ImageSet>(readMnist(folder, test));
    return set;
}

} // namespace raphe
