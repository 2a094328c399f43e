// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/shell/notice_bar.h"

#include "gui/shell/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>

namespace raphe {

NoticeBar::NoticeBar(QWidget* parent) : QFrame(parent), words_(new QLabel) {
    setObjectName("notice");
    words_->setWordWrap(true);
    words_->setTextFormat(Qt::PlainText);
    words_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* close = new QToolButton;
    close->setText(QStringLiteral("✕"));
    close->setAutoRaise(true);
    close->setToolTip(tr("Close this notice"));
    close->setAccessibleName(close->toolTip());
    connect(close, &QToolButton::clicked, this, [this] {
        words_->clear();
        hide();
    });
    auto* layout = new QHBoxLayout{this};
    layout->setContentsMargins(10, 5, 6, 5);
    layout->addWidget(words_, 1);
    layout->addWidget(close, 0, Qt::AlignTop);
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, this, &NoticeBar::applyTheme);
    applyTheme();
    hide();
}

void NoticeBar::applyTheme() {
    setStyleSheet(QStringLiteral("#notice { background: %1; border-bottom: 2px solid %2; }")
                      .arg(theme().raised.name(), theme().warning.name()));
}

void NoticeBar::say(const QString& sentence) {
    if (sentence.isEmpty()) return;
    words_->setText(words_->text().isEmpty() ? sentence : words_->text() + '\n' + sentence);
    show();
}

QString NoticeBar::text() const { return words_->text(); }

} // namespace raphe
