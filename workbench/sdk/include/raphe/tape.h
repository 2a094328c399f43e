// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/error.h"

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

namespace raphe {

template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using MatrixMap = Eigen::Map<Matrix<T>>;
template <class T>
using ArrayMap = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic>>;

/// Memory that is handed out in order and freed as a whole. Its blocks are kept, so that a warm arena asks the heap for
/// nothing. Every piece is aligned to 64 bytes.
class Arena {
public:
    static constexpr std::size_t alignment = 64;

    void* allocate(std::size_t bytes) {
        bytes = (bytes + alignment - 1) / alignment * alignment;
        while (block_ < blocks_.size() && used_ + bytes > blocks_[block_].size) {
            ++block_;
            used_ = 0;
        }
        if (block_ == blocks_.size()) {
            const std::size_t size = bytes > blockBytes ? bytes : blockBytes;
            blocks_.push_back({std::unique_ptr<std::byte, Free>(
                                   static_cast<std::byte*>(::operator new (size, std::align_val_t{alignment}))),
                               size});
            used_ = 0;
        }
        void* result = blocks_[block_].data.get() + used_;
        used_ += bytes;
        return result;
    }
    template <class T>
    T* array(std::size_t count) {
        return static_cast<T*>(allocate(count * sizeof(T)));
    }

    /// Frees everything that was handed out.
    void clear() {
        block_ = 0;
        used_ = 0;
    }
    /// Bytes asked of the heap so far.
    std::size_t capacity() const {
        std::size_t sum = 0;
        for (const auto& block : blocks_) sum += block.size;
        return sum;
    }

private:
    static constexpr std::size_t blockBytes = std::size_t{1} << 20;
    struct Free {
        void operator()(std::byte* data) const { ::operator delete (data, std::align_val_t{alignment}); }
    };
    struct Block {
        std::unique_ptr<std::byte, Free> data;
        std::size_t size;
    };
    std::vector<Block> blocks_;
    std::size_t block_ = 0, used_ = 0;
};

template <class T>
class Tape;

/// A dense matrix on a tape: units x columns, column-major; a column is one trial at one time step. `adjoint` is null
/// where no gradient is wanted. Copies are views of the same numbers.
template <class T>
struct Value {
    Tape<T>* tape = nullptr;
    T* data = nullptr;
    T* adjoint = nullptr;
    int rows = 0, cols = 0;

    explicit operator bool() const { return data != nullptr; }
    std::size_t size() const { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols); }
    MatrixMap<T> value() const { return {data, rows, cols}; }
    MatrixMap<T> gradient() const { return {adjoint, rows, cols}; }
    ArrayMap<T> array() const { return {data, rows, cols}; }
    ArrayMap<T> gradientArray() const { return {adjoint, rows, cols}; }
    T* column(int c) const { return data + static_cast<std::size_t>(c) * static_cast<std::size_t>(rows); }
    T* gradientColumn(int c) const { return adjoint + static_cast<std::size_t>(c) * static_cast<std::size_t>(rows); }
    Value columns(int first, int count) const {
        const auto offset = static_cast<std::size_t>(first) * static_cast<std::size_t>(rows);
        return {tape, data + offset, adjoint ? adjoint + offset : nullptr, rows, count};
    }
    /// The same numbers, through which no gradient flows.
    Value constant() const { return {tape, data, nullptr, rows, cols}; }
};

/// Reverse-mode differentiation: operations append a step that turns the adjoint of their result into the adjoints of
/// their operands; `backward` runs these steps from last to first. One thread uses a tape at a time.
template <class T>
class Tape {
public:
    /// Whether operations are recorded. While it is off, results have no adjoints.
    bool recording() const { return recording_; }
    void setRecording(bool on) { recording_ = on; }

    /// Uninitialised matrix; its adjoint (if `gradient` and recording) is zero.
    Value<T> make(int rows, int cols, bool gradient = true) {
        Value<T> result{this, arena_.array<T>(static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols)), nullptr,
                        rows, cols};
        if (gradient && recording_) result.adjoint = zeros(result.size());
        return result;
    }
    T* zeros(std::size_t count) {
        T* result = arena_.array<T>(count);
        std::memset(static_cast<void*>(result), 0, count * sizeof(T));
        return result;
    }
    Value<T> constant(int rows, int cols, T value) {
        Value<T> result = make(rows, cols, false);
        result.array().setConstant(value);
        return result;
    }

    /// Appends a reverse step, a callable without arguments that captures trivially (Values, numbers, pointers).
    template <class F>
    void reverse(F step) {
        static_assert(std::is_trivially_destructible_v<F>,
                      "capture Values and numbers only: the arena runs no destructors");
        if (!recording_) return;
        auto* record = new (arena_.allocate(sizeof(Record<F>))) Record<F>{{&Record<F>::run, last_}, step};
        last_ = &record->header;
    }

    /// Runs all reverse steps from last to first. Adjoints of results must have been seeded.
    void backward() {
        for (Header* record = last_; record; record = record->previous) record->run(record);
        last_ = nullptr;
    }
    /// Forgets everything; the memory is kept for the next use.
    void clear() {
        arena_.clear();
        last_ = nullptr;
    }
    Arena& arena() { return arena_; }

private:
    struct Header {
        void (*run)(Header*);
        Header* previous;
    };
    template <class F>
    struct Record {
        Header header;
        F step;
        static void run(Header* header) { reinterpret_cast<Record*>(header)->step(); }
    };

    Arena arena_;
    Header* last_ = nullptr;
    bool recording_ = false;
};

} // namespace raphe
