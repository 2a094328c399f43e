// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/start/experiment_card.h"

#include "engine/document/experiment.h"
#include "gui/canvas/canvas_export.h"
#include "gui/shell/theme.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QMenu>
#include <QMouseEvent>
#include <QPainter>
#include <QRegularExpression>
#include <QToolButton>
#include <QVBoxLayout>

namespace raphe {
namespace {

constexpr int margin = 10;

QString sentenceOf(const std::string& doc) {
    const QString all = QString::fromStdString(doc);
    static const QRegularExpression end{QStringLiteral(R"((?<!et al)\.\s+(?=[A-Z]))")};
    const auto found = all.indexOf(end);
    return found < 0 ? all : all.left(found + 1);
}

} // namespace

ExperimentCard::ExperimentCard(const ShippedExperiment& experiment, QWidget* parent)
    : QFrame(parent), experiment_(experiment), picture_(new QLabel) {
    setCursor(Qt::PointingHandCursor);
    setFocusPolicy(Qt::StrongFocus);
    const QString name = QString::fromStdString(experiment.name);
    setAccessibleName(tr("Open %1").arg(name));
    auto* title = new QLabel{"<b>" + name.toHtmlEscaped() + "</b>"};
    auto* sentence = new QLabel{sentenceOf(experiment.doc)};
    sentence->setWordWrap(true);
    sentence->setAlignment(Qt::AlignTop);
    sentence->setToolTip(QString::fromStdString(experiment.doc));
    auto* paper = new QLabel{"<i>" + experiment.paper.toHtmlEscaped() + "</i>"};
    paper->setForegroundRole(QPalette::PlaceholderText);
    paper->setWordWrap(true);

    auto* foot = new QHBoxLayout;
    foot->addWidget(paper, 1);
    if (!experiment.variants.empty()) {
        auto* variants = new QToolButton;
        const auto count = static_cast<int>(experiment.variants.size());
        variants->setText(count == 1 ? tr("1 variant") : tr("%1 variants").arg(count));
        variants->setPopupMode(QToolButton::InstantPopup);
        variants->setAutoRaise(true);
        variants->setCursor(Qt::ArrowCursor);
        auto* menu = new QMenu{variants};
        menu->setToolTipsVisible(true);
        for (const auto& variant : experiment.variants) {
            const QString variantName = QString::fromStdString(variant.name);
            auto* action = menu->addAction(variantName, this, [this, variantName] { Q_EMIT openWanted(variantName); });
            action->setToolTip(QString::fromStdString(variant.doc));
        }
        variants->setMenu(menu);
        foot->addWidget(variants, 0, Qt::AlignBottom);
    }
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(margin, margin, margin, 6);
    layout->setSpacing(4);
    layout->addWidget(picture_);
    layout->addWidget(title);
    layout->addWidget(sentence, 1);
    layout->addLayout(foot);
}

void ExperimentCard::setWidth(int width) {
    setFixedWidth(width);
    picture_->setFixedSize(width - 2 * margin, (width - 2 * margin) * 9 / 20);
}

void ExperimentCard::drawPicture(const Registry& registry) {
    try {
        picture_->setPixmap(
            graphPicture(loadExperiment(experiment_.name, registry), registry, picture_->size(), devicePixelRatioF()));
    } catch (const std::exception& error) {
        picture_->setText(tr("cannot be opened here"));
        picture_->setAlignment(Qt::AlignCenter);
        picture_->setToolTip(QString::fromUtf8(error.what()));
    }
}

/// A press that is not taken goes on to the page, and with it the release.
void ExperimentCard::mousePressEvent(QMouseEvent* event) { event->setAccepted(event->button() == Qt::LeftButton); }

void ExperimentCard::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton && rect().contains(event->pos()))
        Q_EMIT openWanted(QString::fromStdString(experiment_.name));
}

void ExperimentCard::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter || event->key() == Qt::Key_Space)
        Q_EMIT openWanted(QString::fromStdString(experiment_.name));
    else
        QFrame::keyPressEvent(event);
}

void ExperimentCard::paintEvent(QPaintEvent*) {
    QPainter painter{this};
    painter.setRenderHint(QPainter::Antialiasing);
    const bool marked = hasFocus() || underMouse();
    painter.setPen(QPen{marked ? theme().accent : theme().line, marked ? 1.8 : 1.0});
    painter.setBrush(theme().raised);
    painter.drawRoundedRect(QRectF{rect()}.adjusted(1, 1, -1, -1), 8, 8);
}

} // namespace raphe
