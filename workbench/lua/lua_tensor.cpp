// SPDX-License-Identifier: Apache-2.0
#include "lua/lua_tensor.h"

#include "lua/lua_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace raphe::lua {

namespace {

constexpr const char* className = "tensor";
constexpr std::int64_t numbersBetweenPolls = 1 << 20;

std::string shapeText(const LuaTensor& t) {
    return fmt::format("({})", fmt::join(std::vector<std::int64_t>(t.shape, t.shape + t.rank), ", "));
}
std::vector<std::int64_t> shapeOf(const LuaTensor& t) { return {t.shape, t.shape + t.rank}; }

LuaTensor& me(lua_State* L) {
    if (auto* tensor = testTensor(L, 1)) return *tensor;
    wrongSelf(L, className);
}

/// Calls `work(i)` for all numbers; a script can end in between.
template <class Work>
void forEach(lua_State* L, std::int64_t count, Work work) {
    for (std::int64_t first = 0; first < count; first += numbersBetweenPolls) {
        const auto last = std::min(count, first + numbersBetweenPolls);
        for (std::int64_t i = first; i < last; ++i) work(i);
        poll(L);
    }
}

std::int64_t indexArgument(lua_State* L, int argument, const LuaTensor& t, int dimension) {
    const auto extent = t.shape[dimension];
    int whole = 0;
    const auto i = lua_type(L, argument) == LUA_TNUMBER ? lua_tointegerx(L, argument, &whole) : 0;
    if (whole == 0 || i < 1 || i > extent)
        throw Error("tensor", fmt::format("index {} of shape {}: expected an integer from 1 to {}, got {}",
                                          dimension + 1, shapeText(t), extent, shown(L, argument)));
    return i - 1;
}

/// Position of the number that arguments 2, 3... name.
std::int64_t position(lua_State* L, const LuaTensor& t, int given) {
    if (given != t.rank)
        throw Error("tensor", fmt::format("shape {} takes {} indices, got {}", shapeText(t), t.rank, given));
    std::int64_t result = 0;
    for (int d = 0; d < t.rank; ++d) result = result * t.shape[d] + indexArgument(L, 2 + d, t, d);
    return result;
}

std::vector<std::int64_t> shapeArgument(lua_State* L, int index, const std::string& place) {
    std::vector<std::int64_t> shape;
    const auto extent = [&](int at) { shape.push_back(integerArgument(L, at, place, 0, std::int64_t{1} << 40)); };
    if (lua_type(L, index) == LUA_TTABLE) {
        const auto length = static_cast<lua_Integer>(lua_rawlen(L, index));
        if (length > LuaTensor::maxRank)
            throw Error(place, fmt::format("a tensor has at most {} dimensions", LuaTensor::maxRank));
        for (lua_Integer i = 1; i <= length; ++i) {
            lua_rawgeti(L, index, i);
            extent(lua_gettop(L));
            lua_pop(L, 1);
        }
    } else {
        for (int i = index; i <= lua_gettop(L) && i < index + LuaTensor::maxRank; ++i) extent(i);
    }
    if (shape.empty()) throw Error(place, "expected a shape, e.g. {2, 3}, got " + shown(L, index));
    return shape;
}

int get(lua_State* L) {
    const auto& t = me(L);
    lua_pushnumber(L, t.values()[position(L, t, lua_gettop(L) - 1)]);
    return 1;
}
int set(lua_State* L) {
    auto& t = me(L);
    const double value = numberArgument(L, lua_gettop(L), "tensor:set");
    t.values()[position(L, t, lua_gettop(L) - 2)] = value;
    lua_settop(L, 1);
    return 1;
}
int size(lua_State* L) {
    lua_pushinteger(L, me(L).size);
    return 1;
}
int length(lua_State* L) {
    lua_pushinteger(L, me(L).shape[0]);
    return 1;
}

void pushNested(lua_State* L, const LuaTensor& t, int dimension, const double*& next) {
    luaL_checkstack(L, 4, nullptr);
    lua_createtable(L, static_cast<int>(std::min<std::int64_t>(t.shape[dimension], 1 << 20)), 0);
    for (std::int64_t i = 1; i <= t.shape[dimension]; ++i) {
        if (dimension + 1 == t.rank)
            lua_pushnumber(L, *next++);
        else
            pushNested(L, t, dimension + 1, next);
        lua_rawseti(L, -2, i);
        if (i % 65536 == 0) poll(L);
    }
}
int toTable(lua_State* L) {
    const auto& t = me(L);
    const double* next = t.values();
    pushNested(L, t, 0, next);
    return 1;
}

LuaTensor& pushLike(lua_State* L, const LuaTensor& t) {
    auto& result = pushTensor(L, shapeOf(t), className);
    result.precision = t.precision;
    return result;
}

int copy(lua_State* L) {
    const auto& t = me(L);
    std::copy_n(t.values(), t.size, pushLike(L, t).values());
    return 1;
}

int reshape(lua_State* L) {
    const auto& t = me(L);
    const auto shape = shapeArgument(L, 2, "tensor:reshape");
    const double product = std::accumulate(shape.begin(), shape.end(), 1.0,
                                           [](double a, std::int64_t b) { return a * static_cast<double>(b); });
    if (product != static_cast<double>(t.size))
        throw Error("tensor:reshape", fmt::format("shape {} holds {} numbers, ({}) would hold {}", shapeText(t), t.size,
                                                  fmt::join(shape, ", "), product));
    auto& result = pushTensor(L, shape, "tensor:reshape");
    result.precision = t.precision;
    std::copy_n(t.values(), t.size, result.values());
    return 1;
}

/// Numbers before, along and behind a dimension.
struct Strides {
    std::int64_t before = 1, along = 1, behind = 1;
    Strides(const LuaTensor& t, int dimension) : along(t.shape[dimension]) {
        for (int d = 0; d < dimension; ++d) before *= t.shape[d];
        for (int d = dimension + 1; d < t.rank; ++d) behind *= t.shape[d];
    }
};
std::vector<std::int64_t> shapeWithout(const LuaTensor& t, int dimension) {
    auto shape = shapeOf(t);
    shape.erase(shape.begin() + dimension);
    return shape;
}

int pushSlice(lua_State* L, const LuaTensor& t, int dimension, std::int64_t index) {
    const Strides s(t, dimension);
    if (t.rank == 1) {
        lua_pushnumber(L, t.values()[index]);
        return 1;
    }
    auto& result = pushTensor(L, shapeWithout(t, dimension), "tensor:slice");
    result.precision = t.precision;
    for (std::int64_t i = 0; i < s.before; ++i)
        std::copy_n(t.values() + (i * s.along + index) * s.behind, s.behind, result.values() + i * s.behind);
    return 1;
}
int slice(lua_State* L) {
    const auto& t = me(L);
    const int dimension = static_cast<int>(integerArgument(L, 2, "tensor:slice", 1, t.rank)) - 1;
    return pushSlice(L, t, dimension, indexArgument(L, 3, t, dimension));
}

/// A number over all entries, or with a dimension a tensor without that dimension.
template <class Reduce>
int reduce(lua_State* L, const char* place, Reduce reduceRun) {
    const auto& t = me(L);
    if (lua_isnoneornil(L, 2)) {
        if (t.size == 0) throw Error(place, "the tensor holds no numbers");
        lua_pushnumber(L, reduceRun(t.values(), t.size, std::int64_t{1}));
        return 1;
    }
    const int dimension = static_cast<int>(integerArgument(L, 2, place, 1, t.rank)) - 1;
    const Strides s(t, dimension);
    if (s.along == 0) throw Error(place, "the dimension holds no numbers");
    if (t.rank == 1) {
        lua_pushnumber(L, reduceRun(t.values(), t.size, std::int64_t{1}));
        return 1;
    }
    auto& result = pushTensor(L, shapeWithout(t, dimension), place);
    forEach(L, result.size, [&](std::int64_t i) {
        result.values()[i] =
            reduceRun(t.values() + (i / s.behind) * s.along * s.behind + i % s.behind, s.along, s.behind);
    });
    return 1;
}
double sumOf(const double* x, std::int64_t count, std::int64_t stride) {
    double result = 0;
    for (std::int64_t i = 0; i < count; ++i) result += x[i * stride];
    return result;
}
template <class Better>
double bestOf(const double* x, std::int64_t count, std::int64_t stride) {
    double result = x[0];
    for (std::int64_t i = 1; i < count; ++i)
        if (Better{}(x[i * stride], result) || std::isnan(x[i * stride])) result = x[i * stride];
    return result;
}
int sum(lua_State* L) { return reduce(L, "tensor:sum", sumOf); }
int mean(lua_State* L) {
    return reduce(L, "tensor:mean", [](const double* x, std::int64_t count, std::int64_t stride) {
        return sumOf(x, count, stride) / static_cast<double>(count);
    });
}
int smallest(lua_State* L) { return reduce(L, "tensor:min", bestOf<std::less<>>); }
int largest(lua_State* L) { return reduce(L, "tensor:max", bestOf<std::greater<>>); }

int map(lua_State* L) {
    const auto& t = me(L);
    if (lua_type(L, 2) != LUA_TFUNCTION) throw Error("tensor:map", "expected a function, got " + shown(L, 2));
    auto& result = pushLike(L, t);
    for (std::int64_t i = 0; i < t.size; ++i) {
        if (i % 4096 == 0) poll(L);
        lua_pushvalue(L, 2);
        lua_pushnumber(L, t.values()[i]);
        lua_call(L, 1, 1);
        if (lua_type(L, -1) != LUA_TNUMBER)
            throw Error("tensor:map", "expected the function to return a number, got " + shown(L, -1));
        result.values()[i] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    return 1;
}

int transpose(lua_State* L) {
    const auto& t = me(L);
    if (t.rank != 2) throw Error("tensor:transpose", "expected 2 dimensions, got shape " + shapeText(t));
    const auto rows = t.shape[0], columns = t.shape[1];
    auto& result = pushTensor(L, {columns, rows}, "tensor:transpose");
    result.precision = t.precision;
    forEach(L, rows * columns,
            [&](std::int64_t i) { result.values()[(i % columns) * rows + i / columns] = t.values()[i]; });
    return 1;
}

int product(lua_State* L) {
    const auto& a = me(L);
    const auto* b = testTensor(L, 2);
    if (!b) throw Error("tensor:matmul", "expected a tensor, got " + shown(L, 2));
    if (a.rank != 2 || b->rank != 2 || a.shape[1] != b->shape[0])
        throw Error("tensor:matmul",
                    "shapes " + shapeText(a) + " and " + shapeText(*b) + " do not fit; expected (n, k) and (k, m)");
    const auto inner = a.shape[1], columns = b->shape[1];
    auto& result = pushTensor(L, {a.shape[0], columns}, "tensor:matmul");
    std::int64_t work = 0;
    for (std::int64_t r = 0; r < a.shape[0]; ++r)
        for (std::int64_t k = 0; k < inner; ++k) {
            const double factor = a.values()[r * inner + k];
            const double* from = b->values() + k * columns;
            double* to = result.values() + r * columns;
            for (std::int64_t c = 0; c < columns; ++c) to[c] += factor * from[c];
            work += columns + 1;
            if (work > numbersBetweenPolls) {
                poll(L);
                work = 0;
            }
        }
    return 1;
}

template <class Operation>
int arithmetic(lua_State* L) {
    const auto *a = testTensor(L, 1), *b = testTensor(L, 2);
    const auto operand = [&](int index) {
        if (lua_type(L, index) != LUA_TNUMBER)
            throw Error("tensor", "arithmetic takes tensors and numbers, got " + shown(L, index));
        return lua_tonumber(L, index);
    };
    Operation operation;
    if (a && b) {
        if (shapeOf(*a) != shapeOf(*b))
            throw Error("tensor", "arithmetic needs equal shapes, got " + shapeText(*a) + " and " + shapeText(*b));
        auto& result = pushLike(L, *a);
        forEach(L, a->size, [&](std::int64_t i) { result.values()[i] = operation(a->values()[i], b->values()[i]); });
    } else if (a) {
        const double y = operand(2);
        auto& result = pushLike(L, *a);
        forEach(L, a->size, [&](std::int64_t i) { result.values()[i] = operation(a->values()[i], y); });
    } else {
        const double x = operand(1);
        auto& result = pushLike(L, *b);
        forEach(L, b->size, [&](std::int64_t i) { result.values()[i] = operation(x, b->values()[i]); });
    }
    return 1;
}
struct Power {
    double operator()(double x, double y) const { return std::pow(x, y); }
};
int negate(lua_State* L) {
    const auto& t = me(L);
    auto& result = pushLike(L, t);
    forEach(L, t.size, [&](std::int64_t i) { result.values()[i] = -t.values()[i]; });
    return 1;
}
int equal(lua_State* L) {
    const auto *a = testTensor(L, 1), *b = testTensor(L, 2);
    lua_pushboolean(L, a && b && shapeOf(*a) == shapeOf(*b) &&
                           std::equal(a->values(), a->values() + a->size, b->values()));
    return 1;
}
int toText(lua_State* L) {
    const auto& t = me(L);
    const auto count = std::min<std::int64_t>(t.size, 6);
    std::string numbers;
    for (std::int64_t i = 0; i < count; ++i) numbers += fmt::format("{}{:.6g}", i > 0 ? ", " : "", t.values()[i]);
    pushText(L, fmt::format("tensor {}: {}{}", shapeText(t), numbers, t.size > count ? ", ..." : ""));
    return 1;
}

/// t.shape, t[i] and methods. Upvalue: the table of methods.
int index(lua_State* L) {
    const auto& t = me(L);
    if (lua_type(L, 2) == LUA_TNUMBER) return pushSlice(L, t, 0, indexArgument(L, 2, t, 0));
    if (lua_type(L, 2) == LUA_TSTRING && std::string_view(lua_tostring(L, 2)) == "shape") {
        lua_createtable(L, t.rank, 0);
        for (int d = 0; d < t.rank; ++d) {
            lua_pushinteger(L, t.shape[d]);
            lua_rawseti(L, -2, d + 1);
        }
        return 1;
    }
    lua_pushvalue(L, lua_upvalueindex(1)); // the usual index function of a class
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_call(L, 2, 1);
    return 1;
}
/// t[i] = a number, or a tensor of the shape of t[i].
int newIndex(lua_State* L) {
    auto& t = me(L);
    const auto i = indexArgument(L, 2, t, 0);
    const auto behind = t.shape[0] == 0 ? 0 : t.size / t.shape[0];
    if (t.rank == 1) {
        t.values()[i] = numberArgument(L, 3, "tensor");
    } else if (const auto* row = testTensor(L, 3); row && shapeOf(*row) == shapeWithout(t, 0)) {
        std::copy_n(row->values(), behind, t.values() + i * behind);
    } else {
        throw Error("tensor",
                    fmt::format("expected a tensor of shape ({}), got {}", fmt::join(shapeWithout(t, 0), ", "),
                                row ? "shape " + shapeText(*row) : shown(L, 3)));
    }
    return 0;
}

/// Shape of a nested list, from its first items.
std::vector<std::int64_t> shapeOfList(lua_State* L, int list, const std::string& place) {
    std::vector<std::int64_t> shape;
    lua_pushvalue(L, list);
    while (lua_type(L, -1) == LUA_TTABLE) {
        if (shape.size() == LuaTensor::maxRank)
            throw Error(place, fmt::format("a tensor has at most {} dimensions", LuaTensor::maxRank));
        shape.push_back(static_cast<std::int64_t>(lua_rawlen(L, -1)));
        if (shape.back() == 0) break;
        lua_rawgeti(L, -1, 1);
        lua_remove(L, -2);
    }
    lua_pop(L, 1);
    return shape;
}

void readList(lua_State* L, int list, const std::vector<std::int64_t>& shape, std::size_t dimension,
              const std::string& place, double*& next) {
    luaL_checkstack(L, 4, nullptr);
    if (lua_type(L, list) != LUA_TTABLE || static_cast<std::int64_t>(lua_rawlen(L, list)) != shape[dimension])
        throw Error(place,
                    fmt::format("expected lists of equal length, shape ({}), got {}", fmt::join(shape, ", "),
                                lua_type(L, list) == LUA_TTABLE ? fmt::format("a list of {}", lua_rawlen(L, list))
                                                                : shown(L, list)));
    for (std::int64_t i = 1; i <= shape[dimension]; ++i) {
        if (i % 65536 == 0) poll(L);
        lua_rawgeti(L, list, i);
        if (dimension + 1 < shape.size()) {
            readList(L, lua_gettop(L), shape, dimension + 1, fmt::format("{}[{}]", place, i), next);
        } else {
            *next++ = numberArgument(L, -1, fmt::format("{}[{}]", place, i));
        }
        lua_pop(L, 1);
    }
}

} // namespace

LuaTensor* testTensor(lua_State* L, int i) { return static_cast<LuaTensor*>(luaL_testudata(L, i, className)); }

LuaTensor& pushTensor(lua_State* L, const std::vector<std::int64_t>& shape, const std::string& place) {
    if (shape.empty() || shape.size() > LuaTensor::maxRank)
        throw Error(place,
                    fmt::format("a tensor in Lua has 1 to {} dimensions, got {}", LuaTensor::maxRank, shape.size()));
    double product = 1;
    for (auto extent : shape) product *= static_cast<double>(extent);
    requireMemory(L, product * sizeof(double), place);
    const auto count = static_cast<std::int64_t>(product);
    auto* tensor =
        new (lua_newuserdatauv(L, sizeof(LuaTensor) + static_cast<std::size_t>(count) * sizeof(double), 0)) LuaTensor;
    tensor->rank = static_cast<int>(shape.size());
    tensor->size = count;
    std::copy(shape.begin(), shape.end(), tensor->shape);
    std::fill_n(tensor->values(), count, 0.0);
    luaL_setmetatable(L, className);
    return *tensor;
}

void pushTensor(lua_State* L, const Tensor& tensor) {
    const auto shape = tensor.shape.empty() ? std::vector<std::int64_t>{1} : tensor.shape;
    auto& result = pushTensor(L, shape, className);
    result.precision = tensor.precision;
    std::copy(tensor.values.begin(), tensor.values.end(), result.values());
}

Tensor toTensor(lua_State* L, int i, const std::string& place) {
    i = lua_absindex(L, i);
    if (const auto* t = testTensor(L, i)) {
        requireMemory(L, static_cast<double>(t->size) * sizeof(double), place);
        return {shapeOf(*t), std::vector<double>(t->values(), t->values() + t->size), t->precision};
    }
    if (lua_type(L, i) != LUA_TTABLE)
        throw Error(place, "expected a tensor or a nested list of numbers, got " + shown(L, i));
    Tensor result{shapeOfList(L, i, place), {}, Precision::float64};
    double product = 1;
    for (auto extent : result.shape) product *= static_cast<double>(extent);
    requireMemory(L, product * sizeof(double), place);
    result.values.resize(static_cast<std::size_t>(product));
    double* next = result.values.data();
    readList(L, i, result.shape, 0, place, next);
    return result;
}

int makeTensor(lua_State* L) {
    pushTensor(L, toTensor(L, 1, "raphe.tensor"));
    return 1;
}
int makeZeros(lua_State* L) {
    pushTensor(L, shapeArgument(L, 1, "raphe.zeros"), "raphe.zeros");
    return 1;
}

void openTensors(lua_State* L) {
    makeClass(L, className,
              {{"get", edge<get>},
               {"set", edge<set>},
               {"size", edge<size>},
               {"totable", edge<toTable>},
               {"copy", edge<copy>},
               {"reshape", edge<reshape>},
               {"slice", edge<slice>},
               {"sum", edge<sum>},
               {"mean", edge<mean>},
               {"min", edge<smallest>},
               {"max", edge<largest>},
               {"map", edge<map>},
               {"transpose", edge<transpose>},
               {"matmul", edge<product>}},
              {{"__len", edge<length>},
               {"__add", edge<arithmetic<std::plus<double>>>},
               {"__sub", edge<arithmetic<std::minus<double>>>},
               {"__mul", edge<arithmetic<std::multiplies<double>>>},
               {"__div", edge<arithmetic<std::divides<double>>>},
               {"__pow", edge<arithmetic<Power>>},
               {"__unm", edge<negate>},
               {"__eq", edge<equal>},
               {"__tostring", edge<toText>},
               {"__newindex", edge<newIndex>}});
    luaL_getmetatable(L, className);
    lua_getfield(L, -1, "__index");
    lua_pushcclosure(L, edge<index>, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

} // namespace raphe::lua
