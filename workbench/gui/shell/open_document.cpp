// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/shell/open_document.h"

#include <QFileInfo>

namespace raphe {

OpenDocument::OpenDocument(std::shared_ptr<Document> document, QObject* parent)
    : QObject(parent), document_(std::move(document)) {
    subscription_ = document_->subscribe([this](const DocumentEvent& event) {
        switch (event.kind) {
        case DocumentEvent::Kind::done:
            Q_EMIT echoed(QString::fromStdString(luaLine(event.command)));
            break;
        case DocumentEvent::Kind::undone:
            Q_EMIT echoed(QStringLiteral("e:undo()"));
            break;
        case DocumentEvent::Kind::redone:
            Q_EMIT echoed(QStringLiteral("e:redo()"));
            break;
        case DocumentEvent::Kind::saved:
            break;
        }
        Q_EMIT changed(event.onlyCanvas);
    });
}

QString OpenDocument::title() const {
    const auto& path = document_->path();
    const std::string name = path.empty() ? experiment().name : path.stem().string();
    return QString::fromStdString(name.empty() ? "untitled" : name);
}

bool OpenDocument::execute(const Json& command, const std::string& mergeKey) {
    try {
        return document_->execute(command, mergeKey);
    } catch (const Error& error) {
        Q_EMIT refused(QString::fromUtf8(error.what()));
        return false;
    }
}

void OpenDocument::undo() {
    try {
        document_->undo();
    } catch (const Error& error) {
        Q_EMIT refused(QString::fromUtf8(error.what()));
    }
}

void OpenDocument::redo() {
    try {
        document_->redo();
    } catch (const Error& error) {
        Q_EMIT refused(QString::fromUtf8(error.what()));
    }
}

std::string OpenDocument::freshName(const std::string& wish) const {
    std::string name = wish;
    for (int i = 2; experiment().node(name); ++i) name = wish + "_" + std::to_string(i);
    return name;
}

} // namespace raphe
