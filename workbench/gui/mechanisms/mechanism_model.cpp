// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/mechanisms/mechanism_model.h"

#include "gui/canvas/canvas_view.h"
#include "gui/shell/theme.h"

#include <QMimeData>
#include <QPainter>
#include <QPixmap>
#include <QRegularExpression>

#include <map>

namespace raphe {
namespace {

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

QIcon kindIcon(const QColor& color) {
    QPixmap pixmap{32, 32};
    pixmap.fill(Qt::transparent);
    pixmap.setDevicePixelRatio(2);
    QPainter painter{&pixmap};
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(color);
    painter.drawRoundedRect(QRectF{2, 3, 12, 10}, 3, 3);
    QIcon icon{pixmap};
    icon.addPixmap(pixmap, QIcon::Selected); // not tinted
    return icon;
}

} // namespace

QString shortCitation(const std::string& citation) {
    static const QRegularExpression form{QStringLiteral(R"(^([A-Z]\.[^()]*?)\s*\((\d{4})\w?\))")};
    const auto match = form.match(text(citation));
    if (!match.hasMatch()) return {};
    const QStringList authors =
        match.captured(1).split(QRegularExpression{QStringLiteral(R"(,\s*|\s+and\s+)")}, Qt::SkipEmptyParts);
    if (authors.isEmpty()) return {};
    const auto surname = [](const QString& author) { return author.section(' ', -1); };
    const QString who = authors.size() == 1   ? surname(authors[0])
                        : authors.size() == 2 ? surname(authors[0]) + " & " + surname(authors[1])
                                              : surname(authors[0]) + " et al.";
    return who + ' ' + match.captured(2);
}

MechanismModel::MechanismModel(const PluginHost& plugins, QObject* parent)
    : QStandardItemModel(parent), plugins_(plugins) {
    setGrouping(Grouping::kind);
}

void MechanismModel::setGrouping(Grouping grouping) {
    clear();
    std::map<QString, QStandardItem*> groups;
    const auto groupOf = [&](const QString& name) {
        auto*& group = groups[name];
        if (!group) {
            group = new QStandardItem{name};
            group->setFlags(Qt::ItemIsEnabled);
            QFont font;
            font.setBold(true);
            group->setFont(font);
            appendRow(group);
        }
        return group;
    };
    if (grouping == Grouping::kind)
        for (const QString& name : {tr("Tasks"), tr("Models"), tr("Learning rules")}) groupOf(name);
    for (const auto& key : plugins_.registry().keys()) {
        const DeclarationData& declaration = plugins_.registry().find(key, key).declaration;
        const QString paper = shortCitation(declaration.citation);
        const QString kinds[] = {tr("Tasks"), tr("Models"), tr("Learning rules")};
        QStandardItem* group = groupOf(grouping == Grouping::kind ? kinds[static_cast<int>(declaration.kind)]
                                       : paper.isEmpty()          ? tr("Without a paper of its own")
                                                                  : paper);
        auto* item = new QStandardItem{kindIcon(theme().of(declaration.kind)), text(declaration.name)};
        item->setData(text(key), keyRole);
        auto words = key + ' ' + declaration.summary + ' ' + declaration.citation + ' ' + declaration.manual;
        for (const auto& port : declaration.ports) words += ' ' + port.name;
        for (const auto& param : declaration.params) words += ' ' + param.key;
        item->setData(text(words), searchRole);
        item->setToolTip(QStringLiteral("<b>%1</b> %2<br>%3%4")
                             .arg(text(key), text(declaration.version), text(declaration.summary).toHtmlEscaped(),
                                  paper.isEmpty() ? QString{} : "<br><i>" + paper + "</i>"));
        item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsDragEnabled);
        group->appendRow(item);
    }
    for (const auto& record : plugins_.records()) {
        if (record.error.empty()) continue;
        QStandardItem* group = groupOf(tr("Refused plugins"));
        auto* item = new QStandardItem{kindIcon(theme().bad), record.library.filename().string().c_str()};
        item->setData(text(record.library.string() + ' ' + record.error), searchRole);
        item->setToolTip(text(record.error));
        item->setData(text(record.error), refusalRole);
        item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable);
        group->appendRow(item);
    }
}

QStringList MechanismModel::mimeTypes() const { return {QString::fromLatin1(mechanismMime)}; }

QMimeData* MechanismModel::mimeData(const QModelIndexList& indexes) const {
    if (indexes.isEmpty() || indexes.front().data(keyRole).toString().isEmpty()) return nullptr;
    auto* data = new QMimeData;
    data->setData(mechanismMime, indexes.front().data(keyRole).toString().toUtf8());
    return data;
}

} // namespace raphe
