// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/scripting/console_panel.h"

#include "gui/scripting/script_output.h"

#include <QFontDatabase>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace raphe {
namespace {

constexpr int mostInputLines = 8;
const QString chunkName = QStringLiteral("console");

} // namespace

ConsolePanel::ConsolePanel(const PluginHost& plugins, QWidget* parent)
    : QWidget(parent), plugins_(plugins), output_(makeScriptOutput()), input_(new CodeEdit{false}), bound_(new QLabel),
      stop_(new QPushButton{tr("Stop")}), clear_(new QPushButton{tr("Clear")}), runner_(plugins) {
    output_->setPlaceholderText(tr("Lua, line by line: e is the open document. For instance\n"
                                   "e:get(\"trials\")     e:set(\"trials\", 20)     e:problems()     raphe.list()"));
    output_->setAccessibleName(tr("Output of the console"));
    input_->setAccessibleName(tr("Lua console"));
    input_->installEventFilter(this);
    input_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    stop_->setToolTip(tr("Stops what runs, whatever it is doing"));
    bound_->setToolTip(tr("Enter: do it. Shift+Enter: another line. Up and down: what was typed before."));
    connect(stop_, &QPushButton::clicked, this, &ConsolePanel::stop);
    connect(clear_, &QPushButton::clicked, output_, &QPlainTextEdit::clear);
    connect(input_, &QsciScintilla::textChanged, this, &ConsolePanel::fitInput);
    connect(&runner_, &ScriptRunner::output, this, [this](const QString& text) { appendOutput(*output_, text); });
    connect(&runner_, &ScriptRunner::ended, this, [this](int code, const QString& error) {
        if (!error.isEmpty()) appendOutput(*output_, error + "\n", true);
        if (error.isEmpty() && code == 130) appendOutput(*output_, tr("stopped\n"), true);
        showRunning();
        Q_EMIT ended();
    });

    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(6, 2, 6, 2);
    bar->addWidget(bound_, 1);
    bar->addWidget(stop_);
    bar->addWidget(clear_);
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(bar);
    layout->addWidget(output_, 1);
    auto* line = new QFrame;
    line->setFrameShape(QFrame::HLine);
    line->setFrameShadow(QFrame::Plain);
    line->setForegroundRole(QPalette::Mid);
    layout->addWidget(line);
    auto* prompt = new QLabel{QStringLiteral(">")};
    prompt->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    prompt->setForegroundRole(QPalette::Highlight);
    prompt->setBackgroundRole(QPalette::Base);
    prompt->setAutoFillBackground(true);
    prompt->setContentsMargins(6, 0, 4, 0);
    prompt->setAlignment(Qt::AlignTop);
    prompt->setToolTip(bound_->toolTip());
    auto* entry = new QHBoxLayout;
    entry->setSpacing(0);
    entry->addWidget(prompt);
    entry->addWidget(input_, 1);
    layout->addLayout(entry);
    setFocusProxy(input_);
    setDocument({}, {});
    fitInput();
    showRunning();
}

void ConsolePanel::setDocument(std::weak_ptr<Document> document, const QString& name) {
    document_ = std::move(document);
    bound_->setText(name.isEmpty() ? tr("no document is open") : tr("e is %1").arg(name));
}

void ConsolePanel::fitInput() {
    const int rows = std::clamp(input_->lines(), 1, mostInputLines);
    input_->setFixedHeight(rows * input_->textHeight(0) + 8);
    input_->setVerticalScrollBarPolicy(input_->lines() > mostInputLines ? Qt::ScrollBarAsNeeded
                                                                        : Qt::ScrollBarAlwaysOff);
}

void ConsolePanel::showRunning() { stop_->setEnabled(runner_.running()); }

QString ConsolePanel::output() const { return output_->toPlainText(); }

void ConsolePanel::put(const QString& text) {
    input_->setText(text);
    input_->SendScintilla(QsciScintillaBase::SCI_DOCUMENTEND);
}

bool ConsolePanel::enter() {
    const QString text = input_->text();
    if (text.trimmed().isEmpty() || runner_.running()) return false;
    if (!checker_) checker_ = std::make_unique<LuaHost>(plugins_);
    bool incomplete = false;
    checker_->consoleMistake(text.toStdString(), chunkName.toStdString(), incomplete);
    // An empty line at its end says that it shall be taken as it is.
    if (incomplete && !text.endsWith('\n')) {
        input_->SendScintilla(QsciScintillaBase::SCI_NEWLINE);
        return false;
    }
    history_.add(text.trimmed());
    appendOutput(*output_, QStringLiteral("> ") + QString{text.trimmed()}.replace('\n', QStringLiteral("\n  ")) + "\n",
                 false, true);
    put({});
    ScriptRunner::Script chunk;
    chunk.text = text.toStdString();
    chunk.name = chunkName.toStdString();
    chunk.document = document_;
    chunk.runs = runs_;
    runner_.runConsole(std::move(chunk));
    showRunning();
    return true;
}

bool ConsolePanel::pressed(const QKeyEvent& key) {
    if (key.key() == Qt::Key_Return || key.key() == Qt::Key_Enter) input_->closeFinishedList();
    if (input_->completing()) return false; // the keys are the list's
    int line = 0, column = 0;
    input_->getCursorPosition(&line, &column);
    switch (key.key()) {
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (key.modifiers() & Qt::ShiftModifier)
            input_->SendScintilla(QsciScintillaBase::SCI_NEWLINE);
        else
            enter();
        return true;
    case Qt::Key_Up:
        if (key.modifiers() != Qt::NoModifier || line > 0) return false;
        put(history_.older(input_->text()));
        return true;
    case Qt::Key_Down:
        if (key.modifiers() != Qt::NoModifier || line < input_->lines() - 1) return false;
        put(history_.newer(input_->text()));
        return true;
    case Qt::Key_Escape:
        put({});
        return true;
    case Qt::Key_C:
        if (key.modifiers() != Qt::ControlModifier || !runner_.running() || input_->hasSelectedText()) return false;
        stop();
        return true;
    default:
        return false;
    }
}

bool ConsolePanel::eventFilter(QObject* watched, QEvent* event) {
    if (watched == input_ && event->type() == QEvent::KeyPress && pressed(*static_cast<QKeyEvent*>(event))) return true;
    return QWidget::eventFilter(watched, event);
}

} // namespace raphe
