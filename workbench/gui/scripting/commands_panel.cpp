// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/scripting/commands_panel.h"

#include "engine/base/files.h"
#include "engine/editing/recorded_script.h"
#include "gui/scripting/code_edit.h"
#include "gui/shell/open_document.h"

#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QMessageBox>
#include <QPushButton>
#include <QVBoxLayout>

namespace raphe {
namespace {

constexpr qsizetype mostLines = 5000;

} // namespace

CommandsPanel::CommandsPanel(QWidget* parent)
    : QWidget(parent), text_(new CodeEdit{false}), save_(new QPushButton{tr("Save as script…")}),
      open_(new QPushButton{tr("Open as script")}), copy_(new QPushButton{tr("Copy")}),
      empty_(new QLabel{tr("What you do to a document appears here as Lua, line by line.\n"
                           "Saved as a script it does the same again, also without the window.")}) {
    text_->setReadOnly(true);
    text_->setAccessibleName(tr("Commands as Lua"));
    text_->setToolTip(tr("What is done to the document appears here as Lua."));
    save_->setToolTip(tr("Writes a script that makes this document again, from what it was when it was opened"));
    open_->setToolTip(tr("The same script in a tab of its own"));
    copy_->setToolTip(tr("Copies what is selected, or else all lines"));
    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(6, 2, 6, 2);
    bar->addWidget(save_);
    bar->addWidget(open_);
    bar->addWidget(copy_);
    bar->addStretch(1);
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(bar);
    layout->addWidget(text_, 1);
    empty_->setAlignment(Qt::AlignCenter);
    empty_->setEnabled(false);
    layout->addWidget(empty_, 1);
    connect(save_, &QPushButton::clicked, this, &CommandsPanel::saveAs);
    connect(open_, &QPushButton::clicked, this, [this] {
        if (shown_) Q_EMIT scriptWanted(QString::fromStdString(scriptOf(shown_->document())));
    });
    connect(copy_, &QPushButton::clicked, this, [this] {
        QApplication::clipboard()->setText(text_->hasSelectedText() ? text_->selectedText() : text_->text());
    });
    setDocument(nullptr);
}

void CommandsPanel::watch(OpenDocument& document) {
    connect(&document, &OpenDocument::echoed, this, [this, &document](const QString& lua) {
        QStringList& lines = lines_[&document];
        lines << lua;
        if (lines.size() > mostLines) {
            lines = lines.mid(lines.size() - mostLines / 2);
            if (shown_ == &document) setDocument(&document);
        } else if (shown_ == &document) {
            append(lua);
        }
    });
    connect(&document, &QObject::destroyed, this, [this, gone = &document] { lines_.erase(gone); });
}

void CommandsPanel::setDocument(OpenDocument* document) {
    shown_ = document;
    const auto found = lines_.find(document);
    text_->setText(found == lines_.end() ? QString{} : found->second.join('\n') + '\n');
    text_->SendScintilla(QsciScintillaBase::SCI_DOCUMENTEND);
    for (auto* button : {save_, open_}) button->setEnabled(document != nullptr);
    showEmpty();
}

void CommandsPanel::showEmpty() {
    const bool any = text_->length() > 1;
    text_->setVisible(any);
    empty_->setVisible(!any);
    copy_->setEnabled(any);
}

void CommandsPanel::append(const QString& lua) {
    text_->append(lua + '\n');
    text_->SendScintilla(QsciScintillaBase::SCI_DOCUMENTEND);
    showEmpty();
}

QStringList CommandsPanel::lines() const {
    const auto found = lines_.find(shown_.data());
    return found == lines_.end() ? QStringList{} : found->second;
}

void CommandsPanel::saveScript(const std::filesystem::path& file) const {
    if (shown_) writeAtomically(file, scriptOf(shown_->document()));
}

void CommandsPanel::saveAs() {
    if (!shown_) return;
    QString file =
        QFileDialog::getSaveFileName(this, tr("Save as script"), shown_->title() + ".lua", tr("Lua scripts (*.lua)"));
    if (file.isEmpty()) return;
    if (QFileInfo{file}.suffix().isEmpty()) file += ".lua";
    try {
        saveScript(file.toStdString());
    } catch (const std::exception& error) {
        QMessageBox::warning(this, tr("Save as script"), QString::fromUtf8(error.what()));
    }
}

} // namespace raphe
