// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_fields.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace raphe::figure_json {
namespace {

std::string checkedText(const Json& value, const std::string& place) {
    const auto& text = value.get_ref<const std::string&>();
    if (text.size() > FigureLimits::characters) {
        throw Error(place, "expected at most " + std::to_string(FigureLimits::characters) + " bytes of text, got " +
                               std::to_string(text.size()));
    }
    return text;
}

} // namespace

std::string shown(const Json& value) {
    if (value.is_object()) return "an object";
    if (value.is_array()) return "an array";
    std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
    if (text.size() > 40) text = text.substr(0, 37) + "...";
    return text;
}

double number(const Json& value, const std::string& place) {
    if (!value.is_number()) throw Error(place, "expected a number, got " + shown(value));
    const double result = value.get<double>();
    if (!(std::abs(result) <= FigureLimits::magnitude)) {
        throw Error(place, "expected a number between -1e200 and 1e200, got " + shown(value));
    }
    return result;
}

std::string element(const std::string& place, std::size_t index) { return place + "[" + std::to_string(index) + "]"; }

void appendNumbers(const Json& value, const std::string& place, Gaps gaps, std::vector<double>& out) {
    for (std::size_t i = 0; i < value.size(); ++i) {
        const Json& item = value[i];
        if (item.is_null() && gaps == Gaps::allowed) {
            out.push_back(std::numeric_limits<double>::quiet_NaN());
        } else if (item.is_number()) {
            const double v = item.get<double>();
            out.push_back(std::abs(v) <= FigureLimits::magnitude ? v : number(item, element(place, i)));
        } else {
            throw Error(element(place, i),
                        (gaps == Gaps::allowed ? "expected a number or null, got " : "expected a number, got ") +
                            shown(item));
        }
    }
}

Fields::Fields(const Json& value, std::string place) : value_{value}, place_{std::move(place)} {
    if (!value.is_object()) {
        throw Error(place_.empty() ? "figure" : place_, "expected an object, got " + shown(value));
    }
}

const Json* Fields::find(const std::string& key) {
    known_.push_back(key);
    const auto found = value_.find(key);
    return found == value_.end() ? nullptr : &*found;
}

const Json& Fields::require(const std::string& key) {
    if (const Json* found = find(key)) return *found;
    throw Error(placeOf(key), "is missing");
}

std::string Fields::text(const std::string& key) {
    const Json* found = find(key);
    if (!found) return {};
    if (!found->is_string()) throw Error(placeOf(key), "expected a text, got " + shown(*found));
    return checkedText(*found, placeOf(key));
}

bool Fields::flag(const std::string& key, bool otherwise) {
    const Json* found = find(key);
    if (!found) return otherwise;
    if (!found->is_boolean()) throw Error(placeOf(key), "expected true or false, got " + shown(*found));
    return found->get<bool>();
}

std::optional<double> Fields::optionalNumber(const std::string& key) {
    const Json* found = find(key);
    if (!found) return std::nullopt;
    return number(*found, placeOf(key));
}

double Fields::numberWithin(const std::string& key, double otherwise, double low, double high) {
    const double result = optionalNumber(key).value_or(otherwise);
    if (result < low || result > high) {
        throw Error(placeOf(key), "expected a number between " + shown(Json(low)) + " and " + shown(Json(high)) +
                                      ", got " + shown(*find(key)));
    }
    return result;
}

std::optional<std::size_t> Fields::count(const std::string& key, std::size_t high) {
    const Json* found = find(key);
    if (!found) return std::nullopt;
    if (!found->is_number_integer() || found->get<std::int64_t>() < 1 ||
        found->get<std::int64_t>() > static_cast<std::int64_t>(high)) {
        throw Error(placeOf(key), "expected an integer from 1 to " + std::to_string(high) + ", got " + shown(*found));
    }
    return found->get<std::size_t>();
}

std::vector<double> Fields::numbers(const std::string& key, Budget& budget, Gaps gaps,
                                    std::optional<std::size_t> expected) {
    const Json& list = require(key);
    if (!list.is_array()) throw Error(placeOf(key), "expected a list of numbers, got " + shown(list));
    if (expected && list.size() != *expected) {
        throw Error(placeOf(key),
                    "expected " + std::to_string(*expected) + " numbers, got " + std::to_string(list.size()));
    }
    budget.take(list.size(), placeOf(key));
    std::vector<double> result;
    result.reserve(list.size());
    appendNumbers(list, placeOf(key), gaps, result);
    return result;
}

std::vector<double> Fields::optionalNumbers(const std::string& key, Budget& budget, Gaps gaps, std::size_t expected) {
    return find(key) ? numbers(key, budget, gaps, expected) : std::vector<double>{};
}

std::optional<std::array<double, 2>> Fields::range(const std::string& key) {
    const Json* found = find(key);
    if (!found) return std::nullopt;
    if (!found->is_array() || found->size() != 2) {
        throw Error(placeOf(key), "expected [low, high], got " +
                                      (found->is_array() ? std::to_string(found->size()) + " values" : shown(*found)));
    }
    const std::array<double, 2> result{number((*found)[0], element(placeOf(key), 0)),
                                       number((*found)[1], element(placeOf(key), 1))};
    requireOrder(result[0], result[1], placeOf(key));
    return result;
}

std::vector<std::string> Fields::texts(const std::string& key, std::size_t limit) {
    const Json* found = find(key);
    if (!found) return {};
    if (!found->is_array()) throw Error(placeOf(key), "expected a list of texts, got " + shown(*found));
    if (found->size() > limit) {
        throw Error(placeOf(key),
                    "expected at most " + std::to_string(limit) + " texts, got " + std::to_string(found->size()));
    }
    std::vector<std::string> result;
    for (std::size_t i = 0; i < found->size(); ++i) {
        const Json& item = (*found)[i];
        if (!item.is_string()) throw Error(element(placeOf(key), i), "expected a text, got " + shown(item));
        result.push_back(checkedText(item, element(placeOf(key), i)));
    }
    return result;
}

std::optional<FigureColor> Fields::color(const std::string& key) {
    const Json* found = find(key);
    if (!found) return std::nullopt;
    const std::string text = found->is_string() ? found->get<std::string>() : "";
    if (text == "auto") return std::nullopt;
    const bool sixDigits =
        text.size() == 7 && text[0] == '#' && text.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string::npos;
    if (!sixDigits) throw Error(placeOf(key), "expected \"auto\" or \"#rrggbb\", got " + shown(*found));
    const unsigned long rgb = std::stoul(text.substr(1), nullptr, 16);
    return FigureColor{static_cast<unsigned char>(rgb >> 16), static_cast<unsigned char>(rgb >> 8),
                       static_cast<unsigned char>(rgb)};
}

void Fields::done() const {
    for (const auto& item : value_.items()) {
        if (std::find(known_.begin(), known_.end(), item.key()) == known_.end()) {
            const std::string key = item.key().size() > 40 ? item.key().substr(0, 37) + "..." : item.key();
            throw Error(placeOf(key), "unknown key" + suggestion(item.key(), known_));
        }
    }
}

void requireOrder(double low, double high, const std::string& place) {
    if (!(low < high)) {
        throw Error(place, "expected low < high, got " + shown(Json(low)) + " and " + shown(Json(high)));
    }
    if (!(high - low > 1e-12 * std::max(std::abs(low), std::abs(high)))) {
        throw Error(place,
                    "the range is too narrow for its numbers, from " + shown(Json(low)) + " to " + shown(Json(high)));
    }
}

} // namespace raphe::figure_json
