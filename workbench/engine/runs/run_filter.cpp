// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_filter.h"

#include "engine/base/text.h"
#include "raphe/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <optional>
#include <set>

namespace raphe {

namespace {

enum class Field { number, words, date, duration, size };

const std::map<std::string, Field>& fields() {
    static const std::map<std::string, Field> table{
        {"experiment", Field::words}, {"state", Field::words},       {"folder", Field::words},
        {"hash", Field::words},       {"seed", Field::number},       {"iterations", Field::number},
        {"date", Field::date},        {"duration", Field::duration}, {"size", Field::size}};
    return table;
}

struct Unit {
    const char* name;
    double factor;
};
constexpr Unit durations[] = {{"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
constexpr Unit sizes[] = {{"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}};

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

bool contains(const std::string& text, const std::string& part) { return lower(text).find(part) != std::string::npos; }

/// The number at the beginning, and what stands behind it.
std::optional<std::pair<double, std::string>> leadingNumber(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) return std::nullopt;
    return std::pair{value, std::string(end, text.data() + text.size())};
}

std::optional<double> number(const std::string& text) {
    const auto found = leadingNumber(text);
    return found && found->second.empty() ? std::optional(found->first) : std::nullopt;
}

template <std::size_t n>
std::optional<double> quantity(const std::string& text, const Unit (&units)[n]) {
    const auto found = leadingNumber(text);
    if (!found) return std::nullopt;
    if (found->second.empty()) return found->first;
    for (const auto& unit : units)
        if (lower(found->second) == lower(unit.name)) return found->first * unit.factor;
    return std::nullopt;
}

bool isDate(const std::string& text) {
    constexpr std::string_view pattern = "0000-00-00T00:00:00Z";
    if (text.size() < 4 || text.size() > pattern.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (pattern[i] == '0' ? std::isdigit(static_cast<unsigned char>(text[i])) == 0 : text[i] != pattern[i])
            return false;
    return true;
}

template <class T>
bool holds(const T& a, const std::string& relation, const T& b) {
    if (relation == ">") return a > b;
    if (relation == ">=") return a >= b;
    if (relation == "<") return a < b;
    if (relation == "<=") return a <= b;
    return (a == b) == (relation != "!=");
}

bool textHolds(const std::string& text, const std::string& relation, const std::string& value) {
    const bool partly = relation == "~" || relation == "!~";
    const bool same = partly ? contains(text, value) : lower(text) == value;
    return same == (relation.front() != '!');
}

std::string unquoted(const std::string& json) {
    return json.size() >= 2 && json.front() == '"' ? json.substr(1, json.size() - 2) : json;
}

/// A setting by its name, or by the part of it behind the node: the first of whom `holds` is true.
bool anySetting(const RunEntry& run, const std::string& name, const std::function<bool(const std::string&)>& holds) {
    if (const auto exact = run.settings.find(name); exact != run.settings.end()) return holds(exact->second);
    for (const auto& [key, value] : run.settings)
        if (key.size() > name.size() && key[key.size() - name.size() - 1] == '.' &&
            key.compare(key.size() - name.size(), name.size(), name) == 0 && holds(value))
            return true;
    return false;
}

} // namespace

struct RunFilter::Term {
    enum class Kind { all, any, negation, word, comparison };
    Kind kind = Kind::all;
    std::vector<Term> parts;
    std::string text;             ///< the word, in small letters
    std::string name, relation;   ///< of a comparison
    std::string value;            ///< in small letters; dates as they are
    std::optional<double> number; ///< if the value is one

    bool accepts(const RunEntry& run) const {
        const auto accepted = [&](const Term& part) { return part.accepts(run); };
        switch (kind) {
        case Kind::all:
            return std::all_of(parts.begin(), parts.end(), accepted);
        case Kind::any:
            return std::any_of(parts.begin(), parts.end(), accepted);
        case Kind::negation:
            return !accepted(parts.front());
        case Kind::word:
            return occurs(run);
        case Kind::comparison:
            break;
        }
        return compares(run);
    }

private:
    bool occurs(const RunEntry& run) const {
        if (contains(run.experiment, text) || contains(run.folder.filename().string(), text) ||
            contains(run.state, text))
            return true;
        return run.settings.words().find(text) != std::string::npos;
    }

    bool compares(const RunEntry& run) const {
        if (const auto field = fields().find(name); field != fields().end()) {
            switch (field->second) {
            case Field::words:
                return textHolds(wordsOf(run), relation, value);
            case Field::date: {
                if (run.start.empty()) return false;
                return holds(run.start.substr(0, value.size()), relation, value);
            }
            case Field::duration:
                return holds(run.seconds, relation, *number);
            case Field::size:
                return holds(static_cast<double>(run.bytes), relation, *number);
            case Field::number:
                break;
            }
            if (run.state == "unreadable") return false;
            if (name == "iterations") return holds(static_cast<double>(run.iterations), relation, *number);
            const auto seed = raphe::number(run.seed);
            return seed && holds(*seed, relation, *number);
        }
        for (const auto& [metric, measured] : run.metrics)
            if (metric == name) return number && holds(measured, relation, *number);
        return anySetting(run, name, [&](const std::string& json) {
            const auto given = raphe::number(json);
            if (given && number && relation != "~" && relation != "!~") return holds(*given, relation, *number);
            if (relation.front() == '<' || relation.front() == '>') return false;
            return textHolds(unquoted(json), relation, value);
        });
    }

    std::string wordsOf(const RunEntry& run) const {
        if (name == "state") return run.state;
        if (name == "hash") return run.hash;
        return name == "folder" ? run.folder.string() : run.experiment;
    }
};

namespace {

using Term = RunFilter::Term;

struct Token {
    enum class Kind { word, quoted, relation, open, close };
    Kind kind;
    std::string text;
    bool is(const char* keyword) const { return kind == Kind::word && lower(text) == keyword; }
};

std::vector<Token> tokens(const std::string& text) {
    std::vector<Token> result;
    const auto related = [](char c) { return c == '<' || c == '>' || c == '=' || c == '!' || c == '~'; };
    const auto space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        std::size_t end = i + 1;
        if (space(c)) {
        } else if (c == '(' || c == ')') {
            result.push_back({c == '(' ? Token::Kind::open : Token::Kind::close, std::string(1, c)});
        } else if (c == '"') {
            end = text.find('"', i + 1);
            if (end == std::string::npos)
                throw Error("filter", "the quotation mark before " + text.substr(i + 1, 20) +
                                          " has no second one; close it, as in \"two words\"");
            result.push_back({Token::Kind::quoted, text.substr(i + 1, end - i - 1)});
            ++end;
        } else if (related(c)) {
            while (end < text.size() && related(text[end])) ++end;
            result.push_back({Token::Kind::relation, text.substr(i, end - i)});
        } else {
            while (end < text.size() && !space(text[end]) && !related(text[end]) && text[end] != '(' &&
                   text[end] != ')' && text[end] != '"')
                ++end;
            result.push_back({Token::Kind::word, text.substr(i, end - i)});
        }
        i = end;
    }
    return result;
}

/// expression := all { "or" all };  all := part { ["and"] part };  part := "not" part | ( expression ) | comparison |
/// word
class Parser {
public:
    explicit Parser(const std::string& text) : tokens_(tokens(text)) {}

    Term whole() {
        Term result = expression(0);
        if (!atEnd()) throw Error("filter", "there is no ( to the ) ; remove it, or write ( before it");
        return result;
    }

private:
    bool atEnd() const { return at_ >= tokens_.size(); }
    const Token& here() const { return tokens_[at_]; }
    bool endsPart() const { return atEnd() || here().kind == Token::Kind::close || here().is("or"); }

    Term expression(int depth) {
        Term any;
        any.kind = Term::Kind::any;
        any.parts.push_back(allOf(depth));
        while (!atEnd() && here().is("or")) {
            ++at_;
            if (endsPart()) throw Error("filter", "expected something after \"or\", as in state = done or reward > 9");
            any.parts.push_back(allOf(depth));
        }
        return any.parts.size() == 1 ? std::move(any.parts.front()) : any;
    }

    Term allOf(int depth) {
        Term all;
        if (!atEnd() && here().is("or"))
            throw Error("filter", "expected something before \"or\", as in state = done or reward > 9");
        while (!endsPart()) {
            if (here().is("and")) {
                ++at_;
                if (all.parts.empty() || endsPart())
                    throw Error("filter", "expected something on both sides of \"and\"; it may also be left out");
                continue;
            }
            all.parts.push_back(part(depth));
        }
        return all;
    }

    Term part(int depth) {
        if (depth > 32) throw Error("filter", "is nested too deeply; use fewer parentheses");
        const Token token = here();
        const bool compared = at_ + 1 < tokens_.size() && tokens_[at_ + 1].kind == Token::Kind::relation;
        if (token.is("not") && !compared) {
            ++at_;
            if (endsPart()) throw Error("filter", "expected something after \"not\", as in not state = done");
            Term negation;
            negation.kind = Term::Kind::negation;
            negation.parts.push_back(part(depth + 1));
            return negation;
        }
        if (token.kind == Token::Kind::open) {
            ++at_;
            Term inner = expression(depth + 1);
            if (atEnd()) throw Error("filter", "there is no ) to the ( ; write ) at the end of what belongs together");
            ++at_;
            return inner;
        }
        if (token.kind == Token::Kind::relation)
            throw Error("filter", "expected a name before \"" + token.text + "\", as in reward > 9");
        if (compared) return comparison();
        ++at_;
        Term word;
        word.kind = Term::Kind::word;
        word.text = lower(token.text);
        return word;
    }

    Term comparison() {
        Term term;
        term.kind = Term::Kind::comparison;
        term.name = here().text;
        term.relation = tokens_[at_ + 1].text;
        at_ += 2;
        const auto what = "\"" + term.name + " " + term.relation + "\"";
        static const std::set<std::string> relations{">", ">=", "<", "<=", "=", "==", "!=", "~", "!~"};
        if (relations.count(term.relation) == 0)
            throw Error("filter", "\"" + term.relation + "\" compares nothing; use > >= < <= = != or ~");
        if (term.relation == "==") term.relation = "=";
        const auto small = lower(term.name);
        if (fields().count(small) != 0) term.name = small;
        const bool any = !atEnd() && (here().kind == Token::Kind::word || here().kind == Token::Kind::quoted);
        check(term, what, any ? here().text : "");
        ++at_;
        return term;
    }

    static void check(Term& term, const std::string& what, const std::string& given) {
        const bool ordered = term.relation.front() == '<' || term.relation.front() == '>';
        const bool partly = term.relation.back() == '~';
        const auto field = fields().find(term.name);
        const auto wants = [&](const std::string& expected, const std::string& example) {
            throw Error("filter", fmt::format("expected {} after {}{}, as in {}", expected, what,
                                              given.empty() ? "" : ", got \"" + given.substr(0, 40) + "\"", example));
        };
        term.value = lower(given);
        term.number = number(given);
        if (field == fields().end()) { // a metric or a setting
            if (ordered && !term.number) wants("a number", term.name + " " + term.relation + " 9");
            if (given.empty()) wants("a number or a word", term.name + " " + term.relation + " 9");
            return;
        }
        if (partly && field->second != Field::words)
            throw Error("filter", fmt::format("{} is no text; compare it with > < or =", term.name));
        switch (field->second) {
        case Field::words:
            if (ordered) throw Error("filter", fmt::format("{} is a text; compare it with = or ~", term.name));
            if (given.empty()) wants("a word", term.name + (term.name == "state" ? " = done" : " ~ cue"));
            if (term.name == "state" && !partly) {
                static const std::vector<std::string> states{"running", "done", "interrupted", "failed", "unreadable"};
                if (std::find(states.begin(), states.end(), term.value) == states.end())
                    throw Error("filter",
                                fmt::format("no state is called \"{}\"{}", given, suggestion(term.value, states)));
            }
            break;
        case Field::number:
            if (!term.number) wants("a number", term.name + " " + term.relation + " 2");
            break;
        case Field::duration:
            term.number = quantity(given, durations);
            if (!term.number) wants("a time in s, min, h or d", "duration > 5min");
            break;
        case Field::size:
            term.number = quantity(given, sizes);
            if (!term.number) wants("a size in kB, MB or GB", "size > 10MB");
            break;
        case Field::date:
            if (!isDate(given)) wants("a date", "date > 2026-11-20");
            term.value = given;
            break;
        }
    }

    std::vector<Token> tokens_;
    std::size_t at_ = 0;
};

} // namespace

RunFilter::RunFilter(const std::string& text) {
    if (text.find_first_not_of(" \t\n\r") != std::string::npos) all_ = std::make_shared<Term>(Parser(text).whole());
}

bool RunFilter::accepts(const RunEntry& run) const { return !all_ || all_->accepts(run); }

RunList RunFilter::operator()(const RunList& runs) const {
    RunList accepted;
    for (const auto& run : runs)
        if (accepts(*run)) accepted.push_back(run);
    return accepted;
}

std::string RunFilter::doubt(const RunList& runs) const {
    if (!all_ || runs.empty()) return {};
    std::string sentence;
    const std::function<void(const Term&)> visit = [&](const Term& term) {
        for (const auto& part : term.parts) visit(part);
        if (term.kind != Term::Kind::comparison || !sentence.empty() || fields().count(term.name) != 0) return;
        std::set<std::string> known;
        for (const auto& [name, field] : fields()) known.insert(name);
        for (const auto& run : runs) {
            for (const auto& [metric, value] : run->metrics) known.insert(metric);
            if (anySetting(*run, term.name, [](const std::string&) { return true; })) return;
            for (const auto& [name, value] : run->settings) {
                known.insert(name);
                known.insert(name.substr(name.rfind('.') + 1));
            }
        }
        if (known.count(term.name) != 0) return;
        const auto close = closest(term.name, {known.begin(), known.end()});
        sentence = fmt::format("no run has a metric or a setting \"{}\"{}", term.name,
                               close.empty() ? "" : "; did you mean \"" + close + "\"?");
    };
    visit(*all_);
    return sentence;
}

} // namespace raphe
