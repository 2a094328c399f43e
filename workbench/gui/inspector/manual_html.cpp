// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/inspector/manual_html.h"

#include "gui/shell/theme.h"

#include <QMap>
#include <QRegularExpression>
#include <QTextDocument>

namespace raphe {
namespace {

const QMap<QString, QString>& greekLetters() {
    static const QMap<QString, QString> letters{
        {"alpha", "α"}, {"beta", "β"},  {"gamma", "γ"}, {"delta", "δ"},  {"epsilon", "ε"},
        {"eta", "η"},   {"theta", "θ"}, {"kappa", "κ"}, {"lambda", "λ"}, {"mu", "μ"},
        {"nu", "ν"},    {"pi", "π"},    {"rho", "ρ"},   {"sigma", "σ"},  {"tau", "τ"},
        {"phi", "φ"},   {"psi", "ψ"},   {"omega", "ω"}, {"Delta", "Δ"},  {"Sigma", "Σ"},
        {"Phi", "Φ"},   {"Omega", "Ω"}, {"sum", "Σ"},   {"sqrt", "√"},   {"inf", "∞"}};
    return letters;
}

/// A word of an equation: Greek letters as such, names of functions upright.
QString wordHtml(const QString& word) {
    static const QStringList functions{"tanh", "sigmoid", "softmax", "exp",  "log",
                                       "max",  "min",     "clip",    "relu", "mean"};
    if (const auto letter = greekLetters().constFind(word); letter != greekLetters().cend()) return *letter;
    const QString shown = word.toHtmlEscaped();
    return functions.contains(word) || word.size() > 4 ? shown : "<i>" + shown + "</i>";
}

} // namespace

QString equationHtml(const QString& line) {
    static const QRegularExpression token{
        R"((?<word>[A-Za-z]+)|(?<low>_\{[^}]*\}|_[A-Za-z0-9]+)|(?<high>\^\{[^}]*\}|\^-?[A-Za-z0-9]+)|(?<sign>\.\*|<=|>=|!=|->|\*|-)|(?<other>.))"};
    QString html;
    const auto script = [](QString text) {
        text.remove(0, 1);
        if (text.startsWith('{')) text = text.mid(1, text.size() - 2);
        return wordHtml(text);
    };
    const QMap<QString, QString> signs{{".*", "⊙"}, {"<=", "≤"}, {">=", "≥"}, {"!=", "≠"},
                                       {"->", "→"}, {"*", "·"},  {"-", "−"}};
    for (auto found = token.globalMatch(line); found.hasNext();) {
        const auto match = found.next();
        if (match.hasCaptured("word"))
            html += wordHtml(match.captured());
        else if (match.hasCaptured("low"))
            html += "<sub>" + script(match.captured()) + "</sub>";
        else if (match.hasCaptured("high"))
            html += "<sup>" + script(match.captured()) + "</sup>";
        else if (match.hasCaptured("sign"))
            html += signs.value(match.captured());
        else
            html += match.captured() == " " ? QStringLiteral("&nbsp;") : match.captured().toHtmlEscaped();
    }
    return html;
}

QString manualHtml(const DeclarationData& declaration) {
    // Equations are the indented blocks; they are set apart and put in again.
    QStringList text, equations;
    bool inside = false;
    for (const QString& line : QString::fromStdString(declaration.manual).split('\n')) {
        if (!line.startsWith("    ") || line.trimmed().isEmpty()) {
            inside = false;
            text << line;
            continue;
        }
        if (!inside) {
            text << QStringLiteral("@EQ%1@").arg(equations.size());
            equations << QString{};
        }
        inside = true;
        QString shown = equationHtml(line.mid(4));
        equations.back() += (equations.back().isEmpty() ? "" : "<br>") + shown;
    }
    QTextDocument document;
    document.setMarkdown(text.join('\n') + "\n\n" + QString::fromStdString(declaration.citation));
    QString html = document.toHtml();
    for (qsizetype i = 0; i < equations.size(); ++i)
        html.replace(QStringLiteral("@EQ%1@").arg(i),
                     QStringLiteral("<table width='100%' cellpadding='6' bgcolor='%1'><tr><td><span style='font-family:"
                                    "\"DejaVu Serif\",serif; font-size:11pt'>%2</span></td></tr></table>")
                         .arg(theme().raised.name(), equations[i]));
    return html;
}

} // namespace raphe
