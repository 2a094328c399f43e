// SPDX-License-Identifier: Apache-2.0
#include "engine/base/background_sync.h"
#include "engine/base/set_aside.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>
#include <unistd.h>

namespace raphe {
namespace {

int openFile() { return ::open("/dev/null", O_WRONLY | O_CLOEXEC); }

TEST(BackgroundSync, WritesOnceForManyTouchesAndAgainAfterTheLast) {
    std::atomic<int> syncs{0};
    BackgroundSync sync([&](int) { ++syncs; }, std::chrono::milliseconds(20));
    const auto file = sync.watch(openFile());
    const auto wait = [&](int least) {
        for (int i = 0; i < 5000 && syncs < least; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return syncs >= least;
    };
    EXPECT_EQ(syncs, 0);
    file->touch();
    EXPECT_TRUE(wait(1));
    for (int i = 0; i < 100000; ++i) file->touch();
    EXPECT_TRUE(wait(2)) << "what was touched after a sync is synced again";
    EXPECT_LT(syncs, 5000) << "but not for each touch";
}

TEST(BackgroundSync, NeverWaitsForTheDiskAndSyncsWhatIsLeftAtItsEnd) {
    std::atomic<int> begun{0}, ended{0};
    std::atomic<bool> free{false};
    std::shared_ptr<SyncedFile> file, other;
    {
        BackgroundSync sync(
            [&](int) {
                ++begun;
                while (!free) std::this_thread::sleep_for(std::chrono::milliseconds(1));
                ++ended;
            },
            std::chrono::hours(1));
        file = sync.watch(openFile());
        other = sync.watch(openFile());
        file->touch();
        while (begun == 0) std::this_thread::yield();
        file->touch(); // returns while the disk is busy, or this test never ends
        other->touch();
        free = true;
    }
    EXPECT_EQ(ended, 3);
}

TEST(BackgroundSync, AFileThatIsGoneIsClosedAndNotSynced) {
    std::atomic<int> syncs{0};
    const int number = openFile();
    {
        BackgroundSync sync([&](int) { ++syncs; }, std::chrono::milliseconds(1));
        sync.watch(number).reset();
        EXPECT_EQ(::fcntl(number, F_GETFD), -1);
    }
    EXPECT_EQ(syncs, 0);
}

TEST(SetAside, KeepsEveryBrokenFileUnderANumberOfItsOwn) {
    const auto folder = std::filesystem::path(testing::TempDir()) / ("set_aside_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    for (const char* name : {"settings.corrupt-1", "settings.corrupt-2"}) {
        std::ofstream(folder / "settings") << name;
        EXPECT_EQ(setAside(folder / "settings"), folder / name);
        EXPECT_FALSE(std::filesystem::exists(folder / "settings"));
        std::string kept;
        std::ifstream(folder / name) >> kept;
        EXPECT_EQ(kept, name);
    }
    std::filesystem::remove_all(folder);
}

} // namespace
} // namespace raphe
