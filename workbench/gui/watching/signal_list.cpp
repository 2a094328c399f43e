// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/signal_list.h"

#include <QComboBox>
#include <QHeaderView>

#include <algorithm>
#include <map>

namespace raphe {

SignalList::SignalList(QWidget* parent) : QTreeWidget(parent) {
    setColumnCount(2);
    setHeaderHidden(true);
    setRootIsDecorated(false);
    setAccessibleName(tr("Signals that are shown"));
    header()->setStretchLastSection(false);
    header()->setSectionResizeMode(0, QHeaderView::Stretch);
    header()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    connect(this, &QTreeWidget::itemChanged, this, [this] {
        if (!filling_) Q_EMIT changed();
    });
}

void SignalList::setRecording(const TrialRecording& recording) {
    std::vector<std::string> ports;
    for (const auto& port : tellingPorts(recording)) ports.push_back(port);
    const auto telling = ports;
    for (const auto& [port, tensor] : recording.signals)
        if (std::find(ports.begin(), ports.end(), port) == ports.end()) ports.push_back(port);
    std::map<std::string, SignalLook> before;
    bool same = topLevelItemCount() == static_cast<int>(ports.size());
    for (const auto& shown : this->shown()) before[shown.port] = shown.look;
    for (int row = 0; row < topLevelItemCount() && same; ++row)
        same = std::find(ports.begin(), ports.end(),
                         topLevelItem(row)->data(0, Qt::UserRole).toString().toStdString()) != ports.end();
    if (same) return;
    filling_ = true;
    const bool first = topLevelItemCount() == 0;
    clear();
    for (const auto& port : ports) {
        const QString name = QString::fromStdString(port);
        const auto units = recording.signal(port)->shape[2];
        auto* item = new QTreeWidgetItem{this, {QStringLiteral("%1 [%2]").arg(name).arg(units)}};
        item->setData(0, Qt::UserRole, name);
        item->setSizeHint(0, {0, 24});
        item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable);
        const bool chosen =
            first ? std::find(telling.begin(), telling.end(), port) != telling.end() : before.count(port) != 0;
        item->setCheckState(0, chosen ? Qt::Checked : Qt::Unchecked);
        if (units < 2) continue;
        auto* look = new QComboBox;
        look->addItems({tr("auto"), tr("traces"), tr("map")});
        look->setToolTip(tr("Traces of the units, or a map of units by time"));
        look->setAccessibleName(tr("How %1 is drawn").arg(name));
        if (const auto found = before.find(port); found != before.end())
            look->setCurrentIndex(static_cast<int>(found->second));
        connect(look, &QComboBox::currentIndexChanged, this, &SignalList::changed);
        setItemWidget(item, 1, look);
    }
    filling_ = false;
}

std::vector<ShownSignal> SignalList::shown() const {
    std::vector<ShownSignal> result;
    for (int row = 0; row < topLevelItemCount(); ++row) {
        const auto* item = topLevelItem(row);
        if (item->checkState(0) != Qt::Checked) continue;
        const auto* look = qobject_cast<QComboBox*>(itemWidget(topLevelItem(row), 1));
        result.push_back({item->data(0, Qt::UserRole).toString().toStdString(),
                          look ? static_cast<SignalLook>(look->currentIndex()) : SignalLook::automatic});
    }
    return result;
}

} // namespace raphe
