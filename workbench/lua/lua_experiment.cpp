// SPDX-License-Identifier: Apache-2.0
#include "engine/base/text.h"
#include "engine/document/fields.h"
#include "engine/editing/recorded_script.h"
#include "engine/learning/preflight.h"
#include "lua/lua_module.h"
#include "lua/lua_sandbox.h"

#include <fmt/format.h>

#include <algorithm>

namespace raphe::lua {

namespace fs = std::filesystem;

namespace {

const Registry& registryOf(lua_State* L) { return hostOf(L).plugins.registry(); }

/// The document of a handle. @pre on the thread where it is used
Document& documentOf(const DocumentHandle& handle) {
    if (handle.own) return *handle.own;
    if (const auto document = handle.shared.lock()) return *document; // whose owner lives on this very thread
    throw Error("experiment", "the document has been closed");
}
Document& documentOf(lua_State* L) { return documentOf(self<DocumentHandle>(L)); }

/// Calls `work` where the document is used. What it throws, Lua's own errors included, arrives here.
template <class Work>
void where(lua_State* L, const DocumentHandle& handle, Work work) {
    const auto& withShared = hostOf(L).options.withShared;
    if (handle.own || !withShared) return work();
    std::exception_ptr failure;
    withShared([&] {
        try {
            work();
        } catch (...) {
            failure = std::current_exception();
        }
    });
    if (failure) std::rethrow_exception(failure);
}

/// A method that runs where the document is used. Those that compute take a copy there and go on here.
template <lua_CFunction F>
int there(lua_State* L) {
    int results = 0;
    where(L, self<DocumentHandle>(L), [&] { results = F(L); });
    return results;
}

Experiment validCopy(lua_State* L, const DocumentHandle& handle) {
    Experiment experiment;
    where(L, handle, [&] { experiment = documentOf(handle).validExperiment(); });
    return experiment;
}

bool isOfStages(const std::string& path) { return path == "stages" || path.starts_with("stages["); }

/// Always with "stages".
Json withStages(const Experiment& experiment) {
    auto document = experiment.toJson();
    if (!document.contains("stages")) document["stages"] = Json::array();
    return document;
}

// -- commands ---------------------------------------------------------------------------------------------------------

/// Upvalue: the command. Its arguments stand in the order of the table.
int executeCommand(lua_State* L) {
    const auto& info = *static_cast<const CommandInfo*>(lua_touserdata(L, lua_upvalueindex(1)));
    auto& document = documentOf(L);
    const auto place = std::string("experiment:") + info.name;
    const int most = static_cast<int>(info.arguments.size());
    if (lua_gettop(L) > most + 1)
        throw Error(place,
                    fmt::format("takes at most {} argument{}, got {}", most, most == 1 ? "" : "s", lua_gettop(L) - 1));
    Json command{{"command", info.name}};
    for (int i = 0; i < most; ++i) {
        const auto& argument = info.arguments[static_cast<std::size_t>(i)];
        if (!lua_isnoneornil(L, i + 2))
            command[argument.name] = toJson(L, i + 2, place);
        else if (argument.type == ArgumentType::value)
            command[argument.name] = nullptr;
    }
    document.execute(command);
    lua_settop(L, 1);
    return 1;
}

/// Carries out a command that is given as data.
int execute(lua_State* L) {
    documentOf(L).execute(toJson(L, 2, "experiment:execute"));
    lua_settop(L, 1);
    return 1;
}

void addCommands(lua_State* L) {
    for (const auto& info : commands()) {
        lua_pushlightuserdata(L, const_cast<CommandInfo*>(&info));
        lua_pushcclosure(L, edge<there<executeCommand>>, 1);
        lua_setfield(L, -2, info.name);
    }
}

/// A parameter ("agent.hidden"), a field ("trials"), or a place in the stages.
int set(lua_State* L) {
    auto& document = documentOf(L);
    const auto path = textArgument(L, 2, "experiment:set");
    const auto value = lua_isnoneornil(L, 3) ? Json() : toJson(L, 3, path);
    const auto dot = path.find('.');
    if (isOfStages(path) || dot == std::string::npos)
        document.execute({{"command", "set_field"}, {"field", path}, {"value", value}});
    else
        document.execute({{"command", "set_parameter"},
                          {"node", path.substr(0, dot)},
                          {"parameter", path.substr(dot + 1)},
                          {"value", value}});
    lua_settop(L, 1);
    return 1;
}
template <bool (Document::*Retrace)()>
int retrace(lua_State* L) {
    const bool any = (documentOf(L).*Retrace)();
    lua_pushboolean(L, any);
    return 1;
}

// -- what it holds ----------------------------------------------------------------------------------------------------

Json valueOf(const Experiment& experiment, const std::string& path) {
    if (isOfStages(path)) return fields::valueAtPlace(withStages(experiment), path);
    const auto dot = path.find('.');
    if (dot == std::string::npos) {
        const auto document = experiment.toJson();
        if (document.contains(path)) return document[path];
        std::vector<std::string> known;
        for (const auto& [key, value] : document.items()) known.push_back(key);
        throw Error(path, "the document has no field of this name" + suggestion(path, known));
    }
    std::vector<std::string> names;
    for (const auto& node : experiment.nodes) {
        names.push_back(node.name);
        if (node.name != path.substr(0, dot)) continue;
        const auto key = path.substr(dot + 1);
        if (const auto found = node.params.find(key); found != node.params.end()) return raphe::toJson(found->second);
        std::vector<std::string> known;
        for (const auto& [name, value] : node.params) known.push_back(name);
        throw Error(path, fmt::format("{} has no parameter \"{}\"{}", node.mechanism, key, suggestion(key, known)));
    }
    throw Error(path, "the experiment has no such node" + suggestion(path.substr(0, dot), names));
}
int get(lua_State* L) {
    pushJson(L, valueOf(documentOf(L).experiment(), textArgument(L, 2, "experiment:get")));
    return 1;
}
int json(lua_State* L) {
    pushJson(L, documentOf(L).experiment().toJson());
    return 1;
}
int text(lua_State* L) {
    pushText(L, documentOf(L).text());
    return 1;
}
int problems(lua_State* L) {
    Json list = Json::array();
    for (const auto& problem : documentOf(L).problems()) {
        Json item{{"text", problem.text()}, {"place", problem.place}, {"sentence", problem.sentence}};
        for (const auto& [key, value] : {std::pair{"node", &problem.node},
                                         {"port", &problem.port},
                                         {"parameter", &problem.parameter},
                                         {"field", &problem.field}})
            if (!value->empty()) item[key] = *value;
        for (const auto& [key, value] : {std::pair{"wire", problem.wire},
                                         {"recording", problem.recording},
                                         {"intervention", problem.intervention},
                                         {"frozen", problem.frozen},
                                         {"stage", problem.stage}})
            if (value >= 0) item[key] = value;
        auto& fixes = item["fixes"] = Json::array();
        for (const auto& fix : documentOf(L).fixes(problem)) {
            Json remedy{{"title", fix.title}};
            if (fix.isChoice())
                remedy["search"] = fix.search;
            else
                remedy["command"] = fix.command();
            fixes.push_back(std::move(remedy));
        }
        list.push_back(std::move(item));
    }
    pushJson(L, list);
    return 1;
}
/// Whether a wire may be drawn, and a sentence: why not, or what it would do.
int canConnect(lua_State* L) {
    const auto connection = documentOf(L).canConnect(textArgument(L, 2, "experiment:can_connect"),
                                                     textArgument(L, 3, "experiment:can_connect"));
    lua_pushboolean(L, connection.fits());
    const auto& sentence = connection.fits() ? connection.note : connection.refusal;
    if (sentence.empty()) return 1;
    pushText(L, sentence);
    return 2;
}
int copyNodes(lua_State* L) {
    std::vector<std::string> names;
    const auto list = toJson(L, 2, "experiment:copy_nodes", {.emptyIsList = true});
    for (const auto& name : list.is_array() ? list : Json::array({list})) {
        if (!name.is_string()) throw Error("experiment:copy_nodes", "expected names of nodes");
        names.push_back(name.get<std::string>());
    }
    pushText(L, documentOf(L).copyNodes(names));
    return 1;
}
int copy(lua_State* L) {
    std::unique_ptr<Document> made;
    const auto& handle = self<DocumentHandle>(L);
    where(L, handle, [&] { made = documentOf(handle).copy(); });
    return pushDocument(L, std::move(made));
}
int script(lua_State* L) {
    pushText(L, scriptOf(documentOf(L)));
    return 1;
}
int save(lua_State* L) {
    auto& document = documentOf(L);
    const auto path = lua_isnoneornil(L, 2) ? document.path().string() : textArgument(L, 2, "experiment:save");
    if (path.empty()) throw Error("experiment:save", "the document has no file yet; name one");
    document.save(allowedPath(L, path, "experiment:save"));
    lua_settop(L, 1);
    return 1;
}
int modified(lua_State* L) {
    lua_pushboolean(L, documentOf(L).modified());
    return 1;
}
int check(lua_State* L) {
    const Options options(L, 2, "experiment:check", {"threads"});
    auto session = sessionOptions(options);
    session.checkpoints = true;
    const auto experiment = validCopy(L, self<DocumentHandle>(L));
    Problems problems;
    const auto found = preflight(experiment, registryOf(L), session, problems);
    problems.throwIfAny();
    Json result{{"nodes", found->graph.nodes().size()},
                {"wires", found->graph.wires().size()},
                {"tensors", found->tensors.size()},
                {"numbers", static_cast<std::int64_t>(std::min(found->numbers(), 9e15))},
                {"trials", found->trials},
                {"steps", found->steps},
                {"closed_loop", found->graph.closedLoop()}};
    result.update(toJson(found->estimate));
    pushJson(L, result);
    return 1;
}
int session(lua_State* L) {
    const Options options(L, 2, "experiment:session", {"seed", "threads", "precision", "executor", "schedule_seed"});
    auto experiment = validCopy(L, self<DocumentHandle>(L));
    setSeedAndPrecision(experiment, options, registryOf(L));
    requireMemory(L, sessionBytes(experiment, registryOf(L)), "experiment:session");
    return pushSession(L, Session::create(experiment, registryOf(L), sessionOptions(options)));
}
int toText(lua_State* L) {
    const auto& experiment = documentOf(L).experiment();
    pushText(L, fmt::format("experiment {} ({} nodes)", experiment.name, experiment.nodes.size()));
    return 1;
}

/// The file of a document, or the name of one that comes with Raphe.
std::string documentPath(lua_State* L, int index, const std::string& place) {
    if (lua_type(L, index) != LUA_TSTRING)
        throw Error(place, "expected an experiment, or the name or file of one, got " + shown(L, index));
    const auto name = textArgument(L, index, place);
    // A file below the working folder comes first; a bare name may also be one that comes with Raphe.
    const bool bare = name.find('/') == std::string::npos;
    std::error_code error;
    if (!bare || fs::exists(hostOf(L).workingFolder / name, error)) return allowedPath(L, name, place).string();
    const auto names = experimentNames();
    if (std::find(names.begin(), names.end(), name) == names.end())
        throw Error(name, "neither a file nor an experiment that comes with Raphe" + suggestion(name, names));
    return (resourceFolder() / "experiments" / (name + ".json")).string();
}

void requirePlainBase(const Json& document) {
    if (document.is_object() && document.contains("base") && document["base"].is_string() &&
        document["base"].get<std::string>().find('/') != std::string::npos)
        throw Error("base", "expected the name of an experiment, without a folder");
}

/// The document of a table that a script made.
std::unique_ptr<Document> documentFromTable(lua_State* L, const std::string& place) {
    if (lua_type(L, 1) != LUA_TTABLE)
        throw Error(place, "expected a table {nodes = ..., wires = ...}, got " + shown(L, 1));
    auto document = toJson(L, 1, "");
    if (!document.is_object()) throw Error(place, "expected a table {nodes = ..., wires = ...}, got a list");
    fields::repairEmptyLists(document);
    if (!document.contains("raphe")) document["raphe"] = 1;
    requirePlainBase(document);
    return Document::fromJson(document, registryOf(L), hostOf(L).workingFolder);
}

} // namespace

int pushDocument(lua_State* L, std::shared_ptr<Document> document) {
    pushObject(L, DocumentHandle{std::move(document), {}});
    return 1;
}

int pushShared(lua_State* L, std::weak_ptr<Document> document) {
    pushObject(L, DocumentHandle{nullptr, std::move(document)});
    return 1;
}

int pushDocument(lua_State* L, const Experiment& experiment) {
    return pushDocument(L, Document::fromJson(experiment.toJson(), registryOf(L)));
}

Experiment experimentArgument(lua_State* L, int index, const std::string& place) {
    if (const auto* document = testObject<DocumentHandle>(L, index)) return validCopy(L, *document);
    return Document::open(documentPath(L, index, place), registryOf(L))->validExperiment();
}

int loadExperimentFile(lua_State* L) {
    if (testObject<DocumentHandle>(L, 1)) return copy(L);
    auto document = Document::open(documentPath(L, 1, "raphe.load"), registryOf(L));
    document->requireReadable();
    return pushDocument(L, std::move(document));
}

int openDocument(lua_State* L) {
    return pushDocument(L, Document::open(documentPath(L, 1, "raphe.open"), registryOf(L)));
}

/// raphe.open_text(text): the document that a file with these bytes would be.
int openDocumentText(lua_State* L) {
    auto text = textArgument(L, 1, "raphe.open_text");
    requirePlainBase(parseJson(text, "document"));
    return pushDocument(L, Document::fromText(std::move(text), "document", registryOf(L), hostOf(L).workingFolder));
}

int newDocument(lua_State* L) {
    if (lua_gettop(L) == 0) lua_newtable(L);
    if (lua_type(L, 1) == LUA_TSTRING)
        return pushDocument(L, Document::create(textArgument(L, 1, "raphe.new"), registryOf(L)));
    return pushDocument(L, documentFromTable(L, "raphe.new"));
}

int makeExperiment(lua_State* L) {
    auto document = documentFromTable(L, "raphe.experiment");
    document->requireReadable();
    return pushDocument(L, std::move(document));
}

void openExperiments(lua_State* L) {
    makeClass(L, ClassOf<DocumentHandle>::name,
              {{"set", edge<there<set>>},
               {"undo", edge<there<retrace<&Document::undo>>>},
               {"redo", edge<there<retrace<&Document::redo>>>},
               {"get", edge<there<get>>},
               {"json", edge<there<json>>},
               {"text", edge<there<text>>},
               {"execute", edge<there<execute>>},
               {"problems", edge<there<problems>>},
               {"can_connect", edge<there<canConnect>>},
               {"copy_nodes", edge<there<copyNodes>>},
               {"copy", edge<copy>},
               {"script", edge<there<script>>},
               {"save", edge<there<save>>},
               {"modified", edge<there<modified>>},
               {"check", edge<check>},
               {"session", edge<session>}},
              {{"__gc", destroy<DocumentHandle>}, {"__tostring", edge<there<toText>>}}, addCommands);
}

} // namespace raphe::lua
