// SPDX-License-Identifier: GPL-3.0-or-later
// What a crash has left behind, and documents that are open elsewhere.
#include "engine/editing/journal.h"
#include "gui/scripting/script_draft.h"
#include "gui/scripting/script_tab.h"
#include "gui/shell/main_window.h"
#include "gui/shell/notice_bar.h"
#include "gui/shell/recovery_dialog.h"

#include <QFileInfo>
#include <QMessageBox>
#include <QPushButton>
#include <QStandardPaths>

namespace raphe {
namespace {

namespace fs = std::filesystem;

fs::path dataFolder() { return QStandardPaths::writableLocation(QStandardPaths::AppDataLocation).toStdString(); }

QString sentence(const std::exception& error) { return QString::fromUtf8(error.what()); }

/// A document that can be recovered, and what the dialog says of it.
struct LeftDocument {
    fs::path journal;
    Recovery recovery;
    Leftover shown;
};

LeftDocument leftDocument(const fs::path& journal, const Registry& registry) {
    LeftDocument left;
    left.journal = journal;
    left.shown.last = QFileInfo{QString::fromStdString(journal.string())}.lastModified();
    left.recovery = Recovery::of(journal, registry);
    if (!left.recovery.document) return left;
    const auto& file = left.recovery.file;
    const auto& name = left.recovery.document->experiment().name;
    left.shown.name =
        file.empty() ? QObject::tr("%1 (never saved)").arg(QString::fromStdString(name.empty() ? "untitled" : name))
                     : QString::fromStdString(file.filename().string());
    const auto count = left.recovery.commands;
    left.shown.changes = count == 1 ? QObject::tr("1 command") : QObject::tr("%1 commands").arg(count);
    // The message begins with what the other columns say already.
    const QString message = QString::fromStdString(left.recovery.message);
    left.shown.note =
        message.contains("; ") ? message.section("; ", 1) : QString::fromStdString(file.parent_path().string());
    return left;
}

} // namespace

fs::path MainWindow::journalFolder() { return dataFolder() / "journals"; }
fs::path MainWindow::draftFolder() { return dataFolder() / "scripts"; }

void MainWindow::notify(const QString& words) { notices_->say(words); }

void MainWindow::recoverJournals() {
    std::vector<LeftDocument> documents;
    std::vector<Leftover> shown;
    for (const auto& path : journalsIn(journalFolder())) {
        try {
            auto left = leftDocument(path, plugins_.registry());
            if (!left.recovery.document) {
                notify(QString::fromStdString(left.recovery.message));
                continue;
            }
            if (!left.recovery.worthwhile) {
                discardJournal(path);
                continue;
            }
            shown.push_back(left.shown);
            documents.push_back(std::move(left));
        } catch (const std::exception& error) {
            notify(sentence(error));
        }
    }
    QStringList unusable;
    const auto scripts = scriptsIn(draftFolder(), unusable);
    for (const QString& words : unusable) notify(words);
    for (const auto& script : scripts)
        shown.push_back({script.file.empty() ? tr("a script (never saved)")
                                             : QString::fromStdString(script.file.filename().string()),
                         tr("%1 lines").arg(script.text.count('\n') + 1),
                         QFileInfo{QString::fromStdString(script.draft.string())}.lastModified(),
                         QString::fromStdString(script.file.parent_path().string())});
    if (shown.empty()) return;

    RecoveryDialog dialog{shown, tr("&Later"), this};
    dialog.exec();
    const auto checked = dialog.checked();
    for (std::size_t i = 0; i < shown.size(); ++i) {
        if (!checked[i] || dialog.choice() == RecoveryDialog::later) continue;
        const bool recovers = dialog.choice() == RecoveryDialog::recover;
        if (i < documents.size()) {
            if (recovers)
                addTab(std::move(documents[i].recovery.document));
            else
                discardJournal(documents[i].journal);
            continue;
        }
        const auto& script = scripts[i - documents.size()];
        if (recovers) addScriptTab()->setUnsaved(script.text, script.file); // which keeps a draft of its own
        removeDraft(script.draft);
    }
}

void MainWindow::discardJournal(const fs::path& journal) {
    std::error_code error;
    fs::remove(journal, error);
    if (error) notify(tr("%1 cannot be removed: %2").arg(journal.string().c_str(), error.message().c_str()));
}

bool MainWindow::recoverOne(const fs::path& file, CanvasView*& opened) {
    const auto journal = journalOf(file, journalFolder());
    if (journal.empty()) return false;
    auto left = leftDocument(journal, plugins_.registry());
    if (!left.recovery.document) {
        notify(QString::fromStdString(left.recovery.message));
        return false;
    }
    if (!left.recovery.worthwhile) {
        discardJournal(journal);
        return false;
    }
    RecoveryDialog dialog{{left.shown}, tr("&Cancel"), this};
    dialog.exec();
    if (dialog.choice() == RecoveryDialog::later) return true;
    if (dialog.choice() == RecoveryDialog::discard || !dialog.checked().front()) {
        discardJournal(journal);
        return false;
    }
    opened = addTab(std::move(left.recovery.document));
    return true;
}

bool MainWindow::keepJournal(Document& document) {
    try {
        document.keepJournal(journalFolder());
        return true;
    } catch (const OpenElsewhere&) {
        QMessageBox box{QMessageBox::Question, tr("Open"),
                        tr("%1 is open in another window of Raphe.")
                            .arg(QString::fromStdString(document.path().filename().string())),
                        QMessageBox::Cancel, this};
        box.setInformativeText(tr("Two windows that save the same file would undo each other's work."));
        auto* look = box.addButton(tr("Open &read-only"), QMessageBox::AcceptRole);
        auto* copy = box.addButton(tr("Open a &copy"), QMessageBox::ActionRole);
        box.setDefaultButton(look);
        box.exec();
        if (box.clickedButton() == look) {
            document.setReadOnly("the document is open in another window, and read-only here; save it under another "
                                 "name to change it");
            return true;
        }
        if (box.clickedButton() != copy) return false;
        document.forgetFile();
        return keepJournal(document);
    } catch (const std::exception& error) {
        notify(tr("%1. The document has no journal: what is not saved is lost in a crash.").arg(sentence(error)));
        return true;
    }
}

} // namespace raphe
