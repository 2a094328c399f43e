// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/scripting/script_completion.h"

#include "engine/editing/commands.h"

#include <QRegularExpression>

#include <algorithm>

namespace raphe {
namespace {

const QStringList& keywords() {
    static const QStringList list{"and",      "break",  "do",   "else", "elseif", "end",  "false", "for",
                                  "function", "goto",   "if",   "in",   "local",  "nil",  "not",   "or",
                                  "repeat",   "return", "then", "true", "until",  "while"};
    return list;
}

QStringList texts(const std::vector<std::string>& names) {
    QStringList list;
    for (const auto& name : names) list << QString::fromStdString(name);
    return list;
}

/// Those that begin with what was typed; case does not matter.
Completion matching(const QString& typed, QStringList words) {
    words.removeDuplicates();
    words.erase(std::remove_if(words.begin(), words.end(),
                               [&](const QString& word) { return !word.startsWith(typed, Qt::CaseInsensitive); }),
                words.end());
    words.sort(Qt::CaseInsensitive);
    if (words.size() == 1 && words.front() == typed) words.clear();
    return {static_cast<int>(typed.size()), words};
}

/// Where a text literal begins that is still open at the end of the line; -1: none. -2: the rest is a comment.
qsizetype openLiteral(const QString& line) {
    qsizetype begin = -1;
    QChar mark;
    for (qsizetype i = 0; i < line.size(); ++i) {
        const QChar c = line[i];
        if (begin >= 0) {
            if (c == '\\')
                ++i;
            else if (c == mark)
                begin = -1;
        } else if (c == '"' || c == '\'') {
            begin = i;
            mark = c;
        } else if (c == '-' && i + 1 < line.size() && line[i + 1] == '-') {
            return -2;
        }
    }
    return begin;
}

bool endsWith(const QString& text, const char* pattern, QRegularExpressionMatch* match = nullptr) {
    const QRegularExpression form{QLatin1String(pattern) + QLatin1String("$")};
    auto found = form.match(text);
    const bool holds = found.hasMatch();
    if (match) *match = std::move(found);
    return holds;
}

const NodeSpec* nodeNamed(const CompletionSource& source, const QString& name) {
    return source.experiment ? source.experiment->node(name.toStdString()) : nullptr;
}
const DeclarationData* declarationOf(const CompletionSource& source, const NodeSpec& node) {
    if (!source.registry || !source.registry->contains(node.mechanism)) return nullptr;
    return &source.registry->find(node.mechanism, node.name).declaration;
}

QStringList parametersOf(const CompletionSource& source, const QString& name) {
    QStringList words;
    const NodeSpec* node = nodeNamed(source, name);
    if (const auto* declaration = node ? declarationOf(source, *node) : nullptr)
        for (const auto& parameter : declaration->params) words << QString::fromStdString(parameter.key);
    return words;
}
QStringList portsOf(const CompletionSource& source, const QString& name) {
    QStringList words;
    const NodeSpec* node = nodeNamed(source, name);
    if (const auto* declaration = node ? declarationOf(source, *node) : nullptr)
        for (const auto& port : declaration->ports) words << QString::fromStdString(port.name);
    return words;
}

Completion inLiteral(const QString& before, const QString& content, const CompletionSource& source) {
    QRegularExpressionMatch match;
    if (endsWith(before, "raphe\\.(load|open|run|new)\\s*\\(?\\s*")) return matching(content, texts(experimentNames()));
    if (endsWith(before, "require\\s*\\(?\\s*")) return matching(content, {"raphe", "raphe.protocol"});
    if (endsWith(before, "(:add_node\\s*\\([^,()]*,\\s*|\\bmechanism\\s*=\\s*|raphe\\.describe\\s*\\(?\\s*)"))
        return matching(content, source.registry ? texts(source.registry->keys()) : QStringList{});
    if (endsWith(before, ":(set_field|reset_field)\\s*\\(\\s*")) return matching(content, texts(settableFields()));
    if (endsWith(before, ":(?:set_parameter|reset_parameter)\\s*\\(\\s*[\"']([^\"']*)[\"']\\s*,\\s*", &match))
        return matching(content, parametersOf(source, match.captured(1)));
    const qsizetype dot = content.lastIndexOf('.');
    if (dot < 0) {
        QStringList nodes;
        if (source.experiment)
            for (const auto& node : source.experiment->nodes) nodes << QString::fromStdString(node.name);
        return matching(content, nodes);
    }
    // A wire may be written as one text: "a.x -> b.y".
    const qsizetype start = content.lastIndexOf(QRegularExpression{QStringLiteral("[\\s>]")}, dot) + 1;
    const QString node = content.mid(start, dot - start);
    QStringList words = portsOf(source, node);
    if (!endsWith(before, ":(connect|disconnect|set_delay|add_recording|set_recording|remove_recording)\\s*\\(.*"))
        words += parametersOf(source, node);
    return matching(content.mid(dot + 1), words);
}

/// The class of what a variable holds, as far as an assignment tells; empty: it does not.
std::string classOf(const QString& text, const QString& name) {
    if (name == "e") return "experiment";
    const QRegularExpression assignment{
        QStringLiteral("\\b%1\\s*=\\s*([\\w.]+\\s*[.:]\\s*\\w+)").arg(QRegularExpression::escape(name))};
    QString last;
    for (auto it = assignment.globalMatch(text); it.hasNext();) last = it.next().captured(1).remove(' ');
    if (endsWith(last, ":(session)")) return "session";
    if (endsWith(last, ":(copy)") || endsWith(last, "raphe\\.(load|open|open_text|new|experiment)"))
        return "experiment";
    if (endsWith(last, "raphe\\.(tensor|zeros)") || endsWith(last, ":(get|forward)")) return "tensor";
    if (endsWith(last, "raphe\\.random")) return "random";
    return {};
}

Completion afterColon(const QString& text, const QString& name, const QString& typed, const CompletionSource& source) {
    const auto& methods = source.vocabulary.methods;
    if (const auto known = methods.find(classOf(text, name)); known != methods.end())
        return matching(typed, texts(known->second));
    QStringList all;
    for (const auto& [className, names] : methods) all += texts(names);
    return matching(typed, all);
}

QString moduleNamed(const QString& text, const QString& name) {
    static const QRegularExpression required{QStringLiteral("\\b(\\w+)\\s*=\\s*require\\s*\\(?\\s*[\"']raphe[\"']")};
    for (auto it = required.globalMatch(text); it.hasNext();)
        if (it.next().captured(1) == name.section('.', 0, 0)) return "raphe" + name.mid(name.section('.', 0, 0).size());
    return name;
}

} // namespace

Completion completionAt(const QString& before, const CompletionSource& source) {
    const QString line = before.mid(before.lastIndexOf('\n') + 1);
    const qsizetype literal = openLiteral(line);
    if (literal == -2) return {};
    if (literal >= 0) return inLiteral(line.left(literal), line.mid(literal + 1), source);

    QRegularExpressionMatch match;
    if (endsWith(line, "([A-Za-z_]\\w*)\\s*:\\s*(\\w*)", &match))
        return afterColon(before, match.captured(1), match.captured(2), source);
    if (endsWith(line, "\\)\\s*:\\s*(\\w*)", &match)) return afterColon(before, {}, match.captured(1), source);
    if (endsWith(line, "([A-Za-z_]\\w*(?:\\.\\w+)*)\\.(\\w*)", &match)) {
        const auto table = source.vocabulary.tables.find(moduleNamed(before, match.captured(1)).toStdString());
        if (table == source.vocabulary.tables.end()) return {};
        return matching(match.captured(2), texts(table->second));
    }
    if (!endsWith(line, "\\b([A-Za-z_]\\w*)", &match)) return {};
    QStringList words = keywords() + texts(source.vocabulary.globals);
    static const QRegularExpression word{QStringLiteral("\\b[A-Za-z_]\\w{2,}\\b")};
    const QString typed = match.captured(1);
    for (auto it = word.globalMatch(before); it.hasNext();) {
        const auto found = it.next();
        if (found.capturedEnd() != before.size()) words << found.captured();
    }
    return matching(typed, words);
}

QString callTip(const QString& method) {
    for (const auto& info : commands()) {
        if (method != QLatin1String(info.name)) continue;
        QStringList arguments;
        for (const auto& argument : info.arguments)
            arguments << (argument.optional ? QStringLiteral("[%1]") : QStringLiteral("%1")).arg(argument.name);
        return QStringLiteral("%1(%2)\n%3").arg(info.name, arguments.join(", "), info.doc);
    }
    return {};
}

} // namespace raphe
