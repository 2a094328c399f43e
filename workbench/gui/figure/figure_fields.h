// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "figure_description.h"

#include "engine/base/text.h"
#include "raphe/error.h"

#include <nlohmann/json.hpp>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Checked reading of the JSON of a figure: every value with its place, every list within the limits.
namespace raphe::figure_json {

using Json = nlohmann::ordered_json;

/// A value as it may appear in a message: short, on one line.
std::string shown(const Json& value);

/// How many numbers the figure may still hold.
struct Budget {
    std::size_t left = FigureLimits::numbers;

    void take(std::size_t count, const std::string& place) {
        if (count > left) {
            throw Error(place, "the figure holds more than " + std::to_string(FigureLimits::numbers) + " numbers");
        }
        left -= count;
    }
};

enum class Gaps { refused, allowed };

double number(const Json& value, const std::string& place);
/// The place of an element of a list.
std::string element(const std::string& place, std::size_t index);
/// Appends a list of numbers; a null that is allowed becomes NaN.
void appendNumbers(const Json& value, const std::string& place, Gaps gaps, std::vector<double>& out);
/// @throws Error unless low < high, by more than rounding
void requireOrder(double low, double high, const std::string& place);

/// The fields of one JSON object. Every getter marks its key as known; done() refuses the others.
class Fields {
public:
    Fields(const Json& value, std::string place);

    std::string placeOf(const std::string& key) const { return place_.empty() ? key : place_ + "." + key; }

    /// null when absent
    const Json* find(const std::string& key);
    const Json& require(const std::string& key);
    std::string text(const std::string& key);
    bool flag(const std::string& key, bool otherwise);
    std::optional<double> optionalNumber(const std::string& key);
    /// A number within [low, high].
    double numberWithin(const std::string& key, double otherwise, double low, double high);
    std::optional<std::size_t> count(const std::string& key, std::size_t high);

    /// One of the named choices.
    template <class T>
    T choice(const std::string& key, T otherwise, const std::vector<std::pair<std::string, T>>& choices) {
        const Json* found = find(key);
        if (!found) return otherwise;
        std::vector<std::string> names;
        std::string list;
        for (const auto& [name, value] : choices) {
            if (found->is_string() && found->get_ref<const std::string&>() == name) return value;
            names.push_back(name);
            list += (list.empty() ? "\"" : ", \"") + name + "\"";
        }
        const std::string word = found->is_string() ? closest(found->get<std::string>(), names) : "";
        const std::string near = word.empty() ? "" : "; did you mean \"" + word + "\"?";
        throw Error(placeOf(key), "expected one of " + list + ", got " + shown(*found) + near);
    }

    /// A list of numbers; with `expected`, exactly that many.
    std::vector<double> numbers(const std::string& key, Budget& budget, Gaps gaps,
                                std::optional<std::size_t> expected = std::nullopt);
    std::vector<double> optionalNumbers(const std::string& key, Budget& budget, Gaps gaps, std::size_t expected);
    /// [low, high] with low < high.
    std::optional<std::array<double, 2>> range(const std::string& key);
    std::vector<std::string> texts(const std::string& key, std::size_t limit);
    std::optional<FigureColor> color(const std::string& key);
    /// Refuses keys that nothing asked for.
    void done() const;

private:
    const Json& value_;
    std::string place_;
    std::vector<std::string> known_;
};

} // namespace raphe::figure_json
