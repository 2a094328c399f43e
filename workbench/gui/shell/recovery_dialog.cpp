// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/shell/recovery_dialog.h"

#include <QDialogButtonBox>
#include <QHeaderView>
#include <QLabel>
#include <QLocale>
#include <QMessageBox>
#include <QPushButton>
#include <QTreeWidget>
#include <QVBoxLayout>

namespace raphe {

RecoveryDialog::RecoveryDialog(const std::vector<Leftover>& leftovers, const QString& laterText, QWidget* parent)
    : QDialog(parent), list_(new QTreeWidget) {
    setWindowTitle(tr("Recover unsaved work"));
    auto* words = new QLabel{
        leftovers.size() == 1 ? tr("This was open when Raphe ended without closing it. Recovered, it opens with its "
                                   "changes, not yet saved.")
                              : tr("These were open when Raphe ended without closing them. Recovered, they open with "
                                   "their changes, not yet saved.")};
    words->setWordWrap(true);
    list_->setHeaderLabels({tr("What"), tr("Unsaved changes"), tr("Last change"), tr("Note")});
    list_->setRootIsDecorated(false);
    list_->setUniformRowHeights(true);
    for (const auto& leftover : leftovers) {
        auto* item = new QTreeWidgetItem{
            list_,
            {leftover.name, leftover.changes, QLocale{}.toString(leftover.last, QLocale::ShortFormat), leftover.note}};
        item->setCheckState(0, Qt::Checked);
        for (int column = 0; column < 4; ++column) item->setToolTip(column, item->text(column));
    }
    for (int column = 0; column < 3; ++column) list_->resizeColumnToContents(column);
    auto* buttons = new QDialogButtonBox;
    auto* recoverButton = buttons->addButton(tr("&Recover"), QDialogButtonBox::AcceptRole);
    auto* laterButton = buttons->addButton(laterText, QDialogButtonBox::RejectRole);
    auto* discardButton = buttons->addButton(tr("&Discard"), QDialogButtonBox::DestructiveRole);
    recoverButton->setDefault(true);
    discardButton->setToolTip(tr("Deletes the unsaved changes of those that are checked"));
    connect(recoverButton, &QPushButton::clicked, this, [this] { choose(recover); });
    connect(laterButton, &QPushButton::clicked, this, &QDialog::reject);
    connect(discardButton, &QPushButton::clicked, this, [this] { choose(discard); });
    auto* layout = new QVBoxLayout{this};
    layout->addWidget(words);
    layout->addWidget(list_, 1);
    layout->addWidget(buttons);
    resize(720, 260);
}

std::vector<bool> RecoveryDialog::checked() const {
    std::vector<bool> result;
    for (int row = 0; row < list_->topLevelItemCount(); ++row)
        result.push_back(list_->topLevelItem(row)->checkState(0) == Qt::Checked);
    return result;
}

void RecoveryDialog::choose(Choice choice) {
    choice_ = choice;
    accept();
}

} // namespace raphe
