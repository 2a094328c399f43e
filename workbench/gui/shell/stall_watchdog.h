// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QTimer>

#include <functional>

namespace raphe {

/// How long events have waited for the event loop.
struct StallFigures {
    static constexpr double noticed = 5; ///< ms; what is shorter is no stall
    static constexpr double felt = 50, long_ = 250;

    long beats = 0;  ///< times that were measured
    long stalls = 0; ///< beats that came late
    long aboveFelt = 0, aboveLong = 0;
    double longest = 0, total = 0; ///< ms

    /// @param late  ms by which a beat came late
    void count(double late);
    /// Part of the stalls that nobody feels; 1 if there are none.
    double shareBelowFelt() const;
};

/// Beats on the event loop and measures how late each beat is: as late as a key or a click at that moment would have
/// been.
class StallWatchdog final : public QObject {
    Q_OBJECT

public:
    static constexpr int period = 10; ///< ms

    /// @param milliseconds  a clock that never goes back; by default the system's
    explicit StallWatchdog(QObject* parent = nullptr, std::function<double()> milliseconds = {});

    void start();
    void stop() { timer_.stop(); }
    /// One beat; the timer calls it.
    void beat();
    const StallFigures& figures() const { return figures_; }
    void reset();

private:
    std::function<double()> now_;
    QTimer timer_;
    StallFigures figures_;
    double last_ = 0;
};

} // namespace raphe
