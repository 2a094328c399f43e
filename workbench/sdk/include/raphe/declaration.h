// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/error.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace raphe {

enum class Kind { task, model, rule };
inline const char* nameOf(Kind kind) { return kind == Kind::task ? "task" : kind == Kind::model ? "model" : "rule"; }

/// Value of a hyper-parameter. A list holds numbers.
using ParamValue = std::variant<bool, std::int64_t, double, std::string, std::vector<double>>;
/// The values of all declared hyper-parameters of one mechanism, by key.
using ParamValues = std::map<std::string, ParamValue>;
enum class ParamType { boolean, integer, real, text, list };

/// What the author says about a hyper-parameter beside its name and its default.
struct ParamOptions {
    std::string unit = "1"; ///< "1" for dimensionless
    std::string help;
    double min = -std::numeric_limits<double>::infinity(); ///< smallest allowed value (of every element of a list)
    double max = std::numeric_limits<double>::infinity();
    std::vector<std::string> choices = {}; ///< allowed texts; empty: any
    std::string group = {};                ///< heading in the inspector and in the reference
};

struct ParamInfo : ParamOptions {
    std::string key;
    ParamType type = ParamType::real;
    ParamValue initial; ///< the default
};

/// When an input or modulation port is read: before the step is computed, or at its end, from the values of the same
/// step.
enum class Read { start, end };
enum class PortKind { input, modulation, output };

constexpr int openSize = -1; ///< a port that takes the size of whatever is wired to it
constexpr int noPort = 0;    ///< a port that does not exist for these hyper-parameters

struct PortOptions {
    std::string help;
    Read read = Read::start; ///< of an output: Read::end if it is written only at the end of the step (a reward)
    bool optional = false;   ///< may stay unwired
    double neutral = 0;      ///< value of a delayed wire before the first step, and of an unwired optional port
    bool sampled = false;    ///< output drawn at random: recorded while acting and replayed while learning
};

struct PortInfo : PortOptions {
    std::string name;
    PortKind kind = PortKind::input;
    std::string sizeText;                        ///< for people: "hidden", "any", "1"
    std::function<int(const ParamValues&)> size; ///< units; openSize or noPort are possible
};

struct TensorInfo {
    std::string name, rows, columns,
        help; ///< rows and columns are for people; the mechanism fixes them when it is built
};

/// Something that happens in a trial, for whoever draws one: it happens at the steps at which these units of a port are
/// not all 0. Several units tell by their values which of its kind it is: bits of a cue, a one-hot action.
struct EventInfo {
    std::string name; ///< "go"
    std::string port;
    std::function<int(const ParamValues&)> first, count; ///< its units; openSize as a count: all there are
};

/// Everything that is known of a mechanism without running it. The inspector, Lua, the check of documents, `describe`
/// and the reference pages are generated from this.
struct DeclarationData {
    Kind kind = Kind::model;
    std::string name, version, summary;
    std::string citation; ///< authors, year, title, DOI
    std::string manual;   ///< Markdown: equations, table of symbols, differences from the paper
    std::vector<ParamInfo> params;
    std::vector<PortInfo> ports;
    std::vector<TensorInfo> tensors;
    std::vector<EventInfo> events;
    /// A condition between several hyper-parameters: empty, or one sentence that says what is wrong.
    std::function<std::string(const ParamValues&)> check;

    std::string key() const { return std::string(nameOf(kind)) + "." + name; }
    const ParamInfo* param(const std::string& paramKey) const {
        for (const auto& info : params)
            if (info.key == paramKey) return &info;
        return nullptr;
    }
    int port(const std::string& portName) const {
        for (std::size_t i = 0; i < ports.size(); ++i)
            if (ports[i].name == portName) return static_cast<int>(i);
        return -1;
    }
    ParamValues defaults() const {
        ParamValues values;
        for (const auto& info : params) values[info.key] = info.initial;
        return values;
    }
};

namespace detail {
template <class V>
struct ParamTraits;
template <>
struct ParamTraits<bool> {
    static constexpr ParamType type = ParamType::boolean;
    using Stored = bool;
};
template <>
struct ParamTraits<int> {
    static constexpr ParamType type = ParamType::integer;
    using Stored = std::int64_t;
};
template <>
struct ParamTraits<double> {
    static constexpr ParamType type = ParamType::real;
    using Stored = double;
};
template <>
struct ParamTraits<std::string> {
    static constexpr ParamType type = ParamType::text;
    using Stored = std::string;
};
template <>
struct ParamTraits<std::vector<double>> {
    static constexpr ParamType type = ParamType::list;
    using Stored = std::vector<double>;
};
} // namespace detail

/// Number of units of a port: a constant, the key of an integer hyper-parameter, "any", or a function of the parameters
/// together with the text that describes it.
template <class P>
struct Size {
    Size(int units) : text(std::to_string(units)), of([units](const P&, const ParamValues&) { return units; }) {}
    Size(const char* key) : text(key) {
        if (text == "any")
            of = [](const P&, const ParamValues&) { return openSize; };
        else
            of = [key = text](const P&, const ParamValues& values) {
                return static_cast<int>(std::get<std::int64_t>(values.at(key)));
            };
    }
    template <class F>
    Size(std::string description, F function)
        : text(std::move(description)),
          of([function](const P& params, const ParamValues&) { return function(params); }) {}

    std::string text;
    std::function<int(const P&, const ParamValues&)> of;
};

/// Builds the DeclarationData of a mechanism whose hyper-parameters are the plain struct P; the initialisers of P are
/// the defaults.
template <class P>
class Declaration {
public:
    Declaration(std::string name, std::string version, std::string summary) {
        data_.name = std::move(name);
        data_.version = std::move(version);
        data_.summary = std::move(summary);
    }

    Declaration& citation(std::string text) {
        data_.citation = std::move(text);
        return *this;
    }
    Declaration& manual(std::string markdown) {
        data_.manual = std::move(markdown);
        return *this;
    }

    template <class Base, class V>
    Declaration& param(std::string key, V Base::*member, ParamOptions options) {
        static_assert(std::is_base_of_v<Base, P>);
        using Stored = typename detail::ParamTraits<V>::Stored;
        ParamInfo info;
        static_cast<ParamOptions&>(info) = std::move(options);
        info.key = key;
        info.type = detail::ParamTraits<V>::type;
        info.initial = static_cast<Stored>(P{}.*member);
        data_.params.push_back(std::move(info));
        setters_.push_back([key = std::move(key), member](P& params, const ParamValues& values) {
            params.*member = static_cast<V>(std::get<Stored>(values.at(key)));
        });
        return *this;
    }

    Declaration& input(std::string name, Size<P> size, PortOptions options) {
        return port(PortKind::input, std::move(name), std::move(size), std::move(options));
    }
    Declaration& modulation(std::string name, Size<P> size, PortOptions options) {
        return port(PortKind::modulation, std::move(name), std::move(size), std::move(options));
    }
    Declaration& output(std::string name, Size<P> size, PortOptions options) {
        return port(PortKind::output, std::move(name), std::move(size), std::move(options));
    }
    Declaration& tensor(std::string name, std::string rows, std::string columns, std::string help) {
        data_.tensors.push_back({std::move(name), std::move(rows), std::move(columns), std::move(help)});
        return *this;
    }
    /// An event that the units of a port from `first` on show; without numbers, all its units.
    Declaration& event(std::string name, std::string port, Size<P> first = 0, Size<P> count = "any") {
        data_.events.push_back({std::move(name), std::move(port), {}, {}});
        eventUnits_.emplace_back(std::move(first), std::move(count));
        return *this;
    }
    /// @param condition  returns an empty text, or one sentence that says what is wrong with the parameters
    template <class F>
    Declaration& check(F condition) {
        conditions_.push_back(condition);
        return *this;
    }
    /// Lets a function add parameters that several mechanisms share.
    template <class F>
    Declaration& with(F add) {
        add(*this);
        return *this;
    }

    P fill(const ParamValues& values) const {
        P params{};
        for (const auto& set : setters_) set(params, values);
        return params;
    }

    DeclarationData data(Kind kind) const {
        DeclarationData result = data_;
        result.kind = kind;
        for (std::size_t i = 0; i < result.ports.size(); ++i)
            result.ports[i].size = [self = *this, size = sizes_[i]](const ParamValues& values) {
                return size.of(self.fill(values), values);
            };
        for (std::size_t i = 0; i < result.events.size(); ++i) {
            const auto& [first, count] = eventUnits_[i];
            result.events[i].first = [self = *this, first](const ParamValues& v) { return first.of(self.fill(v), v); };
            result.events[i].count = [self = *this, count](const ParamValues& v) { return count.of(self.fill(v), v); };
        }
        result.check = [self = *this](const ParamValues& values) {
            const P params = self.fill(values);
            for (const auto& condition : self.conditions_)
                if (auto sentence = condition(params); !sentence.empty()) return sentence;
            return std::string{};
        };
        return result;
    }

private:
    Declaration& port(PortKind kind, std::string name, Size<P> size, PortOptions options) {
        PortInfo info;
        static_cast<PortOptions&>(info) = std::move(options);
        info.name = std::move(name);
        info.kind = kind;
        info.sizeText = size.text;
        data_.ports.push_back(std::move(info));
        sizes_.push_back(std::move(size));
        return *this;
    }

    DeclarationData data_;
    std::vector<Size<P>> sizes_;
    std::vector<std::pair<Size<P>, Size<P>>> eventUnits_; ///< first unit and count, by event
    std::vector<std::function<void(P&, const ParamValues&)>> setters_;
    std::vector<std::function<std::string(const P&)>> conditions_;
};

} // namespace raphe
