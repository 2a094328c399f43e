// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/setup.h"

#include <string>
#include <utility>
#include <vector>

namespace raphe {

/// States of trials on their way in and out: "node.state", (trials, rows) or (trials, rows, columns). Weights that are
/// learned within the trial are such states.

/// All names, in the order of the nodes.
template <class T>
std::vector<std::string> stateNames(const Setup<T>& setup);
/// Node and index of a state. @throws Error that names what is close
template <class T>
std::pair<int, int> resolveState(const Setup<T>& setup, const std::string& name);
/// States whose names match one of the patterns (`*`: any characters). @throws Error if a pattern matches none
template <class T>
std::vector<std::pair<int, int>> matchingStates(const Setup<T>& setup, const std::vector<std::string>& patterns);

/// @throws Error unless there are as many finite numbers as `trials` trials have
template <class T>
GivenState<T> readState(const Setup<T>& setup, const NamedTensor& item, int trials);
/// Of the first `trials` trials that `state` holds.
template <class T>
NamedTensor stateTensor(const Setup<T>& setup, const GivenState<T>& state, int trials);
/// What the columns of a chunk begin with: its counted trials, and the last of them again in what fills the chunk up.
template <class T>
std::vector<GivenState<T>> statesOfChunk(const Setup<T>& setup, const std::vector<GivenState<T>>& states,
                                         const TrialRange& range, int columns);
/// Room for what trials are left with.
template <class T>
GivenState<T> roomForState(const Setup<T>& setup, std::pair<int, int> state, int trials);
/// Puts the counted trials of a chunk in their places. @param chunk  of all columns of the chunk
template <class T>
void keepStateOfChunk(const GivenState<T>& chunk, const TrialRange& range, GivenState<T>& all);

} // namespace raphe
