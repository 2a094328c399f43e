// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/background_sync.h"
#include "engine/document/json_reader.h"
#include "engine/mechanisms/registry.h"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace raphe {

class Document;

/// A document is open for editing elsewhere: in this program, or another.
class OpenElsewhere : public Error {
public:
    using Error::Error;
};

/// The commands of a document on disk, so that a crash loses none but perhaps the last. A frame is a line: length and
/// checksum of a JSON text in hexadecimal digits, and the text. The first frame, the header, holds the name of the
/// document's file, the checksum of its bytes, and the document as it was when the journal began; every other one holds
/// a command, or that one was undone or redone. The file goes when the document is closed, and begins anew when it is
/// saved. Each frame is handed to the system before the command counts as done, so that nothing is lost when the
/// program ends, however it does; the disk has it within a second, so that a power failure loses the commands of the
/// last second at most.
class Journal {
public:
    /// Begins a journal of the document as it is now.
    /// @param previous  of the same document: is replaced  @param recovered  the same, left by a crash
    /// @throws OpenElsewhere; Error if the folder cannot be written to
    static std::unique_ptr<Journal> start(const std::filesystem::path& folder, const Document& document,
                                          std::unique_ptr<Journal> previous, const std::filesystem::path& recovered);
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;
    ~Journal();

    std::filesystem::path folder() const { return path_.parent_path(); }
    const std::filesystem::path& path() const { return path_; }
    void append(const Json& frame);

private:
    Journal(int file, std::filesystem::path path);

    int file_;                           ///< locked as long as it is open
    std::shared_ptr<SyncedFile> synced_; ///< the same
    std::filesystem::path path_;
};

/// A document as a journal that was left behind tells it. It has unsaved changes, and keepJournal() replaces the
/// journal.
struct Recovery {
    std::unique_ptr<Document> document; ///< null: nothing can be recovered
    std::filesystem::path file;         ///< of the document; empty if it had none
    std::size_t commands = 0;           ///< that were found, undo and redo included
    bool worthwhile = true; ///< false: all that was done has been undone, so that nothing is lost without it
    std::string message;    ///< what was found, what was lost, and where a useless journal lies now

    /// Never throws because of what is in the journal: one that makes no sense is set aside under another name.
    /// @throws Error if the file cannot be read or renamed, or is in use
    static Recovery of(const std::filesystem::path& journal, const Registry& registry);
};

/// The journal that a crash left behind of the document of this file; empty: none, or there is nothing in it.
std::filesystem::path journalOf(const std::filesystem::path& file, const std::filesystem::path& folder);

/// Journals in a folder that a crash left behind: nobody has them open, and there is something in them. Empty ones are
/// removed.
std::vector<std::filesystem::path> journalsIn(const std::filesystem::path& folder);

} // namespace raphe
