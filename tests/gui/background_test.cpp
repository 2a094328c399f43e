// SPDX-License-Identifier: GPL-3.0-or-later
// What the window has done on other threads, and how it comes back.
#include "gui/shell/background.h"
#include "gui/shell/latest.h"
#include "window_support.h"

#include <QObject>

#include <atomic>
#include <thread>

namespace raphe {
namespace {

using test::eventually;

TEST(WorkerPool, DoesOneThingAfterTheOtherAndWaitsForAll) {
    std::vector<int> done;
    {
        WorkerPool pool{1};
        for (int i = 0; i < 100; ++i) pool.start([&done, i] { done.push_back(i); });
        pool.waitForDone();
        EXPECT_EQ(done.size(), 100u);
        for (int i = 100; i < 120; ++i) pool.start([&done, i] { done.push_back(i); });
    }
    ASSERT_EQ(done.size(), 120u) << "its end waits as well";
    for (int i = 0; i < 120; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
}

TEST(WorkerPool, WorksOnSeveralThingsAtOnce) {
    WorkerPool pool{3};
    std::atomic<int> here{0}, most{0};
    for (int i = 0; i < 3; ++i)
        pool.start([&] {
            most = std::max(most.load(), ++here);
            for (int wait = 0; wait < 2000 && here < 3; ++wait)
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
        });
    pool.waitForDone();
    EXPECT_EQ(here, 3) << "none of them would have ended alone";
}

TEST(GuiThread, ActsOnItsThreadInTheOrderOfEachThatAsks) {
    QObject receiver;
    std::vector<std::pair<int, int>> acted;
    std::vector<std::thread> threads;
    const auto here = std::this_thread::get_id();
    bool elsewhere = false;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 50; ++i)
                onGuiThread(&receiver, [&, t, i] {
                    elsewhere = elsewhere || std::this_thread::get_id() != here;
                    acted.emplace_back(t, i);
                });
        });
    for (auto& thread : threads) thread.join();
    EXPECT_TRUE(acted.empty()) << "nothing before the event loop has its turn";
    EXPECT_TRUE(eventually([&] { return acted.size() == 200; }));
    EXPECT_FALSE(elsewhere);
    std::array<int, 4> next{};
    for (const auto& [thread, i] : acted) EXPECT_EQ(i, next[static_cast<std::size_t>(thread)]++);
}

TEST(GuiThread, LeavesAloneWhoIsGone) {
    bool acted = false, reached = false;
    QObject here;
    {
        QObject receiver;
        onGuiThread(&receiver, [&] { acted = true; });
    }
    onGuiThread(&here, [&] { reached = true; });
    EXPECT_TRUE(eventually([&] { return reached; }));
    EXPECT_FALSE(acted);
}

TEST(Background, TellsTheResultOrTheReasonOnTheGuiThread) {
    QObject receiver;
    const auto here = std::this_thread::get_id();
    int result = 0;
    QString why;
    inBackground<int>(
        &receiver,
        [here] {
            if (std::this_thread::get_id() == here) throw std::logic_error("the same thread");
            return 42;
        },
        [&](int value) { result = value; }, [&](const QString& reason) { why = reason; });
    EXPECT_TRUE(eventually([&] { return result != 0 || !why.isEmpty(); }));
    EXPECT_EQ(result, 42) << why.toStdString();
    inBackground<int>(
        &receiver, []() -> int { throw std::runtime_error("because"); }, [&](int value) { result = value; },
        [&](const QString& reason) { why = reason; });
    EXPECT_TRUE(eventually([&] { return !why.isEmpty(); }));
    EXPECT_EQ(why, "because");
    EXPECT_EQ(result, 42);
}

} // namespace
} // namespace raphe
