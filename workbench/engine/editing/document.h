// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"
#include "engine/editing/commands.h"
#include "engine/editing/fixes.h"
#include "engine/editing/located_problems.h"
#include "engine/editing/patch.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace raphe {

class Document;
class Journal;

/// What happened to a document.
struct DocumentEvent {
    enum class Kind { done, undone, redone, saved };
    Kind kind;
    Json command;                    ///< none: saved
    std::vector<std::string> places; ///< that have changed: "nodes.agent.params.hidden", "wires[3]"
    bool onlyCanvas = false;         ///< nothing changed but positions
};

/// Ends its subscription when it is destroyed. May outlive the document.
class Subscription {
public:
    Subscription() = default;
    explicit Subscription(std::shared_ptr<void> held) : held_(std::move(held)) {}

private:
    std::shared_ptr<void> held_;
};

/// Whether a wire may be drawn. A refusal is one sentence; a note tells what the wire will do.
struct Connection {
    std::string refusal, note;
    int missing = 0; ///< units that the port still lacks with this wire, so that it needs others besides
    bool fits() const { return refusal.empty(); }
};

/// An experiment's document, open for editing. It holds what the user wrote and changes by commands only, each of which
/// can be undone. It may be invalid or incomplete at any time, as a document is that somebody works on; problems()
/// tells where. Used from one thread.
class Document {
public:
    /// A file, or an experiment that comes with Raphe. @throws Error if it is no JSON object, or its base is not there
    static std::unique_ptr<Document> open(const std::string& nameOrPath, const Registry& registry);
    /// @param place  for messages  @param folder  where a base is looked for first
    static std::unique_ptr<Document> fromText(std::string text, const std::string& place, const Registry& registry,
                                              const std::filesystem::path& folder = {});
    static std::unique_ptr<Document> fromJson(const Json& document, const Registry& registry,
                                              const std::filesystem::path& folder = {});
    /// Another document with the same text; what was done to this one is not known of it.
    std::unique_ptr<Document> copy() const;
    /// An empty one.
    static std::unique_ptr<Document> create(const std::string& name, const Registry& registry);
    Document(const Document&) = delete;
    Document& operator=(const Document&) = delete;
    /// A document that is closed leaves no journal.
    ~Document();

    // -- what it holds --

    const Registry& registry() const { return registry_; }
    /// Of the file; empty if there is none yet.
    const std::filesystem::path& path() const { return path_; }
    /// As written; a variant states only what differs from its base.
    const Json& json() const { return authored_; }
    /// Together with its base.
    const Json& complete() const { return complete_; }
    bool isVariant() const { return authored_.contains("base"); }
    /// The bytes of its file: those that were read as long as nothing differs from them.
    const std::string& text() const;
    /// Its bytes when it was opened.
    const std::string& startText() const { return originalText_; }
    /// The commands since then that have not been undone; of those that make one step to undo, the last.
    std::vector<Json> standing() const;
    /// What can be read of it; the rest has defaults.
    const Experiment& experiment() const;
    /// @throws Error with one line per problem unless every field of it can be read; nothing is said of its graph
    void requireReadable() const;
    /// @throws Error with one line per problem
    const Experiment& validExperiment() const;
    /// Everything that is wrong with it, as `raphe check` finds it.
    const std::vector<LocatedProblem>& problems() const;
    /// Why a command would not be carried out; empty if it would.
    std::string refusal(const Json& command) const;
    /// What takes a problem away: each of them has been tried, on a copy.
    std::vector<Fix> fixes(const LocatedProblem& problem) const;
    /// What a field, or a parameter of a node, has after it was reset: the base's value, or the default.
    Json resetValue(const std::string& field) const;
    Json resetValue(const std::string& node, const std::string& parameter) const;
    /// The document that this one extends, complete; an empty object if it extends none.
    const Json& base() const {
        static const Json none = Json::object();
        return isVariant() ? base_ : none;
    }
    /// Whether and how a wire may be drawn. Stricter than the command, which refuses only what can never become right.
    Connection canConnect(const std::string& from, const std::string& to) const;
    /// The same of many wires, each of them alone, but not what they would do in time. Much faster than one by one.
    std::vector<Connection> canConnect(const std::vector<std::pair<std::string, std::string>>& ends) const;
    /// Nodes, the wires among them and their positions as JSON text, for the command "paste".
    std::string copyNodes(const std::vector<std::string>& names) const;

    // -- how it changes --

    /// @param mergeKey  commands that follow one another with the same key make one step to undo: those of one drag
    /// @return whether anything changed  @throws Error if the command does not fit; then nothing has changed
    bool execute(const Json& command, const std::string& mergeKey = {});
    bool canUndo() const { return done_ > 0; }
    bool canRedo() const { return done_ < steps_.size(); }
    /// From now on nothing changes it, and it cannot be saved; whoever tries is told `why`. Empty: it can be changed.
    void setReadOnly(std::string why) { readOnly_ = std::move(why); }
    bool readOnly() const { return !readOnly_.empty(); }
    /// Of the step that would be undone or redone: "Connect a.x -> b.y"; empty if there is none.
    std::string undoTitle() const;
    std::string redoTitle() const;
    bool undo(); ///< @return whether there was anything
    bool redo();
    Subscription subscribe(std::function<void(const DocumentEvent&)> observer);

    // -- its file --

    /// Whether it differs from what its file held when it was read or saved last.
    bool modified() const { return text() != savedText_; }
    /// Writes its file; the document then belongs to `path`. @throws Error if it cannot be written there, or would
    /// extend another base there
    void save(const std::filesystem::path& path);
    /// @pre it has a file
    void save() { save(path_); }
    /// From now on it belongs to no file: it is a copy that has not been saved yet.
    void forgetFile();
    /// Keeps a journal in this folder from now on, so that a crash loses at most the last command; see Journal.
    /// @throws OpenElsewhere; Error if the folder cannot be written to
    void keepJournal(const std::filesystem::path& folder);

    /// Why no journal is kept any more; empty as long as nothing is wrong with it.
    const std::string& journalProblem() const { return journalProblem_; }

private:
    friend struct Recovery;
    struct Step {
        Json command;
        std::string mergeKey;
        Patch patch;    ///< of what is written
        bool journaled; ///< the journal knows the command
    };
    using Observer = std::function<void(const DocumentEvent&)>;

    Document(std::string text, Json authored, Json base, const Registry& registry, std::filesystem::path folder);
    void set(Json authored);
    void retrace(const Step& step, const Patch& patch, DocumentEvent::Kind kind);
    void tell(DocumentEvent::Kind kind, const Json& command, const Patch& patch);
    void write(const Json& frame);
    /// What a frame of the journal says. @throws Error
    void replay(const Json& frame);
    void forgetSteps();

    void requireWritable() const;

    const Registry& registry_;
    std::string readOnly_; ///< why; empty: it is not
    std::filesystem::path path_, folder_;
    std::string originalText_, savedText_;
    Json original_, authored_, base_, complete_;
    std::vector<Step> steps_;
    std::size_t done_ = 0;  ///< of the steps; the others can be redone
    bool mayMerge_ = false; ///< the last thing that happened was a command
    std::vector<std::weak_ptr<Observer>> observers_;
    std::unique_ptr<Journal> journal_;
    std::filesystem::path recoveredFrom_; ///< the journal that the next one replaces
    std::string journalProblem_;

    // Found when they are asked for.
    mutable std::optional<std::string> text_;
    mutable std::optional<Experiment> experiment_;
    mutable Problems readProblems_;
    mutable std::optional<std::vector<LocatedProblem>> problems_;
};

} // namespace raphe
