// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/scripting/script_tab.h"

#include "engine/base/files.h"
#include "gui/scripting/script_draft.h"
#include "gui/scripting/script_output.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QProcess>
#include <QPushButton>
#include <QSplitter>
#include <QVBoxLayout>

namespace raphe {
namespace {

constexpr std::size_t largestScript = std::size_t{16} << 20;
constexpr int cancelled = 130;

} // namespace

ScriptTab::ScriptTab(const PluginHost& plugins, Surroundings surroundings, QWidget* parent)
    : QWidget(parent), plugins_(plugins), surroundings_(std::move(surroundings)), edit_(new CodeEdit{true}),
      output_(makeScriptOutput()), run_(new QPushButton{tr("Run")}), stop_(new QPushButton{tr("Stop")}),
      arguments_(new QLineEdit), state_(new QLabel), runner_(plugins) {
    edit_->setSource(surroundings_.completion);
    edit_->setAccessibleName(tr("Script"));
    output_->setPlaceholderText(tr("What the script prints appears here."));
    output_->setAccessibleName(tr("Output of the script"));
    run_->setToolTip(tr("Runs the script (F5)"));
    stop_->setToolTip(tr("Stops it, whatever it is doing (Shift+F5)"));
    arguments_->setPlaceholderText(tr("arguments, e.g. --seed 2"));
    arguments_->setToolTip(tr("What the script finds in raphe.args; words between quotation marks count as one"));
    arguments_->setMaximumWidth(320);
    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(6, 4, 6, 4);
    bar->addWidget(run_);
    bar->addWidget(stop_);
    bar->addWidget(arguments_, 1);
    bar->addWidget(state_, 1);
    auto* parts = new QSplitter{Qt::Vertical};
    parts->addWidget(edit_);
    parts->addWidget(output_);
    parts->setStretchFactor(0, 3);
    parts->setStretchFactor(1, 1);
    parts->setCollapsible(0, false);
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(bar);
    layout->addWidget(parts, 1);
    setFocusProxy(edit_);

    checkSoon_.setSingleShot(true);
    checkSoon_.setInterval(500);
    connect(&checkSoon_, &QTimer::timeout, this, &ScriptTab::check);
    connect(run_, &QPushButton::clicked, this, &ScriptTab::run);
    connect(arguments_, &QLineEdit::returnPressed, this, &ScriptTab::run);
    connect(stop_, &QPushButton::clicked, this, &ScriptTab::stop);
    connect(edit_, &QsciScintilla::modificationChanged, this, &ScriptTab::changed);
    if (!surroundings_.drafts.empty()) draft_ = std::make_unique<ScriptDraft>(surroundings_.drafts);
    connect(edit_, &QsciScintilla::textChanged, this, [this] {
        edit_->clearMistakes();
        checkSoon_.start();
        if (draft_) draft_->keep(file_, [this] { return unsaved() ? std::optional{edit_->text()} : std::nullopt; });
    });
    connect(&runner_, &ScriptRunner::output, this, [this](const QString& text) { appendOutput(*output_, text); });
    connect(&runner_, &ScriptRunner::ended, this, &ScriptTab::finish);
    showRunning();
}

ScriptTab::~ScriptTab() = default;

QString ScriptTab::title() const {
    return file_.empty() ? tr("untitled.lua") : QString::fromStdString(file_.filename().string());
}

bool ScriptTab::modified() const { return neverSaved_ || edit_->isModified(); }

void ScriptTab::load(const std::filesystem::path& file) {
    const auto bytes = readBytes(file, largestScript);
    const QByteArray raw{bytes.data(), static_cast<qsizetype>(bytes.size())};
    QStringDecoder decoder{QStringDecoder::Utf8, QStringDecoder::Flag::ConvertInitialBom};
    const QString text = decoder(raw);
    if (decoder.hasError() || raw.contains('\0'))
        throw Error(file.string(), "is no text in UTF-8, so it cannot be edited here; convert it first");
    file_ = std::filesystem::absolute(file);
    edit_->setText(text);
    // As the file has them, so that a line more does not change the others.
    edit_->setEolMode(text.contains("\r\n") ? QsciScintilla::EolWindows : QsciScintilla::EolUnix);
    neverSaved_ = false;
    edit_->setModified(false);
    edit_->SendScintilla(QsciScintillaBase::SCI_EMPTYUNDOBUFFER);
    check();
    Q_EMIT changed();
}

void ScriptTab::setUnsaved(const QString& text, const std::filesystem::path& file) {
    file_ = file;
    neverSaved_ = true;
    edit_->setText(text);
    check();
    Q_EMIT changed();
}

void ScriptTab::save(const std::filesystem::path& file) {
    const QByteArray bytes = edit_->text().toUtf8();
    writeAtomically(file, {bytes.constData(), static_cast<std::size_t>(bytes.size())});
    file_ = std::filesystem::absolute(file);
    neverSaved_ = false;
    edit_->setModified(false);
    if (draft_) draft_->drop();
    Q_EMIT changed();
}

void ScriptTab::check() {
    if (runner_.running()) return;
    if (!checker_) checker_ = std::make_unique<LuaHost>(plugins_);
    edit_->clearMistakes();
    const QString sentence =
        QString::fromStdString(checker_->mistake(edit_->text().toStdString(), title().toStdString()));
    if (sentence.isEmpty()) return;
    const auto mistake = mistakeOf(sentence);
    edit_->markMistake(std::max(1, std::min(mistake.line, edit_->lines())), mistake.sentence);
}

void ScriptTab::run() {
    if (runner_.running()) return;
    checkSoon_.stop();
    edit_->clearMistakes();
    output_->clear();
    ScriptRunner::Script script;
    script.text = edit_->text().toStdString();
    script.name = title().toStdString();
    script.file = file_;
    for (const QString& word : QProcess::splitCommand(arguments_->text()))
        script.arguments.push_back(word.toStdString());
    script.document = surroundings_.document();
    script.runs = surroundings_.runs();
    runner_.runScript(std::move(script));
    showRunning();
}

void ScriptTab::showRunning() {
    run_->setEnabled(!runner_.running());
    stop_->setEnabled(runner_.running());
    if (runner_.running()) state_->setText(tr("running …"));
    Q_EMIT changed();
}

void ScriptTab::finish(int code, const QString& error) {
    if (!error.isEmpty()) {
        appendOutput(*output_, error + "\n", true);
        const auto mistake = mistakeOf(error);
        if (mistake.line > 0 && mistake.file == title()) {
            edit_->markMistake(mistake.line, mistake.sentence);
            edit_->showLine(mistake.line);
        }
    }
    state_->setText(!error.isEmpty()    ? tr("ended with an error")
                    : code == cancelled ? tr("stopped")
                    : code != 0         ? tr("ended with %1").arg(code)
                                        : tr("done"));
    showRunning();
    Q_EMIT ended(code);
}

QString ScriptTab::output() const { return output_->toPlainText(); }

} // namespace raphe
