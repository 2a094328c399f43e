// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/analysis/principal_components.h"
#include "engine/base/executor.h"
#include "lua/lua_module.h"

#include <memory>
#include <string>
#include <vector>

/// What the two halves of raphe.analysis have in common.
namespace raphe::lua {

/// Sets jacobian, fixed_points and flow_field in the table on top of the stack.
void setDynamics(lua_State* L);

/// What raphe.analysis.pca() returned. @throws Error at `place`
PrincipalComponents componentsAt(lua_State* L, int index, const std::string& place);

/// Puts a list of numbers on the stack.
void pushList(lua_State* L, const std::vector<double>& values);
/// Sets a field of the table on top of the stack.
void setNumber(lua_State* L, const char* key, double value);
void setInteger(lua_State* L, const char* key, std::int64_t value);
void setBoolean(lua_State* L, const char* key, bool value);
void setText(lua_State* L, const char* key, const std::string& value);
void setList(lua_State* L, const char* key, const std::vector<double>& values);

/// The list, or the tensor of rank 1, of a field. @throws Error
std::vector<double> listOption(lua_State* L, const Options& options, const char* key);

/// Who does the work: options threads, executor, schedule_seed. @param threads  unless the options say so
std::unique_ptr<Executor> executorFrom(const Options& options, int threads);

} // namespace raphe::lua
