// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/shell/hint_strip.h"

#include "gui/shell/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QSettings>
#include <QToolButton>

#include <algorithm>

namespace raphe {
namespace {

constexpr const char* hiddenKey = "window/first_steps_done";

} // namespace

HintStrip::HintStrip(QWidget* parent) : QFrame(parent), words_(new QLabel) {
    setFrameShape(StyledPanel);
    words_->setWordWrap(true);
    words_->setTextFormat(Qt::RichText);
    words_->setAccessibleName(tr("First steps"));
    auto* close = new QToolButton;
    close->setText(QStringLiteral("✕"));
    close->setAutoRaise(true);
    close->setToolTip(tr("Close; the menu Help shows the first steps again"));
    auto* layout = new QHBoxLayout{this};
    layout->setContentsMargins(10, 3, 4, 3);
    layout->addWidget(words_, 1);
    layout->addWidget(close);
    connect(close, &QToolButton::clicked, this, &HintStrip::dismiss);
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, this, &HintStrip::write);
    setVisible(!QSettings{}.value(hiddenKey, false).toBool());
    write();
}

void HintStrip::showEvent(QShowEvent* event) {
    QFrame::showEvent(event);
    write();
}

void HintStrip::done(Step step) {
    if (done_[step]) return;
    done_[step] = true;
    write();
    if (std::all_of(done_.begin(), done_.end(), [](bool made) { return made; })) QSettings{}.setValue(hiddenKey, true);
}

void HintStrip::begin() {
    done_ = {};
    QSettings{}.remove(hiddenKey);
    write();
    show();
}

void HintStrip::dismiss() {
    QSettings{}.setValue(hiddenKey, true);
    hide();
}

void HintStrip::write() {
    const QString texts[steps] = {tr("Open an experiment"), tr("Run it (F5): a learning curve"),
                                  tr("Play trials (F8): the modulator acts")};
    const auto next = std::find(done_.begin(), done_.end(), false) - done_.begin();
    QStringList parts;
    for (int step = 0; step < steps; ++step) {
        if (done_[static_cast<std::size_t>(step)])
            parts << QStringLiteral("<span style='color:%1'>✓ %2</span>").arg(theme().good.name(), texts[step]);
        else
            parts << QString::fromUtf8(step == next ? "<b>%1 &nbsp;%2</b>" : "%1 &nbsp;%2")
                         .arg(step + 1)
                         .arg(texts[step]);
    }
    QString line = parts.join(QStringLiteral(" &nbsp; → &nbsp; "));
    if (next == steps) line += tr(" &nbsp; Ctrl+K finds the rest.");
    words_->setText(line);
}

} // namespace raphe
