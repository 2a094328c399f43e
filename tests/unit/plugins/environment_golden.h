// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace raphe::test {

/// Episodes of the files environment__*.json, which agree with the authors' environments to 1e-15: what was drawn and
/// what came of it. Nothing here depends on their sizes.
inline nlohmann::json environmentGolden(const std::string& task) {
    const char* folder = std::getenv("RAPHE_GOLDEN_DIR");
    std::ifstream file(std::string(folder ? folder : RAPHE_GOLDEN_FOLDER) + "/nmn/environment__" + task + ".json");
    if (!file) throw std::runtime_error("no golden data of " + task);
    return nlohmann::json::parse(file);
}

/// {"shape": [rows, ...], "data": [...]}, row by row.
class GoldenRows {
public:
    explicit GoldenRows(const nlohmann::json& tensor)
        : rows_(tensor.at("shape").at(0)), data_(tensor.at("data").get<std::vector<double>>()) {}
    std::size_t count() const { return rows_; }
    std::vector<double> operator[](std::size_t row) const {
        const auto units = data_.size() / rows_;
        const auto first = data_.begin() + static_cast<std::ptrdiff_t>(row * units);
        return {first, first + static_cast<std::ptrdiff_t>(units)};
    }

private:
    std::size_t rows_;
    std::vector<double> data_;
};

/// The constants of a file as hyper-parameters; a range [-x, x] is the number x.
inline ParamValues paramsOf(const DeclarationData& declaration, const nlohmann::json& config,
                            const std::map<std::string, std::string>& ourNames = {}) {
    ParamValues params;
    for (const auto& [key, value] : config.items()) {
        if (key == "gamma") continue; // of the learning rule
        const auto ours = ourNames.count(key) ? ourNames.at(key) : key;
        EXPECT_NE(declaration.param(ours), nullptr) << key << " is no hyper-parameter";
        if (value.is_array()) EXPECT_EQ(value.at(0).get<double>(), -value.at(1).get<double>()) << key;
        params[ours] = value.is_array() ? value.at(1).get<double>() : value.get<double>();
    }
    return params;
}

inline void expectClose(const std::vector<double>& ours, const std::vector<double>& golden) {
    ASSERT_EQ(ours.size(), golden.size());
    for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_NEAR(ours[i], golden[i], 1e-12 * (1 + std::abs(golden[i])));
}
inline void expectClose(double ours, double golden) { expectClose(std::vector{ours}, std::vector{golden}); }

inline std::vector<double> joined(std::vector<double> a, const std::vector<double>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

/// Gives out the candidates [x, y] of a file one after the other; asked for more, it throws.
template <class Point>
class Candidates {
public:
    explicit Candidates(nlohmann::json list = nlohmann::json::array()) : list_(std::move(list)) {}
    Point operator()() {
        const auto& candidate = list_.at(next_++);
        return {candidate.at(0), candidate.at(1)};
    }
    bool allUsed() const { return next_ == list_.size(); }

private:
    nlohmann::json list_;
    std::size_t next_ = 0;
};

/// Those of the step in the list "replaced", none if there is no entry.
template <class Point>
Candidates<Point> candidatesAt(const nlohmann::json& replaced, std::size_t step) {
    for (const auto& entry : replaced)
        if (entry.at("step").get<std::size_t>() == step) return Candidates<Point>(entry.at("candidates"));
    return Candidates<Point>();
}

} // namespace raphe::test
