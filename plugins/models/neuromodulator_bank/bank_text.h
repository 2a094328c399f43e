// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/error.h"

#include <array>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace raphe::bank {

/// Hyper-parameters that a bank can set; each is an output port of this name.
inline constexpr std::array<const char*, 8> targets{"learning_rate", "temperature", "inverse_temperature", "discount",
                                                    "plasticity",    "gain",        "threshold",           "bias"};

struct Channel {
    std::string name;
    double baseline = 0, tauTonic = 1, wTonic = 1, tauPhasic = 10, wPhasic = 0, phasicGain = 1, threshold = 0;
    double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
};

enum class Form { linear, exponential, divide, hill, reciprocal, ratio };

struct Effect {
    int target = 0, a = 0, b = -1;
    Form form = Form::linear;
    double base = 1, gain = 1, half = 1, exponent = 1, epsilon = 1e-8;
    double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
};

struct Interaction {
    int from = 0, to = 0;
    bool opposes = false; ///< otherwise it multiplies
    double gain = 1;
};

struct Plan {
    std::vector<Channel> channels;
    std::vector<Effect> effects;
    std::vector<Interaction> interactions;

    bool has(int target) const {
        for (const auto& effect : effects)
            if (effect.target == target) return true;
        return false;
    }
};

/// Reads the texts by which a bank is described: entries between semicolons, words between spaces, numbers by name.
class Reader {
public:
    /// @throws Error  at "channels", "effects" or "interactions"
    static Plan plan(const std::string& channels, const std::string& effects, const std::string& interactions) {
        Plan plan;
        for (const auto& words : entries(channels)) plan.channels.push_back(channel(words, plan));
        if (plan.channels.empty()) throw Error("channels", "expected at least one name, such as \"DA; NA\"");
        for (const auto& words : entries(effects)) plan.effects.push_back(effect(words, plan));
        for (const auto& words : entries(interactions)) plan.interactions.push_back(interaction(words, plan));
        for (const auto& e : plan.effects)
            for (const auto& other : plan.effects)
                if (&e != &other && e.target == other.target && e.base == 0)
                    throw Error("effects", std::string("several effects on ") + targets[std::size_t(e.target)] +
                                               " multiply their ratios to their base, which must not be 0");
        return plan;
    }

private:
    using Words = std::vector<std::string>;
    struct Number {
        const char* name;
        double* value;
        double min = -std::numeric_limits<double>::infinity();
    };

    static std::vector<Words> entries(const std::string& text) {
        std::vector<Words> result;
        Words words;
        std::string word;
        const auto endWord = [&] {
            if (!word.empty()) words.push_back(std::move(word));
            word.clear();
        };
        for (const char c : text + ";") {
            if (c == ' ' || c == '\t' || c == '\n' || c == ';') {
                endWord();
                if (c != ';' || words.empty()) continue;
                result.push_back(std::move(words));
                words.clear();
            } else {
                word += c;
            }
        }
        return result;
    }

    static Channel channel(const Words& words, const Plan& plan) {
        Channel c;
        c.name = words[0];
        for (const auto& other : plan.channels)
            if (other.name == c.name) throw Error("channels", "\"" + c.name + "\" is named twice");
        numbers("channels", words, 1,
                {{"baseline", &c.baseline},
                 {"tau_tonic", &c.tauTonic, 1},
                 {"w_tonic", &c.wTonic},
                 {"tau_phasic", &c.tauPhasic, 1},
                 {"w_phasic", &c.wPhasic},
                 {"phasic_gain", &c.phasicGain},
                 {"threshold", &c.threshold},
                 {"low", &c.low},
                 {"high", &c.high}});
        return c;
    }

    static Effect effect(const Words& words, const Plan& plan) {
        static constexpr std::array<const char*, 6> forms{"linear", "exp", "divide", "hill", "reciprocal", "ratio"};
        if (words.size() < 3)
            throw Error("effects", "\"" + words[0] +
                                       "\": expected a target, a form and a channel, such as "
                                       "\"temperature linear NA base 0.1 gain 2\"");
        Effect e;
        e.target = choice("effects", words[0], targets);
        e.form = static_cast<Form>(choice("effects", words[1], forms));
        e.a = channelOf("effects", words[2], plan);
        std::size_t next = 3;
        if (e.form == Form::ratio) {
            if (words.size() < 4) throw Error("effects", "\"ratio\" takes two channels, such as \"ratio NA ACh\"");
            e.b = channelOf("effects", words[3], plan);
            next = 4;
        }
        numbers("effects", words, next,
                {{"base", &e.base},
                 {"gain", &e.gain},
                 {"half", &e.half, 0},
                 {"exponent", &e.exponent, 0},
                 {"epsilon", &e.epsilon, 0},
                 {"low", &e.low},
                 {"high", &e.high}});
        if (e.low > e.high) throw Error("effects", "\"" + words[0] + "\": low lies above high");
        return e;
    }

    static Interaction interaction(const Words& words, const Plan& plan) {
        if (words.size() < 3 || (words[1] != "modulates" && words[1] != "opposes"))
            throw Error("interactions", "expected \"A modulates B\" or \"A opposes B gain 0.5\", got \"" +
                                            (words.size() > 1 ? words[0] + " " + words[1] : words[0]) + " ...\"");
        Interaction i;
        i.from = channelOf("interactions", words[0], plan);
        i.opposes = words[1] == "opposes";
        i.to = channelOf("interactions", words[2], plan);
        if (i.opposes)
            numbers("interactions", words, 3, {{"gain", &i.gain}});
        else
            numbers("interactions", words, 3, {});
        return i;
    }

    static void numbers(const char* place, const Words& words, std::size_t first, const std::vector<Number>& known) {
        for (std::size_t i = first; i < words.size(); i += 2) {
            const Number* found = nullptr;
            std::string names;
            for (const auto& number : known) {
                if (words[i] == number.name) found = &number;
                names += (names.empty() ? "" : ", ") + std::string(number.name);
            }
            if (!found)
                throw Error(place, "\"" + words[0] + "\" has no setting \"" + words[i] + "\"" +
                                       (names.empty() ? std::string() : "; there are " + names));
            char* end = nullptr;
            const std::string text = i + 1 < words.size() ? words[i + 1] : "";
            const double value = std::strtod(text.c_str(), &end);
            if (text.empty() || *end != '\0' || value != value)
                throw Error(place, "\"" + words[i] + "\": expected a number, got \"" + text + "\"");
            if (value < found->min)
                throw Error(place, "\"" + words[i] + "\": expected at least " + std::to_string(int(found->min)) +
                                       ", got " + text);
            *found->value = value;
        }
    }

    template <class List>
    static int choice(const char* place, const std::string& word, const List& list) {
        std::string names;
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (word == list[i]) return static_cast<int>(i);
            names += (i == 0 ? "" : ", ") + std::string(list[i]);
        }
        throw Error(place, "there is no \"" + word + "\"; choose one of " + names);
    }

    static int channelOf(const char* place, const std::string& word, const Plan& plan) {
        std::string names;
        for (std::size_t i = 0; i < plan.channels.size(); ++i) {
            if (plan.channels[i].name == word) return static_cast<int>(i);
            names += (i == 0 ? "" : ", ") + plan.channels[i].name;
        }
        throw Error(place, "there is no channel \"" + word + "\"; the channels are " + names);
    }
};

} // namespace raphe::bank
