// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/editing/document.h"

#include <QObject>

#include <memory>

namespace raphe {

/// A document as the window has it: the engine's, with signals. Every change goes through its commands.
class OpenDocument final : public QObject {
    Q_OBJECT

public:
    explicit OpenDocument(std::shared_ptr<Document> document, QObject* parent = nullptr);

    const Document& document() const { return *document_; }
    /// For scripts; gone when the document is closed.
    std::weak_ptr<Document> shared() const { return document_; }
    const Experiment& experiment() const { return document_->experiment(); }
    const Registry& registry() const { return document_->registry(); }
    /// For a tab: the file's name, or that of the experiment.
    QString title() const;

    /// @return whether anything changed. What does not fit is said by refused().
    bool execute(const Json& command, const std::string& mergeKey = {});
    void undo();
    void redo();
    /// @throws Error
    void save(const std::filesystem::path& path) { document_->save(path); }

    /// A name for a node that is not taken.
    std::string freshName(const std::string& wish) const;

Q_SIGNALS:
    void changed(bool onlyCanvas);
    void echoed(const QString& lua); ///< what was done, as Lua
    void refused(const QString& sentence);

private:
    std::shared_ptr<Document> document_;
    Subscription subscription_;
};

} // namespace raphe
