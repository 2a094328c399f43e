// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/tensor.h"
#include "lua/lua_binding.h"

#include <cstdint>

namespace raphe::lua {

/// A tensor as Lua keeps it: one block of Lua's own memory (so its collector and its limit see it), row-major.
/// Indices are 1-based in Lua.
struct LuaTensor {
    static constexpr int maxRank = 8;
    int rank = 0;
    Precision precision = Precision::float64;
    std::int64_t size = 0; ///< product of the extents
    std::int64_t shape[maxRank] = {};

    double* values() { return reinterpret_cast<double*>(this + 1); }
    const double* values() const { return reinterpret_cast<const double*>(this + 1); }
};

void openTensors(lua_State* L);
LuaTensor* testTensor(lua_State* L, int index);
/// A tensor of zeros on top of the stack. @throws Error at `place` if the shape is not sensible or too large
LuaTensor& pushTensor(lua_State* L, const std::vector<std::int64_t>& shape, const std::string& place);
void pushTensor(lua_State* L, const Tensor& tensor);
/// The tensor, or the nested list of numbers, at `index`. @throws Error at `place`
Tensor toTensor(lua_State* L, int index, const std::string& place);
/// raphe.tensor and raphe.zeros.
int makeTensor(lua_State* L);
int makeZeros(lua_State* L);

} // namespace raphe::lua
