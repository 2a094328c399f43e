// SPDX-License-Identifier: Apache-2.0
#include "engine/editing/document.h"

#include "engine/base/files.h"
#include "engine/document/experiment_fields.h"
#include "engine/document/fields.h"
#include "engine/document/json_writer.h"
#include "engine/editing/draft.h"
#include "engine/editing/journal.h"
#include "engine/graph/graph.h"
#include "engine/learning/preflight.h"

#include <algorithm>

namespace raphe {

namespace {

/// Parameters that a node did not state before, put where the declaration has them, so that it does not matter which
/// was set first.
void orderNewParams(Json& authored, const Json& before, const Json& base, const Registry& registry,
                    const Json& complete) {
    const auto member = [](const Json& object, const std::string& key) {
        return object.is_object() && object.contains(key) ? object[key] : Json();
    };
    if (!authored.contains("nodes") || !authored["nodes"].is_object()) return;
    for (auto& [name, node] : authored["nodes"].items()) {
        const auto old = member(member(before, "nodes"), name);
        const bool inherited = !member(member(base, "nodes"), name).is_null();
        const auto mechanism = member(member(member(complete, "nodes"), name), "mechanism");
        if ((old.is_null() && !inherited) || !node.is_object() || !node.contains("params") ||
            !node["params"].is_object() || !mechanism.is_string() || !registry.contains(mechanism.get<std::string>()))
            continue;
        std::vector<std::string> order;
        for (const auto& info : registry.find(mechanism.get<std::string>(), name).declaration.params)
            order.push_back(info.key);
        const auto stated = member(old, "params");
        Json kept = Json::object();
        std::vector<std::pair<std::string, Json>> added;
        for (auto& [key, value] : node["params"].items())
            if (stated.is_object() && stated.contains(key))
                kept[key] = value;
            else
                added.emplace_back(key, value);
        for (auto& [key, value] : added) insertMember(kept, key, value, order);
        node["params"] = std::move(kept);
    }
}

} // namespace

Document::Document(std::string text, Json authored, Json base, const Registry& registry, std::filesystem::path folder)
    : registry_(registry), folder_(std::move(folder)), originalText_(std::move(text)), savedText_(originalText_),
      original_(authored), base_(std::move(base)) {
    set(std::move(authored));
}

Document::~Document() = default;

std::unique_ptr<Document> Document::fromText(std::string text, const std::string& place, const Registry& registry,
                                             const std::filesystem::path& folder) {
    auto authored = parseJson(text, place);
    if (!authored.is_object()) fields::expected(place, "an object", authored);
    auto base = baseOf(authored, folder);
    return std::unique_ptr<Document>(
        new Document(std::move(text), std::move(authored), std::move(base), registry, folder));
}

std::unique_ptr<Document> Document::fromJson(const Json& document, const Registry& registry,
                                             const std::filesystem::path& folder) {
    std::string text;
    try {
        text = documentText(document);
    } catch (const Json::exception&) {
        throw Error("document", "expected text in UTF-8");
    }
    return fromText(std::move(text), "document", registry, folder);
}

std::unique_ptr<Document> Document::open(const std::string& nameOrPath, const Registry& registry) {
    const auto path = findExperiment(nameOrPath);
    auto document = fromText(readBytes(path, JsonLimits{}.bytes), path.string(), registry, path.parent_path());
    document->path_ = path;
    return document;
}

std::unique_ptr<Document> Document::create(const std::string& name, const Registry& registry) {
    return fromJson({{"raphe", 1}, {"name", name}, {"nodes", Json::object()}, {"wires", Json::array()}}, registry);
}

std::unique_ptr<Document> Document::copy() const {
    auto document = fromText(text(), path_.empty() ? "document" : path_.string(), registry_, folder_);
    document->path_ = path_;
    return document;
}

// -- what it holds ----------------------------------------------------------------------------------------------------

void Document::set(Json authored) {
    authored_ = std::move(authored);
    complete_ = extended(base_, authored_);
    text_.reset();
    experiment_.reset();
    problems_.reset();
}

const std::string& Document::text() const {
    if (!text_) text_ = identical(authored_, original_) ? originalText_ : documentText(authored_);
    return *text_;
}

const Experiment& Document::experiment() const {
    if (experiment_) return *experiment_;
    readProblems_ = {};
    readProblems_.collect([&] { experiment_ = experimentFromJson(complete_, registry_, {}, readProblems_); });
    if (!experiment_) experiment_.emplace();
    if (experiment_->name.empty()) experiment_->name = path_.stem().string();
    checkStages(*experiment_, registry_, readProblems_);
    return *experiment_;
}

void Document::requireReadable() const {
    const auto& read = experiment();
    if (readProblems_.empty()) return;
    auto found = readProblems_;
    const Graph graph(read, registry_, found);
    found.throwIfAny();
}

const std::vector<LocatedProblem>& Document::problems() const {
    if (problems_) return *problems_;
    const auto& read = experiment();
    auto found = readProblems_;
    found.collect([&] { preflight(read, registry_, {.threads = 1, .executor = "shuffled"}, found); });
    return problems_.emplace(located(found, read));
}

const Experiment& Document::validExperiment() const {
    if (!problems().empty()) {
        std::string text;
        for (const auto& problem : problems()) text += (text.empty() ? "" : "\n") + problem.text();
        throw Error(text);
    }
    return experiment();
}

std::string Document::refusal(const Json& given) const {
    try {
        const auto command = checkedCommand(given);
        Draft draft{complete_, experiment(), registry_, base()};
        commandNamed(command["command"].get<std::string>()).run(draft, command);
        return {};
    } catch (const Error& error) {
        return error.what();
    }
}

std::vector<Fix> Document::fixes(const LocatedProblem& problem) const {
    const auto text = problem.text();
    auto possible = possibleFixes(*this, problem);
    if (possible.empty()) return possible;
    const auto tried = copy();
    std::erase_if(possible, [&](const Fix& fix) {
        if (fix.isChoice()) return false;
        bool helps = true;
        try {
            tried->execute(fix.command());
        } catch (const Error&) {
            helps = false;
        }
        const auto& left = tried->problems();
        helps = helps && std::none_of(left.begin(), left.end(),
                                      [&](const LocatedProblem& other) { return other.text() == text; });
        while (tried->undo()) {
        }
        return !helps;
    });
    return possible;
}

Json Document::resetValue(const std::string& field) const {
    if (base().contains(field)) return base()[field];
    const auto* info = experimentField(field);
    if (!info) return nullptr;
    if (field == "iterations" && !experiment().stages.empty()) return iterationsOf(experiment().stages);
    return toJson(info->initial);
}

Json Document::resetValue(const std::string& node, const std::string& parameter) const {
    try {
        return fields::valueAtPlace(base(), "nodes." + node + ".params." + parameter);
    } catch (const Error&) { // the base says nothing of it
    }
    const auto* spec = experiment().node(node);
    if (!spec || !registry_.contains(spec->mechanism)) return nullptr;
    const auto* info = registry_.find(spec->mechanism, node).declaration.param(parameter);
    return info ? toJson(info->initial) : Json(nullptr);
}

std::string Document::copyNodes(const std::vector<std::string>& names) const { return fragmentOf(complete_, names); }

// -- how it changes ---------------------------------------------------------------------------------------------------

void Document::requireWritable() const {
    if (readOnly()) throw Error(readOnly_);
}

std::vector<Json> Document::standing() const {
    std::vector<Json> list;
    for (std::size_t i = 0; i < done_; ++i) list.push_back(steps_[i].command);
    return list;
}

bool Document::execute(const Json& given, const std::string& mergeKey) {
    requireWritable();
    const auto command = checkedCommand(given);
    Draft draft{complete_, experiment(), registry_, base()};
    commandNamed(command["command"].get<std::string>()).run(draft, command);
    auto authored = std::move(draft.document);
    if (!draft.detached) {
        const auto complete = std::move(authored);
        authored = revised(base(), authored_, complete_, complete);
        orderNewParams(authored, authored_, base(), registry_, complete);
    }
    auto patch = difference(authored_, authored);
    if (patch.empty()) return false;

    const bool merges =
        mayMerge_ && !mergeKey.empty() && done_ == steps_.size() && done_ > 0 && steps_.back().mergeKey == mergeKey;
    steps_.resize(done_);
    if (merges) {
        auto before = authored_;
        applyPatch(inverse(steps_.back().patch), before);
        steps_.back().command = command;
        steps_.back().patch = difference(before, authored);
    } else {
        steps_.push_back(Step{command, mergeKey, patch, false});
        ++done_;
    }
    mayMerge_ = true;
    if (steps_.back().patch.empty()) { // a drag that came back
        steps_.pop_back();
        --done_;
        mayMerge_ = false;
    } else {
        steps_.back().journaled = true;
    }
    set(std::move(authored));
    Json frame{{"do", command}};
    if (!mergeKey.empty()) frame["merge"] = mergeKey;
    write(frame);
    tell(DocumentEvent::Kind::done, command, patch);
    return true;
}

std::string Document::undoTitle() const { return canUndo() ? summaryOf(steps_[done_ - 1].command) : std::string(); }
std::string Document::redoTitle() const { return canRedo() ? summaryOf(steps_[done_].command) : std::string(); }

bool Document::undo() {
    requireWritable();
    if (!canUndo()) return false;
    const auto& step = steps_[--done_];
    retrace(step, inverse(step.patch), DocumentEvent::Kind::undone);
    return true;
}

bool Document::redo() {
    requireWritable();
    if (!canRedo()) return false;
    const auto& step = steps_[done_++];
    retrace(step, step.patch, DocumentEvent::Kind::redone);
    return true;
}

void Document::retrace(const Step& step, const Patch& patch, DocumentEvent::Kind kind) {
    mayMerge_ = false;
    auto authored = authored_;
    applyPatch(patch, authored);
    set(std::move(authored));
    // What the journal does not know of, it is told in full.
    write({{kind == DocumentEvent::Kind::undone ? "undo" : "redo", step.journaled ? Json(nullptr) : toJson(patch)}});
    tell(kind, step.command, patch);
}

Subscription Document::subscribe(std::function<void(const DocumentEvent&)> observer) {
    auto held = std::make_shared<std::function<void(const DocumentEvent&)>>(std::move(observer));
    observers_.push_back(held);
    return Subscription(std::move(held));
}

void Document::tell(DocumentEvent::Kind kind, const Json& command, const Patch& patch) {
    DocumentEvent event{kind, command, {}, !patch.empty()};
    for (const auto& change : patch) {
        event.places.push_back(change.place());
        event.onlyCanvas = event.onlyCanvas && event.places.back().starts_with("canvas");
    }
    std::erase_if(observers_, [](const auto& observer) { return observer.expired(); });
    const auto present = observers_; // an observer may end its subscription, or make others
    for (const auto& observer : present)
        if (const auto held = observer.lock()) (*held)(event);
}

// -- its file ---------------------------------------------------------------------------------------------------------

void Document::save(const std::filesystem::path& path) {
    if (path.empty()) throw Error("save", "the document has no file yet; name one");
    requireWritable();
    const auto folder = std::filesystem::absolute(path).parent_path();
    if (isVariant() && folder != std::filesystem::absolute(folder_)) {
        const auto name = authored_["base"].get<std::string>();
        Json there;
        try {
            there = baseOf(authored_, folder);
        } catch (const Error&) { // it is not there: no object
        }
        if (!identical(there, base_))
            throw Error(path.string(), "the base \"" + name +
                                           "\" is not the same, seen from this folder; detach the document from its "
                                           "base first, or save it beside the base");
    }
    writeAtomically(path, text());
    path_ = path;
    folder_ = folder;
    savedText_ = text();
    mayMerge_ = false;
    try {
        if (journal_) keepJournal(journal_->folder());
    } catch (const Error& error) { // the document is saved all the same
        journalProblem_ = error.what();
    }
    tell(DocumentEvent::Kind::saved, {}, {});
}

void Document::forgetFile() {
    path_.clear();
    savedText_.clear();
}

void Document::keepJournal(const std::filesystem::path& folder) {
    auto previous = std::move(journal_);
    journal_ = Journal::start(folder, *this, std::move(previous), recoveredFrom_);
    recoveredFrom_.clear();
    for (auto& step : steps_) step.journaled = false;
    mayMerge_ = false;
    journalProblem_.clear();
}

void Document::write(const Json& frame) {
    if (!journal_) return;
    try {
        journal_->append(frame);
    } catch (const Error& error) {
        journal_.reset();
        journalProblem_ = error.what();
    }
}

void Document::replay(const Json& frame) {
    if (frame.contains("do")) {
        execute(frame["do"], frame.value("merge", std::string()));
        return;
    }
    const char* key = frame.contains("undo") ? "undo" : "redo";
    const auto& patch = frame.at(key);
    if (patch.is_null()) {
        if (!(frame.contains("undo") ? undo() : redo())) throw Error("journal", "there is nothing to undo or redo");
        return;
    }
    auto authored = authored_;
    applyPatch(patchFromJson(patch, key), authored);
    set(std::move(authored));
    mayMerge_ = false;
}

void Document::forgetSteps() {
    steps_.clear();
    done_ = 0;
}

} // namespace raphe
