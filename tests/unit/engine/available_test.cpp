// SPDX-License-Identifier: Apache-2.0
#include "engine/base/available.h"

#include "temporary_directory.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace raphe::test {
namespace {

class Available : public testing::Test {
protected:
    void write(const std::string& file, const std::string& text) const {
        const auto path = root_ / file;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }
    double bytes() const { return availableMemory(root_.path()); }

    TemporaryDirectory root_;
};

TEST_F(Available, IsUnlimitedWhereNobodySays) { EXPECT_TRUE(std::isinf(bytes())); }

TEST_F(Available, IsWhatTheMachineHasFree) {
    write("proc/meminfo", "MemTotal:       16000 kB\nMemFree:         100 kB\nMemAvailable:    8000 kB\n");
    EXPECT_EQ(bytes(), 8000 * 1024.0);
}

TEST_F(Available, RespectsControlGroupsAndThoseAboveThem) {
    write("proc/meminfo", "MemAvailable:    8000 kB\n");
    write("proc/self/cgroup", "0::/jobs/one\n");
    write("sys/fs/cgroup/jobs/one/memory.max", "max\n");
    EXPECT_EQ(bytes(), 8000 * 1024.0);
    write("sys/fs/cgroup/jobs/memory.max", "1000000\n");
    write("sys/fs/cgroup/jobs/memory.current", "700000\n");
    EXPECT_EQ(bytes(), 300000);
    write("sys/fs/cgroup/jobs/memory.stat", "anon 500000\ninactive_file 150000\nactive_file 50000\n");
    EXPECT_EQ(bytes(), 450000) << "files that were read give way";
    write("sys/fs/cgroup/jobs/one/memory.max", "100000\n");
    write("sys/fs/cgroup/jobs/one/memory.current", "400000\n");
    EXPECT_EQ(bytes(), 0) << "a limit may lie below what is used already";
}

TEST_F(Available, RespectsTheFirstVersionOfControlGroups) {
    write("proc/self/cgroup", "12:cpu,cpuacct:/jobs\n5:memory:/jobs\n0::/\n");
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    write("sys/fs/cgroup/memory/memory.usage_in_bytes", "1000\n");
    write("sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", "5000\n");
    write("sys/fs/cgroup/memory/jobs/memory.usage_in_bytes", "3000\n");
    write("sys/fs/cgroup/memory/jobs/memory.stat", "inactive_file 1\ntotal_inactive_file 500\n");
    EXPECT_EQ(bytes(), 2500);
}

TEST_F(Available, FindsTheGroupOfAContainerWhosePathIsThatOfTheMachineOutside) {
    write("proc/self/cgroup", "0::/outside/of/here\n");
    write("sys/fs/cgroup/memory.max", "6000\n");
    write("sys/fs/cgroup/memory.current", "1000\n");
    EXPECT_EQ(bytes(), 5000);
}

TEST_F(Available, SaysHowMuchDiskAFolderHasThatDoesNotExistYet) {
    const double free = availableDisk(root_ / "runs/new/one");
    EXPECT_GT(free, 0);
    EXPECT_FALSE(std::isinf(free));
}

TEST(BytesText, IsShort) {
    EXPECT_EQ(bytesText(0), "0.0 KiB");
    EXPECT_EQ(bytesText(512 * 1024.0), "512 KiB");
    EXPECT_EQ(bytesText(7.5 * 1048576), "7.5 MiB");
    EXPECT_EQ(bytesText(23.8 * 1073741824), "24 GiB");
    EXPECT_EQ(bytesText(1e30), "8.7e+11 EiB");
    EXPECT_EQ(bytesText(std::numeric_limits<double>::infinity()), "any number of bytes");
}

} // namespace
} // namespace raphe::test
