// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QLockFile>
#include <QString>
#include <QTimer>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace raphe {

/// The unsaved text of a script on disk, so that a crash loses at most its last second: a file of JSON, and a lock
/// beside it that tells whose it is. Both go with the object.
class ScriptDraft {
public:
    explicit ScriptDraft(std::filesystem::path folder);
    ~ScriptDraft();

    /// Soon writes what `text` gives then; nothing: there is nothing to keep.
    void keep(const std::filesystem::path& file, std::function<std::optional<QString>()> text);
    void drop();

private:
    void write();

    std::filesystem::path folder_, path_;
    std::filesystem::path file_; ///< of the script
    std::function<std::optional<QString>()> text_;
    std::unique_ptr<QLockFile> lock_;
    QTimer timer_;
};

/// A text that a crash left behind.
struct LeftScript {
    std::filesystem::path draft, file; ///< the draft; the script's own file, empty if it had none
    QString text;
};
/// @param unusable  sentences about drafts that made no sense and have been set aside
std::vector<LeftScript> scriptsIn(const std::filesystem::path& folder, QStringList& unusable);
void removeDraft(const std::filesystem::path& draft);

} // namespace raphe
