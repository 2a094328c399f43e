// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/scripting/code_edit.h"

#include "gui/shell/theme.h"

#include <QFontDatabase>
#include <QFontMetrics>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QRegularExpression>
#include <QShortcut>

#include <array>
#include <cctype>

namespace raphe {
namespace {

constexpr int numberMargin = 0, markMargin = 1;
constexpr int badLine = 8, badMark = 9; ///< marker numbers
constexpr int leastLetters = 2;         ///< before a list appears by itself

QColor mixed(const QColor& a, const QColor& b, double part) {
    const auto mix = [&](int x, int y) { return static_cast<int>(x * (1 - part) + y * part); };
    return {mix(a.red(), b.red()), mix(a.green(), b.green()), mix(a.blue(), b.blue())};
}

} // namespace

CodeEdit::CodeEdit(bool lines, QWidget* parent) : QsciScintilla(parent), lexer_(new QsciLexerLua{this}), lines_(lines) {
    setUtf8(true);
    setEolMode(EolUnix);
    setIndentationsUseTabs(false);
    setTabWidth(4);
    setAutoIndent(true);
    setBraceMatching(SloppyBraceMatch);
    setLexer(lexer_);
    setAutoCompletionSource(AcsNone); // completion is our own
    setAnnotationDisplay(AnnotationIndented);
    setFolding(NoFoldStyle);
    setFrameShape(QFrame::NoFrame);
    setScrollWidth(1);
    setScrollWidthTracking(true);
    markerDefine(Background, badLine);
    markerDefine(Circle, badMark);
    if (lines) {
        setMarginType(numberMargin, NumberMargin);
        setMarginWidth(numberMargin, QStringLiteral("00000"));
        setMarginType(markMargin, SymbolMargin);
        setMarginWidth(markMargin, 14);
        setMarginMarkerMask(markMargin, 1 << badMark);
    } else {
        setMarginWidth(numberMargin, 0);
        setMarginWidth(markMargin, 4);
    }
    setMarginWidth(2, 0);
    // What the window has on these keys is the window's.
    for (const auto key : {Qt::Key_L, Qt::Key_T, Qt::Key_U})
        if (auto* command = standardCommands()->boundTo((Qt::CTRL | key).toCombined())) command->setKey(0);
    SendScintilla(SCI_AUTOCSETIGNORECASE, 1);
    SendScintilla(SCI_AUTOCSETORDER, 1); // SC_ORDER_PERFORMSORT
    SendScintilla(SCI_AUTOCSETMAXHEIGHT, 10);
    SendScintilla(SCI_AUTOCSETDROPRESTOFWORD, 0);
    connect(this, &QsciScintillaBase::SCN_CHARADDED, this, &CodeEdit::typed);
    auto* wanted = new QShortcut{QKeySequence{Qt::CTRL | Qt::Key_Space}, this};
    wanted->setContext(Qt::WidgetShortcut);
    connect(wanted, &QShortcut::activated, this, [this] { complete(true); });
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, this, &CodeEdit::applyTheme);
    applyTheme();
}

void CodeEdit::applyTheme() {
    const Theme& t = theme();
    QFont font = QFontDatabase::systemFont(QFontDatabase::FixedFont);
    lexer_->setDefaultFont(font);
    lexer_->setDefaultPaper(t.base);
    lexer_->setDefaultColor(t.text);
    for (int style = 0; style < 128; ++style) {
        lexer_->setFont(font, style);
        lexer_->setPaper(t.base, style);
        lexer_->setColor(t.text, style);
    }
    QFont bold = font, italic = font;
    bold.setBold(true);
    italic.setItalic(true);
    for (const int style : {QsciLexerLua::Comment, QsciLexerLua::LineComment}) {
        lexer_->setColor(t.faint, style);
        lexer_->setFont(italic, style);
    }
    lexer_->setColor(t.accent, QsciLexerLua::Keyword);
    lexer_->setFont(bold, QsciLexerLua::Keyword);
    lexer_->setColor(t.modulation, QsciLexerLua::Number);
    for (const int style : {QsciLexerLua::String, QsciLexerLua::Character, QsciLexerLua::LiteralString})
        lexer_->setColor(t.output, style);
    lexer_->setColor(t.bad, QsciLexerLua::UnclosedString);
    for (const int style : {QsciLexerLua::BasicFunctions, QsciLexerLua::StringTableMathsFunctions,
                            QsciLexerLua::CoroutinesIOSystemFacilities})
        lexer_->setColor(t.rule, style);
    setPaper(t.base);
    setColor(t.text);
    setCaretForegroundColor(t.text);
    setCaretLineVisible(lines_);
    setCaretLineBackgroundColor(t.raised);
    setMarginsBackgroundColor(lines_ ? t.window : t.base);
    setMarginsForegroundColor(t.faint);
    setMarginsFont(font);
    setSelectionBackgroundColor(mixed(t.base, t.accent, 0.35));
    resetSelectionForegroundColor();
    setMatchedBraceBackgroundColor(mixed(t.base, t.accent, 0.25));
    setMatchedBraceForegroundColor(t.text);
    setUnmatchedBraceBackgroundColor(t.base);
    setUnmatchedBraceForegroundColor(t.bad);
    setCallTipsBackgroundColor(t.raised);
    setCallTipsForegroundColor(t.text);
    setMarkerBackgroundColor(mixed(t.base, t.bad, 0.18), badLine);
    setMarkerBackgroundColor(t.bad, badMark);
    setMarkerForegroundColor(t.bad, badMark);
    if (!mistakes_.empty()) { // their sentences have the colours of before
        std::vector<std::pair<int, QString>> shown;
        for (const int line : mistakes_) shown.emplace_back(line, annotation(line - 1));
        clearMistakes();
        for (const auto& [line, sentence] : shown) markMistake(line, sentence);
    }
}

QString CodeEdit::beforeCaret() const {
    const auto end = SendScintilla(SCI_GETCURRENTPOS);
    // Names are looked for in the text before; of a very long one its end is enough.
    const long begin = std::max(0L, end - 200'000L);
    return text(static_cast<int>(begin), static_cast<int>(end));
}

void CodeEdit::typed(int letter) {
    if (letter == '(') {
        static const QRegularExpression method{QStringLiteral(":\\s*(\\w+)\\s*\\($")};
        const auto match = method.match(beforeCaret().right(200));
        const QString tip = match.hasMatch() ? raphe::callTip(match.captured(1)) : QString{};
        if (!tip.isEmpty())
            SendScintilla(SCI_CALLTIPSHOW, static_cast<unsigned long>(SendScintilla(SCI_GETCURRENTPOS)),
                          tip.toUtf8().constData());
        return;
    }
    if (isListActive()) return;
    const bool word = letter == '_' || (letter < 128 && std::isalnum(letter) != 0);
    if (word || letter == '.' || letter == ':' || letter == '"' || letter == '\'') complete(letter != '"' && !word);
}

void CodeEdit::complete(bool wanted) {
    if (!source_ || isReadOnly()) return;
    const QString before = beforeCaret();
    const auto found = completionAt(before, source_());
    if (found.words.isEmpty()) return;
    // Inside a text and after a dot at once; a plain word after some letters.
    const bool plain =
        found.typed > 0 && found.typed < leastLetters &&
        (before.size() == found.typed || !QStringLiteral(".:\"'").contains(before[before.size() - found.typed - 1]));
    if (plain && !wanted) return;
    // QScintilla asks the screen at this point for its size, and there may be none: a window may reach beyond its
    // screen.
    const int caret = static_cast<int>(SendScintilla(SCI_GETCURRENTPOS));
    const QPoint at(static_cast<int>(SendScintilla(SCI_POINTXFROMPOSITION, 0UL, static_cast<long>(caret))),
                    static_cast<int>(SendScintilla(SCI_POINTYFROMPOSITION, 0UL, static_cast<long>(caret))));
    for (const QPoint& point : {at, at + QPoint(0, fontMetrics().height()), QPoint(0, 0)})
        if (!QGuiApplication::screenAt(viewport()->mapToGlobal(point))) return;
    SendScintilla(SCI_AUTOCSHOW, static_cast<unsigned long>(found.typed), found.words.join(' ').toUtf8().constData());
}

void CodeEdit::closeFinishedList() {
    if (!isListActive()) return;
    std::array<char, 256> chosen{}; // names are shorter
    if (SendScintilla(SCI_AUTOCGETCURRENTTEXT, 0UL, static_cast<void*>(nullptr)) >= static_cast<long>(chosen.size()))
        return;
    SendScintilla(SCI_AUTOCGETCURRENTTEXT, 0UL, static_cast<void*>(chosen.data()));
    if (chosen[0] != 0 && beforeCaret().endsWith(QString::fromUtf8(chosen.data()))) cancelList();
}

void CodeEdit::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) closeFinishedList();
    QsciScintilla::keyPressEvent(event);
}

void CodeEdit::markMistake(int line, const QString& sentence) {
    if (line < 1 || line > lines()) return;
    markerAdd(line - 1, badLine);
    markerAdd(line - 1, badMark);
    const Theme& t = theme();
    static const int number = QsciStyle{}.style(); // there are few of them
    annotate(line - 1, sentence,
             QsciStyle{number, QStringLiteral("mistake"), t.bad, mixed(t.base, t.bad, 0.08), font(), true});
    mistakes_.push_back(line);
}

void CodeEdit::clearMistakes() {
    if (mistakes_.empty()) return;
    markerDeleteAll(badLine);
    markerDeleteAll(badMark);
    clearAnnotations();
    mistakes_.clear();
}

std::vector<int> CodeEdit::mistakes() const { return mistakes_; }

void CodeEdit::showLine(int line) {
    setCursorPosition(line - 1, 0);
    ensureLineVisible(line - 1);
}

} // namespace raphe
