// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/shell/recovery_dialog.h"

#include <QAbstractButton>
#include <QApplication>
#include <QDialog>
#include <QFileDialog>
#include <QMenu>
#include <QMessageBox>
#include <QTimer>

#include <functional>

namespace raphe::test {

/// Answers modal dialogs as long as it lives: message boxes and the dialog of recovery by a word on a button, file
/// dialogs by a name. What has no such button is dismissed.
class DialogAnswers : public QObject {
public:
    explicit DialogAnswers(QStringList words = {}, QString file = {})
        : words_(std::move(words)), file_(std::move(file)) {
        waitForNext();
    }

    std::function<void(QMenu&)> onMenu; ///< a menu is open; otherwise it is left alone
    std::function<void()> otherwise;    ///< nothing is to be answered
    /// Texts of the dialogs that were seen.
    const QStringList& seen() const { return seen_; }

private:
    /// Each look is an event of its own: one whose answer opens the next dialog must not keep that one waiting.
    void waitForNext() {
        QTimer::singleShot(5, this, [this] {
            waitForNext();
            answer();
        });
    }
    void answer() {
        if (auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget())) {
            if (onMenu) onMenu(*menu);
            return;
        }
        auto* dialog = qobject_cast<QDialog*>(QApplication::activeModalWidget());
        if (!dialog) {
            if (otherwise) otherwise();
            return;
        }
        if (auto* box = qobject_cast<QMessageBox*>(dialog))
            seen_ << box->text() + "\n" + box->informativeText();
        else
            seen_ << dialog->windowTitle();
        if (auto* files = qobject_cast<QFileDialog*>(dialog); files && !file_.isEmpty()) {
            files->selectFile(file_);
            QMetaObject::invokeMethod(files, "accept");
            return;
        }
        for (const QString& word : words_)
            for (auto* button : dialog->findChildren<QAbstractButton*>())
                if (button->isVisible() && QString{button->text()}.remove('&').contains(word)) {
                    button->click();
                    return;
                }
        dialog->reject();
    }

    QStringList words_, seen_;
    QString file_;
};

} // namespace raphe::test
