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

} // namespace raphe::test
