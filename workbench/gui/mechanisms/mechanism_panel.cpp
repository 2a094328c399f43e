// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/mechanisms/mechanism_panel.h"

#include "gui/shell/theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QSortFilterProxyModel>
#include <QTreeView>
#include <QVBoxLayout>

#include <algorithm>

namespace raphe {
namespace {

/// Keeps what contains every word, in whatever order.
class WordFilter final : public QSortFilterProxyModel {
public:
    using QSortFilterProxyModel::QSortFilterProxyModel;

    void setWords(const QString& words) {
        words_ = words.split(' ', Qt::SkipEmptyParts);
        invalidateFilter();
    }

protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override {
        const QString text = sourceModel()->index(row, 0, parent).data(MechanismModel::searchRole).toString();
        return std::all_of(words_.begin(), words_.end(),
                           [&](const QString& word) { return text.contains(word, Qt::CaseInsensitive); });
    }

private:
    QStringList words_;
};

} // namespace

MechanismPanel::MechanismPanel(const PluginHost& plugins, QWidget* parent)
    : QWidget(parent), plugins_(plugins), model_(plugins), filter_(new WordFilter{this}), search_(new QLineEdit),
      view_(new QTreeView), doc_(new QLabel) {
    filter_->setSourceModel(&model_);
    filter_->setRecursiveFilteringEnabled(true);
    view_->setModel(filter_);
    view_->setHeaderHidden(true);
    view_->setDragEnabled(true);
    view_->setDragDropMode(QAbstractItemView::DragOnly);
    view_->setIndentation(12);
    view_->setFrameShape(QFrame::NoFrame);
    view_->setEditTriggers(QAbstractItemView::NoEditTriggers);
    view_->setAccessibleName(tr("Mechanisms"));
    view_->expandAll();
    search_->setPlaceholderText(tr("Search name, text, paper"));
    search_->setClearButtonEnabled(true);
    search_->installEventFilter(this);
    auto* grouping = new QComboBox;
    grouping->addItems({tr("by kind"), tr("by paper")});
    grouping->setAccessibleName(tr("Grouping"));
    doc_->setWordWrap(true);
    doc_->setTextFormat(Qt::RichText);
    doc_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    doc_->setContentsMargins(8, 6, 8, 8);
    doc_->setMinimumHeight(90);
    doc_->setAlignment(Qt::AlignTop);

    auto* row = new QHBoxLayout;
    row->setContentsMargins(6, 6, 6, 4);
    row->addWidget(search_, 1);
    row->addWidget(grouping);
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(row);
    layout->addWidget(view_, 1);
    layout->addWidget(doc_);

    connect(search_, &QLineEdit::textChanged, this, [this](const QString& words) {
        static_cast<WordFilter*>(filter_)->setWords(words);
        view_->expandAll();
        for (int group = 0; !words.isEmpty() && group < filter_->rowCount(); ++group)
            if (const auto first = filter_->index(0, 0, filter_->index(group, 0)); first.isValid()) {
                view_->setCurrentIndex(first);
                break;
            }
    });
    connect(search_, &QLineEdit::returnPressed, this, &MechanismPanel::addCurrent);
    connect(view_, &QTreeView::activated, this, &MechanismPanel::addCurrent);
    connect(view_->selectionModel(), &QItemSelectionModel::currentChanged, this, &MechanismPanel::explain);
    const auto regroup = [this, grouping] {
        model_.setGrouping(static_cast<MechanismModel::Grouping>(grouping->currentIndex()));
        view_->expandAll();
    };
    connect(grouping, &QComboBox::activated, this, regroup);
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, this, regroup);
    explain();
}

void MechanismPanel::focusSearch() {
    search_->setFocus();
    search_->selectAll();
}

void MechanismPanel::search(const QString& words) {
    search_->setText(words);
    focusSearch();
}

bool MechanismPanel::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyPress) { // from the search straight into the list
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Down || key == Qt::Key_Up) {
            view_->setFocus();
            QCoreApplication::sendEvent(view_, event);
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

void MechanismPanel::addCurrent() {
    const QString key = view_->currentIndex().data(MechanismModel::keyRole).toString();
    if (!key.isEmpty()) Q_EMIT wanted(key);
}

void MechanismPanel::explain() {
    const QModelIndex index = view_->currentIndex();
    const QString key = index.data(MechanismModel::keyRole).toString();
    const QString refusal = index.data(MechanismModel::refusalRole).toString();
    if (!refusal.isEmpty()) {
        doc_->setText(QStringLiteral("<b>%1</b><br>%2").arg(index.data().toString(), refusal.toHtmlEscaped()));
        return;
    }
    if (key.isEmpty()) {
        doc_->setText("<i>" + tr("Drag a mechanism onto the graph, or press Enter.") + "</i>");
        return;
    }
    const DeclarationData& declaration = plugins_.registry().find(key.toStdString(), {}).declaration;
    const QString paper = shortCitation(declaration.citation);
    doc_->setText(QStringLiteral("<b>%1</b><br>%2%3")
                      .arg(key, QString::fromStdString(declaration.summary).toHtmlEscaped(),
                           paper.isEmpty() ? QString{} : "<br><i>" + paper + "</i>"));
}

} // namespace raphe
