// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/json_reader.h"
#include "engine/runs/run_list.h"

#include <string>
#include <vector>

namespace raphe {

/// Rows of texts and numbers as CSV after RFC 4180, the header first.
class CsvText {
public:
    explicit CsvText(const std::vector<std::string>& header) { row(header); }
    void row(const std::vector<std::string>& cells);
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

/// The shortest text that reads back as this number; empty for NaN.
std::string csvNumber(double value);
/// A setting as it is shown: texts without their quotation marks.
std::string settingText(const std::string& json);

/// Settings in which runs of the same experiment differ: what somebody has varied.
std::vector<std::string> changedSettings(const RunList& runs);

/// One line for each run: what every run has, its metrics (column `reward`), and the settings that were changed.
std::string runsAsCsv(const RunList& runs);
/// An entry with everything that is known of it.
Json runAsJson(const RunEntry& run);

} // namespace raphe
