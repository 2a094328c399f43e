// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/shell/command_palette.h"

#include "gui/shell/theme.h"

#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace raphe {

int matchScore(const QString& typed, const QString& title) {
    if (typed.isEmpty()) return 1;
    const QString wanted = typed.toLower(), words = title.toLower();
    if (const auto at = words.indexOf(wanted); at >= 0)
        return 1000 - static_cast<int>(std::min<qsizetype>(at, 300)) +
               (at == 0 || !words[at - 1].isLetterOrNumber() ? 200 : 0);
    int score = 1;
    qsizetype at = -1;
    for (const QChar c : wanted) {
        if (c.isSpace()) continue;
        const auto next = words.indexOf(c, at + 1);
        if (next < 0) return 0;
        if (next == at + 1) score += 5;
        if (next == 0 || !words[next - 1].isLetterOrNumber()) score += 8;
        at = next;
    }
    return score;
}

CommandPalette::CommandPalette(std::vector<PaletteEntry> entries, QWidget* parent)
    : QDialog(parent, Qt::Popup), entries_(std::move(entries)), search_(new QLineEdit), list_(new QListWidget) {
    setAttribute(Qt::WA_DeleteOnClose);
    search_->setPlaceholderText(tr("Command, mechanism or experiment"));
    search_->installEventFilter(this);
    list_->setFrameShape(QFrame::NoFrame);
    list_->setUniformItemSizes(true);
    setStyleSheet(
        QStringLiteral("raphe--CommandPalette { border: 1px solid %1; background: %2; } "
                       "QListWidget::item { padding: 4px 6px; } "
                       "QListWidget::item:selected { background: %3; color: %4; }")
            .arg(theme().faint.name(), theme().raised.name(), theme().accent.name(), theme().onAccent.name()));
    list_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    list_->setAccessibleName(tr("What fits"));
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(8, 8, 8, 8);
    layout->addWidget(search_);
    layout->addWidget(list_);
    connect(search_, &QLineEdit::textChanged, this, &CommandPalette::fill);
    connect(search_, &QLineEdit::returnPressed, this, &CommandPalette::take);
    connect(list_, &QListWidget::itemClicked, this, &CommandPalette::take);
    fill();
    const int width = std::min(620, parent->width() - 40);
    resize(width, 380);
    move(parent->mapToGlobal(QPoint{(parent->width() - width) / 2, 60}));
    search_->setFocus();
}

void CommandPalette::fill() {
    std::vector<std::pair<int, std::size_t>> ranked;
    for (std::size_t i = 0; i < entries_.size(); ++i)
        if (const int score = matchScore(search_->text(), entries_[i].title); score > 0) ranked.emplace_back(-score, i);
    std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    shown_.clear();
    list_->clear();
    for (const auto& [score, entry] : ranked) {
        if (shown_.size() == 100) break;
        shown_.push_back(entry);
        const QString& detail = entries_[entry].detail;
        list_->addItem(detail.isEmpty() ? entries_[entry].title : entries_[entry].title + "    " + detail);
    }
    list_->setCurrentRow(0);
}

void CommandPalette::take() {
    const int row = list_->currentRow();
    if (row < 0) return;
    const auto act = entries_[shown_[static_cast<std::size_t>(row)]].act;
    close();
    act();
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        const int page = key == Qt::Key_PageDown || key == Qt::Key_PageUp ? 10 : 1;
        const bool down = key == Qt::Key_Down || key == Qt::Key_PageDown,
                   up = key == Qt::Key_Up || key == Qt::Key_PageUp;
        if (down || up) {
            list_->setCurrentRow(
                std::clamp(list_->currentRow() + (down ? page : -page), 0, std::max(0, list_->count() - 1)));
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

} // namespace raphe
