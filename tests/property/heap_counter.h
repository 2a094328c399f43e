// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace raphe::test {

/// Counts what the calling thread asks of the heap (malloc and its relatives, hence operator new too; in plugins as
/// well) while an instance lives. The program replaces the C library's functions for this.
class HeapCounter {
public:
    HeapCounter();
    ~HeapCounter();
    HeapCounter(const HeapCounter&) = delete;
    HeapCounter& operator=(const HeapCounter&) = delete;
    long calls() const;
    /// Whether calls can be counted in this build (not under sanitizers, nor without the GNU C library).
    static bool available();
};

/// The most bytes that all threads together have taken from the heap, and not given back, at any time while an instance
/// lives. One at a time.
class HeapPeak {
public:
    HeapPeak();
    ~HeapPeak();
    HeapPeak(const HeapPeak&) = delete;
    HeapPeak& operator=(const HeapPeak&) = delete;
    long bytes() const;
};

} // namespace raphe::test
