// SPDX-License-Identifier: Apache-2.0
#include "tasks/images/idx.h"
#include "tasks/images/images.h"
#include "tasks/images/strokes.h"

#include "model_driver.h"

#include <zlib.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>

namespace raphe::test {
namespace {

namespace fs = std::filesystem;

/// A task of this kind and the trials that it makes.
class Player {
public:
    explicit Player(const ParamValues& changed) : declaration_(Images<double>::declare().data(Kind::task)) {
        auto values = declaration_.defaults();
        values["train_images"] = std::int64_t{100};
        values["test_images"] = std::int64_t{50};
        values["validation_images"] = std::int64_t{30};
        for (const auto& [key, value] : changed) values.at(key) = value;
        problem = declaration_.check(values);
        if (!problem.empty()) return;
        std::vector<int> sizes;
        for (const auto& port : declaration_.ports) sizes.push_back(port.size(values));
        Builder builder(declaration_, sizes, std::vector<bool>(sizes.size(), false), 1);
        task_ = std::make_unique<Images<double>>(Images<double>::declare().fill(values), builder);
        for (const int size : sizes) ports_.emplace_back(static_cast<std::size_t>(std::max(size, 0)));
    }
    ImagesTrial trial(std::uint32_t iteration, std::uint32_t number, std::uint32_t batch, std::uint64_t seed = 1) {
        Stream stream(seed, addressOf("task"), iteration, number, 0);
        ImagesTrial trial;
        task_->begin(trial, TrialPlace{iteration, number, batch, seed, addressOf("task")}, stream);
        return trial;
    }
    void show(ImagesTrial trial, std::uint32_t number = 0) {
        std::vector<double*> pointers;
        for (auto& port : ports_) {
            std::fill(port.begin(), port.end(), 0.0);
            pointers.push_back(port.data());
        }
        TaskStep<double> s(0, pointers.data(), Stream(1, addressOf("task"), 0, number, 1));
        task_->observe(trial, s);
    }
    const std::vector<double>& port(const char* name) const {
        return ports_[static_cast<std::size_t>(declaration_.port(name))];
    }
    std::string problem;

private:
    DeclarationData declaration_;
    std::unique_ptr<Images<double>> task_;
    std::vector<std::vector<double>> ports_;
};

ParamValue text(const char* value) { return std::string(value); }
ParamValue list(std::vector<double> values) { return values; }

TEST(Images, ShowEachOnceInAnEpochAndLeaveOutTheRest) {
    Player p({});
    std::vector<std::vector<int>> epochs(2);
    for (std::uint32_t iteration = 0; iteration < 6; ++iteration) // 3 full batches of 30 out of 100
        for (std::uint32_t b = 0; b < 30; ++b) epochs[iteration / 3].push_back(p.trial(iteration, b, 30).image);
    for (const auto& epoch : epochs) EXPECT_EQ(std::set<int>(epoch.begin(), epoch.end()).size(), 90u);
    EXPECT_NE(epochs[0], epochs[1]) << "every epoch has an order of its own";
    EXPECT_NE(p.trial(0, 0, 30, 2).image * 100 + p.trial(0, 1, 30, 2).image, epochs[0][0] * 100 + epochs[0][1]);
    EXPECT_EQ(p.trial(4, 7, 30).image, epochs[1][37]) << "a place can be asked for by itself";
    std::vector<int> whole;
    for (std::uint32_t b = 0; b < 100; ++b) whole.push_back(p.trial(0, b, 100).image);
    EXPECT_EQ(std::set<int>(whole.begin(), whole.end()).size(), 100u);
}

TEST(Images, OrdersAreUniform) {
    // Of 5 images each place holds each image about equally often: chi-squared of 16 degrees of freedom.
    std::vector<std::vector<double>> counts(5, std::vector<double>(5));
    const int orders = 20000;
    for (int key = 0; key < orders; ++key) {
        const Order order(addressOf("key", static_cast<std::uint64_t>(key)), 5);
        std::set<std::uint32_t> seen;
        for (std::uint32_t i = 0; i < 5; ++i) {
            counts[i][order.at(i)] += 1;
            seen.insert(order.at(i));
        }
        ASSERT_EQ(seen.size(), 5u);
    }
    double chi = 0;
    for (const auto& row : counts)
        for (const double n : row) chi += (n - orders / 5.0) * (n - orders / 5.0) / (orders / 5.0);
    EXPECT_LT(chi, 45) << "p = 0.0001";
    for (const std::uint32_t count : {1u, 2u, 3u, 1000u, 60000u}) {
        const Order order(7, count);
        std::vector<bool> seen(count);
        for (std::uint32_t i = 0; i < count; ++i) {
            ASSERT_LT(order.at(i), count);
            ASSERT_FALSE(seen[order.at(i)]);
            seen[order.at(i)] = true;
        }
    }
}

TEST(Images, SplitsDoNotShareImages) {
    const auto seen = [](const char* split, std::uint32_t count) {
        Player p({{"split", text(split)}});
        std::set<std::vector<double>> images;
        for (std::uint32_t b = 0; b < count; ++b) {
            p.show(p.trial(0, b, count));
            images.insert(p.port("image"));
        }
        EXPECT_EQ(images.size(), count) << split;
        return images;
    };
    const auto train = seen("train", 100), validation = seen("validation", 30), test = seen("test", 50);
    for (const auto& image : validation) EXPECT_FALSE(train.contains(image) || test.contains(image));
    for (const auto& image : test) EXPECT_FALSE(train.contains(image));
}

TEST(Images, ContextsComeFromTheSupport) {
    Player p({{"context", text("rotation")}, {"support", list({0.1, 0.2, 0.5, 0.8})}});
    int low = 0;
    for (std::uint32_t i = 0; i < 4000; ++i) {
        const double s = p.trial(i, 0, 1).context[0];
        ASSERT_TRUE((s >= 0.1 && s < 0.2) || (s >= 0.5 && s < 0.8)) << s;
        low += s < 0.3;
    }
    EXPECT_NEAR(low / 4000.0, 0.25, 0.03);
    Player fixed({{"context", text("rotation_shift")}, {"at", list({0.1, 0.2, 0.3, 0.4})}});
    EXPECT_EQ(fixed.trial(0, 99, 200).context[1], 0.2);
    EXPECT_EQ(fixed.trial(0, 100, 200).context[0], 0.3) << "the second context, after each image once";
    EXPECT_EQ(fixed.trial(0, 0, 200).image, Player({}).trial(0, 0, 200).image);
}

TEST(Images, AreTurnedByTheirContext) {
    Player turned({{"context", text("rotation")}, {"at", list({0.25})}}), plain({});
    const auto trial = plain.trial(0, 3, 10);
    plain.show(trial);
    const auto upright = plain.port("image");
    turned.show(turned.trial(0, 3, 10));
    EXPECT_EQ(turned.port("context"), std::vector<double>{0.25});
    // A quarter turn reads row 27 - c, column r.
    for (int r = 0; r < 28; ++r)
        for (int c = 0; c < 28; ++c)
            EXPECT_NEAR(turned.port("image")[static_cast<std::size_t>(28 * r + c)],
                        upright[static_cast<std::size_t>(28 * (27 - c) + r)], 1e-9);
    EXPECT_GT(std::accumulate(upright.begin(), upright.end(), 0.0), 20) << "there is a digit";
}

TEST(Images, AreShiftedCyclically) {
    Player p({{"context", text("rotation_shift")}, {"at", list({0, 0.25})}}), plain({});
    plain.show(plain.trial(0, 3, 10));
    p.show(p.trial(0, 3, 10));
    for (int r = 0; r < 28; ++r)
        for (int c = 0; c < 28; ++c)
            EXPECT_NEAR(p.port("image")[static_cast<std::size_t>(28 * r + c)],
                        plain.port("image")[static_cast<std::size_t>(28 * r + (c + 22) % 28)], 1e-9);
}

TEST(Images, NoiseHasTheDeviationOfTheContext) {
    Player p({{"context", text("noise")}, {"noise", 2.0}, {"at", list({0.25})}, {"pool", integer(2)}}), plain({});
    plain.show(plain.trial(0, 0, 100));
    double sum = 0, squares = 0;
    for (std::uint32_t b = 0; b < 100; ++b) {
        p.show(p.trial(0, b, 100), b);
        if (b == 0)
            EXPECT_NEAR(p.port("clean")[14 * 7 + 7],
                        (plain.port("image")[28 * 14 + 14] + plain.port("image")[28 * 14 + 15] +
                         plain.port("image")[28 * 15 + 14] + plain.port("image")[28 * 15 + 15]) /
                            4,
                        1e-12);
        ASSERT_EQ(p.port("image").size(), 196u);
        for (std::size_t i = 0; i < 196; ++i) {
            const double noise = p.port("image")[i] - p.port("clean")[i];
            sum += noise;
            squares += noise * noise;
        }
    }
    const double n = 19600;
    EXPECT_NEAR(sum / n, 0, 0.02);
    EXPECT_NEAR(std::sqrt(squares / n), 0.5, 0.01);
}

TEST(Images, SequencesGoFromTaskToTask) {
    Player p({{"sequence", text("split")}, {"task_iterations", list({2, 3, 1, 1, 1})}});
    const std::vector<int> tasks{0, 0, 1, 1, 1, 2, 3, 4, 4, 4};
    for (std::uint32_t i = 0; i < 10; ++i) {
        const auto trial = p.trial(i, 0, 4);
        EXPECT_EQ(trial.task, tasks[i]);
        p.show(trial);
        EXPECT_EQ(p.port("label").size(), 2u);
        EXPECT_EQ(p.port("task")[static_cast<std::size_t>(trial.task)], 1);
        EXPECT_EQ(std::accumulate(p.port("task").begin(), p.port("task").end(), 0.0), 1);
    }
    Player multi({{"sequence", text("split")}, {"heads", text("multi")}, {"task", integer(3)}});
    for (std::uint32_t b = 0; b < 8; ++b) {
        multi.show(multi.trial(0, b, 8));
        EXPECT_EQ(multi.port("label")[6] + multi.port("label")[7], 1);
        EXPECT_EQ(multi.port("classes"), (std::vector<double>{0, 0, 0, 0, 0, 0, 1, 1, 0, 0}));
    }
    Player first({{"sequence", text("permuted")}, {"task", integer(0)}}),
        third({{"sequence", text("permuted")}, {"task", integer(2)}}), plain({});
    auto trial = plain.trial(0, 0, 1);
    plain.show(trial);
    first.show(trial);
    EXPECT_EQ(first.port("image"), plain.port("image"));
    trial.task = 2;
    third.show(trial);
    EXPECT_NE(third.port("image"), plain.port("image"));
    auto sorted = third.port("image"), original = plain.port("image");
    std::sort(sorted.begin(), sorted.end());
    std::sort(original.begin(), original.end());
    EXPECT_EQ(sorted, original) << "the same pixels in another order";
}

TEST(Images, RefuseWhatDoesNotFit) {
    EXPECT_NE(Player({{"pool", integer(3)}}).problem.find("divisor of 28"), std::string::npos);
    EXPECT_NE(Player({{"at", list({0.5})}}).problem.find("no context"), std::string::npos);
    EXPECT_NE(Player({{"sequence", text("split")}, {"tasks", integer(4)}}).problem.find("1, 2 or 5"),
              std::string::npos);
    EXPECT_NE(Player({{"support", list({0.5, 0.2})}}).problem.find("smaller one first"), std::string::npos);
}

TEST(Images, DrawnDigitsAreTheSameInSetsOfAnySize) {
    const auto few = drawDigits(20, false), many = drawDigits(200, false), test = drawDigits(20, true);
    EXPECT_TRUE(std::equal(few.pixels.begin(), few.pixels.end(), many.pixels.begin()));
    EXPECT_NE(few.pixels, test.pixels);
    std::vector<int> counts(10);
    for (const auto label : many.labels) ++counts[label];
    for (const int count : counts) EXPECT_GT(count, 5);
}

TEST(Images, SayWhereToPutMnist) {
    const auto refusal = [] {
        try {
            Player p({{"source", text("mnist")}});
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    const char* before = std::getenv("RAPHE_DATA_DIR");
    const std::string kept = before ? before : "";
    unsetenv("RAPHE_DATA_DIR");
    EXPECT_NE(refusal().find("RAPHE_DATA_DIR"), std::string::npos);
    EXPECT_NE(refusal().find("strokes"), std::string::npos);
    setenv("RAPHE_DATA_DIR", testing::TempDir().c_str(), 1);
    EXPECT_NE(refusal().find("train-images-idx3-ubyte.gz"), std::string::npos);
    if (before)
        setenv("RAPHE_DATA_DIR", kept.c_str(), 1);
    else
        unsetenv("RAPHE_DATA_DIR");
}

class Idx : public testing::Test {
protected:
    void SetUp() override { path_ = testing::TempDir() + "/raphe_idx_" + std::to_string(getpid()); }
    void TearDown() override { fs::remove(path_); }
    void write(const std::vector<std::uint8_t>& bytes) {
        std::ofstream(path_, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
    std::string refusal(std::size_t limit = 1000) {
        try {
            readIdx(path_, limit);
        } catch (const Error& error) {
            EXPECT_EQ(std::string(error.what()).find(path_), 0u) << error.what();
            return error.what();
        }
        return "accepted";
    }
    std::string path_;
};

const std::vector<std::uint8_t> good{0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255};

TEST_F(Idx, ReadsFilesAsTheyAreAndCompressed) {
    for (const bool compressed : {false, true}) {
        if (compressed) {
            const gzFile file = gzopen(path_.c_str(), "wb");
            gzwrite(file, good.data(), static_cast<unsigned>(good.size()));
            gzclose(file);
        } else {
            write(good);
        }
        const auto array = readIdx(path_, 6);
        EXPECT_EQ(array.shape, (std::vector<std::size_t>{2, 3}));
        EXPECT_EQ(array.values, (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 255}));
        EXPECT_NE(refusal(5).find("limit"), std::string::npos);
    }
}

TEST_F(Idx, RefusesWhatIsWrongInOneSentence) {
    EXPECT_NE(refusal().find("cannot be opened"), std::string::npos);
    const auto with = [&](std::size_t at, std::uint8_t value) {
        auto bytes = good;
        bytes[at] = value;
        write(bytes);
        return refusal();
    };
    EXPECT_NE(with(0, 1).find("no IDX file"), std::string::npos);
    EXPECT_NE(with(2, 9).find("type 9"), std::string::npos);
    EXPECT_NE(with(3, 0).find("0 dimensions"), std::string::npos);
    EXPECT_NE(with(7, 0).find("size 0"), std::string::npos);
    EXPECT_NE(with(4, 255).find("limit"), std::string::npos);
    EXPECT_NE(with(11, 4).find("ends after 6 of 8"), std::string::npos);
    EXPECT_NE(with(11, 2).find("goes on after the 4"), std::string::npos);
    write({0, 0, 8, 2, 0, 0});
    EXPECT_NE(refusal().find("within its header"), std::string::npos);
    write({0, 0});
    EXPECT_NE(refusal().find("no IDX file"), std::string::npos);
    const gzFile file = gzopen(path_.c_str(), "wb");
    gzwrite(file, good.data(), static_cast<unsigned>(good.size()));
    gzclose(file);
    fs::resize_file(path_, fs::file_size(path_) - 9);
    EXPECT_NE(refusal(), "accepted") << "a compressed file that has been cut off";
}

} // namespace
} // namespace raphe::test
