// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/runs/run.h"

namespace raphe {

/// A run that shares the first `at` iterations with another one, the trunk, and then goes on as `changed` says: with
/// the same random numbers, so that what differs is due to the change. The shared iterations are taken from the trunk's
/// last checkpoint, or computed again and held against what the trunk stored.
/// @param changed  the trunk's experiment but for parameters, schedules or interventions; the tensors must be the same
/// @param options  folder and resume as for a run; a branch that was interrupted is resumed by runExperiment()
/// @throws Error  if the trunk has no such iteration, or its state does not fit the changed experiment (nothing is
/// written)
RunOutcome branchRun(const std::filesystem::path& trunk, const Experiment& changed, int at, const PluginHost& plugins,
                     const RunOptions& options, SessionObserver* observer = nullptr, const RunStarted& started = {});

} // namespace raphe
