// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/error.h"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace raphe {

/// What is wrong with a document: sentences with their places, each once, in the order in which they were found.
/// Whoever checks a later part asks what is known of an earlier one, so that one mistake is not reported twice.
class Problems {
public:
    void add(const std::string& place, const std::string& sentence) { addLine(place + ": " + sentence); }
    /// One that belongs to a port of the node at this place.
    void add(const std::string& place, const std::string& sentence, const std::string& port) {
        add(place, sentence);
        ports_.emplace(lines_.back(), port);
    }
    /// One problem for each line of the error.
    void add(const Error& error) {
        std::string_view text = error.what();
        for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
            addLine(std::string(text.substr(0, end)));
            text.remove_prefix(end + 1);
        }
        addLine(std::string(text));
    }
    /// Takes a step and keeps the error that it may throw.
    template <class Step>
    void collect(Step&& step) {
        try {
            step();
        } catch (const Error& error) {
            add(error);
        }
    }

    bool empty() const { return lines_.empty(); }
    const std::vector<std::string>& lines() const { return lines_; }
    /// The port that a line belongs to; empty if nothing is known of one.
    std::string port(const std::string& line) const {
        const auto found = ports_.find(line);
        return found == ports_.end() ? std::string() : found->second;
    }
    /// Whether a problem lies at this place or below it: "nodes.a" is concerned by "nodes.a.params.units: ...".
    bool concern(const std::string& place) const {
        for (const char separator : {' ', '.', ':', '['}) {
            const auto start = place + separator;
            if (const auto found = sorted_.lower_bound(start); found != sorted_.end() && found->starts_with(start))
                return true;
        }
        return false;
    }
    /// @throws Error with one line per problem
    void throwIfAny() const {
        if (lines_.empty()) return;
        std::string text = lines_.front();
        for (std::size_t i = 1; i < lines_.size(); ++i) text += "\n" + lines_[i];
        throw Error(text);
    }

private:
    void addLine(const std::string& line) {
        if (sorted_.insert(line).second) lines_.push_back(line);
    }

    std::vector<std::string> lines_;
    std::set<std::string> sorted_;             ///< the same lines
    std::map<std::string, std::string> ports_; ///< by line
};

} // namespace raphe
