// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/mechanism.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace raphe {

/// A flat array aligned to 64 bytes, zero when made.
template <class T>
class AlignedArray {
public:
    AlignedArray() = default;
    explicit AlignedArray(std::size_t size) : size_(size) {
        if (size == 0) return;
        data_.reset(static_cast<T*>(::operator new (size * sizeof(T), std::align_val_t{64})));
        clear();
    }
    AlignedArray clone() const {
        AlignedArray copy(size_);
        if (size_ != 0) std::memcpy(static_cast<void*>(copy.data()), data(), size_ * sizeof(T));
        return copy;
    }
    void clear() {
        if (size_ != 0) std::memset(static_cast<void*>(data_.get()), 0, size_ * sizeof(T));
    }
    T* data() const { return data_.get(); }
    std::size_t size() const { return size_; }
    T& operator[](std::size_t i) const { return data_.get()[i]; }

private:
    struct Free {
        void operator()(T* data) const { ::operator delete (data, std::align_val_t{64}); }
    };
    std::unique_ptr<T, Free> data_;
    std::size_t size_ = 0;
};

/// Where a trainable tensor lies in the flat arrays of weights, gradients and optimiser averages. Column-major.
struct ParameterInfo {
    std::string name; ///< "node.tensor"
    int node = 0, weight = 0;
    int rows = 0, cols = 0;
    std::size_t offset = 0; ///< multiple of 64 bytes in float
    bool trainable = true;
    std::shared_ptr<const UpdateForm> form;  ///< null: a plain step
    int rowFactors = -1, columnFactors = -1; ///< where the factors of its changes begin among the factor signals
    int circle = -1;                         ///< tensors with the same number hold the axes of one circle
    std::shared_ptr<const Constraint> constraint = {}; ///< null: none
    std::size_t size() const { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols); }
};

} // namespace raphe
