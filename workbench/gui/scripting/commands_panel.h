// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPointer>
#include <QStringList>
#include <QWidget>

#include <filesystem>
#include <map>

class QLabel;
class QPushButton;

namespace raphe {

class CodeEdit;
class OpenDocument;

/// What was done to the document in front, as Lua; it can be saved as a script that does it again.
class CommandsPanel final : public QWidget {
    Q_OBJECT

public:
    explicit CommandsPanel(QWidget* parent = nullptr);

    /// Notes from now on what is done to a document.
    void watch(OpenDocument& document);
    /// The one that is shown; null: none.
    void setDocument(OpenDocument* document);
    /// Lines that are shown.
    QStringList lines() const;
    /// Writes the script of the shown document. @throws Error
    void saveScript(const std::filesystem::path& file) const;

Q_SIGNALS:
    void scriptWanted(const QString& text); ///< shall be opened as a script

private:
    void append(const QString& lua);
    void showEmpty();
    void saveAs();

    CodeEdit* text_;
    QPushButton *save_, *open_, *copy_;
    QLabel* empty_; ///< says what appears here while there is nothing
    QPointer<OpenDocument> shown_;
    std::map<const OpenDocument*, QStringList> lines_;
};

} // namespace raphe
