// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/runs/trash_strip.h"

#include "gui/shell/background.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QMessageBox>
#include <QPushButton>
#include <QToolButton>

namespace raphe {
namespace {

struct Outcome {
    std::vector<std::pair<QString, QString>> moved; ///< from where to where
    QStringList refused;                            ///< sentences
};

Outcome moveToTrash(const RunList& runs) {
    Outcome outcome;
    for (const auto& run : runs) {
        const QString folder = QString::fromStdString(run->folder.string());
        if (runEntry(run->folder).state == "running") { // it may have begun since the list was made
            outcome.refused << QObject::tr("%1 is being written and stays; stop it first.").arg(folder);
            continue;
        }
        QString place;
        if (QFile::moveToTrash(folder, &place))
            outcome.moved.emplace_back(folder, place);
        else
            outcome.refused << QObject::tr("%1 could not be moved: there is no trash for its disk, or you may not "
                                           "write there.")
                                   .arg(folder);
    }
    return outcome;
}

/// The freedesktop trash keeps a note of each item in `info` beside `files`.
void forgetNote(const QString& place) {
    const QFileInfo item{place};
    QDir trash = item.dir();
    if (trash.cdUp()) QFile::remove(trash.filePath("info/" + item.fileName() + ".trashinfo"));
}

} // namespace

TrashStrip::TrashStrip(QWidget* parent) : QFrame(parent), words_(new QLabel), undo_(new QPushButton{tr("Put back")}) {
    setFrameShape(StyledPanel);
    auto* close = new QToolButton;
    close->setText(QStringLiteral("✕"));
    close->setAutoRaise(true);
    close->setToolTip(tr("Close this line"));
    words_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    words_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    auto* layout = new QHBoxLayout{this};
    layout->setContentsMargins(8, 2, 4, 2);
    layout->addWidget(words_, 1);
    layout->addWidget(undo_);
    layout->addWidget(close);
    connect(undo_, &QPushButton::clicked, this, &TrashStrip::putBack);
    connect(close, &QToolButton::clicked, this, &QWidget::hide);
    hide();
}

void TrashStrip::say(const QString& sentence, bool undo) {
    words_->setText(sentence);
    words_->setToolTip(sentence);
    undo_->setVisible(undo);
    show();
}

void TrashStrip::remove(const RunList& runs) {
    if (runs.empty()) return;
    const QString question =
        runs.size() == 1
            ? tr("Move this run to the trash?\n%1").arg(QString::fromStdString(runs.front()->folder.string()))
            : tr("Move %1 runs to the trash?").arg(runs.size());
    if (QMessageBox::question(this, tr("Move to the trash"), question) == QMessageBox::Yes) move(runs);
}

void TrashStrip::move(const RunList& runs) {
    say(tr("moving…"), false);
    inBackground<Outcome>(
        this, [runs] { return moveToTrash(runs); },
        [this](Outcome outcome) {
            moved_.clear();
            for (const auto& [from, to] : outcome.moved) moved_.push_back({from, to});
            QString sentence;
            if (moved_.size() == 1)
                sentence = tr("Moved to the trash: %1").arg(moved_.front().to);
            else if (!moved_.empty())
                sentence = tr("%1 runs moved to the trash: %2")
                               .arg(moved_.size())
                               .arg(QFileInfo{moved_.front().to}.absolutePath());
            if (!outcome.refused.isEmpty()) {
                if (!sentence.isEmpty()) sentence += " — ";
                sentence += outcome.refused.front();
                if (outcome.refused.size() > 1) sentence += tr(" (and %1 more)").arg(outcome.refused.size() - 1);
            }
            say(sentence, !moved_.empty());
            if (!moved_.empty()) Q_EMIT changed();
        },
        [this](const QString& why) { say(why, false); });
}

void TrashStrip::putBack() {
    inBackground<QStringList>(
        this,
        [moved = moved_] {
            QStringList left;
            for (const auto& [from, to] : moved) {
                if (!QFileInfo::exists(from) && QDir{}.mkpath(QFileInfo{from}.absolutePath()) &&
                    QDir{}.rename(to, from))
                    forgetNote(to);
                else
                    left << to;
            }
            return left;
        },
        [this](const QStringList& left) {
            if (left.isEmpty())
                hide();
            else
                say(tr("%1 could not be put back; it is still in the trash.").arg(left.front()), false);
            moved_.clear();
            Q_EMIT changed();
        },
        [this](const QString& why) { say(why, false); });
}

} // namespace raphe
