// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"
#include "engine/document/fields.h"

#include <string>
#include <vector>

namespace raphe {

/// A field of the document that holds one value, declared as a hyper-parameter is. Whatever reads, checks, edits or
/// describes these fields goes by this table.
struct FieldInfo : ParamInfo {
    bool aboveMin = false; ///< the smallest value itself is not allowed
    ParamValue (*get)(const Experiment& experiment);
    void (*set)(Experiment& experiment, const ParamValue& value);
};

/// In the order in which they are shown: what belongs together has the same group.
const std::vector<FieldInfo>& experimentFields();
/// Null if there is none of this name.
const FieldInfo* experimentField(const std::string& key);

/// @throws Error at `place`
ParamValue readField(const FieldInfo& info, const Json& value, const std::string& place);
/// Readers that fill these fields of an experiment.
std::vector<fields::FieldReader> fieldReaders(Experiment& experiment);

/// "integer from 0 to 1000000", "one of float32, float64".
std::string rangeText(const FieldInfo& info);
/// The table as a section of the reference.
std::string fieldsMarkdown();

} // namespace raphe
