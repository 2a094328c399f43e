// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"

#include <vector>

namespace raphe {

/// The fields of the entries in a document's lists, declared as hyper-parameters are: for editors and for help. The
/// address of an entry, "port", is not among them.
const std::vector<ParamInfo>& recordingFields();
const std::vector<ParamInfo>& interventionFields();
/// Of a stage: name, iterations, reset_optimiser.
const std::vector<ParamInfo>& stageFields();
/// Of a metric that is looked at; `keep_best` and the schedule of kind plateau have them.
std::vector<ParamInfo> watchFields(MetricSource source);
/// Beside "kind". @param regular  of a step: "every" and "factor", otherwise "at" and "values"
std::vector<ParamInfo> scheduleFields(ScheduleKind kind, bool regular = true);
/// What a fresh schedule of a parameter looks like, whose value is `value` now.
Json freshSchedule(ScheduleKind kind, double value);

} // namespace raphe
