// SPDX-License-Identifier: Apache-2.0
#include "heap_counter.h"

#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

namespace {
thread_local bool counting = false;
thread_local long counted = 0;
std::atomic<bool> watching = false;
std::atomic<long> held = 0, most = 0;
} // namespace

namespace raphe::test {
HeapCounter::HeapCounter() {
    counted = 0;
    counting = true;
}
HeapCounter::~HeapCounter() { counting = false; }
long HeapCounter::calls() const { return counted; }

HeapPeak::HeapPeak() {
    held = most = 0;
    watching = true;
}
HeapPeak::~HeapPeak() { watching = false; }
long HeapPeak::bytes() const { return most; }
} // namespace raphe::test

#if defined(__GLIBC__) && !defined(RAPHE_SANITIZED)

bool raphe::test::HeapCounter::available() { return true; }

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
}

namespace {
void* taken(void* memory) {
    counted += counting;
    if (!watching || !memory) return memory;
    const long size = static_cast<long>(malloc_usable_size(memory)), now = held += size;
    for (long before = most; before < now && !most.compare_exchange_weak(before, now);) {
    }
    return memory;
}
void givenBack(void* memory) {
    if (watching && memory) held -= static_cast<long>(malloc_usable_size(memory));
}
} // namespace

extern "C" {
// Symbols of the program come before those of all libraries, also of those that are loaded later.
void* malloc(std::size_t size) { return taken(__libc_malloc(size)); }
void* calloc(std::size_t count, std::size_t size) { return taken(__libc_calloc(count, size)); }
void* realloc(void* old, std::size_t size) {
    givenBack(old);
    return taken(__libc_realloc(old, size));
}
void* memalign(std::size_t alignment, std::size_t size) { return taken(__libc_memalign(alignment, size)); }
void* aligned_alloc(std::size_t alignment, std::size_t size) { return taken(__libc_memalign(alignment, size)); }
int posix_memalign(void** result, std::size_t alignment, std::size_t size) {
    *result = taken(__libc_memalign(alignment, size));
    return *result ? 0 : ENOMEM;
}
void free(void* old) {
    givenBack(old);
    __libc_free(old);
}
}

#else

bool raphe::test::HeapCounter::available() { return false; }

#endif
