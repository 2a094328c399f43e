// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

#include "engine/analysis/comparison.h"
#include "engine/analysis/figure.h"
#include "engine/base/available.h"
#include "engine/base/npz.h"
#include "engine/base/text.h"
#include "engine/document/experiment_fields.h"
#include "engine/editing/commands.h"
#include "engine/learning/changed_session.h"
#include "engine/learning/compatibility.h"
#include "engine/learning/preflight.h"
#include "engine/mechanisms/conformance.h"
#include "engine/mechanisms/describe.h"
#include "engine/runs/export.h"
#include "engine/runs/run.h"
#include "engine/runs/run_reader.h"
#include "lua/lua_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace raphe::cli {

namespace {

Json object(const NamedNumbers& numbers) {
    Json result = Json::object();
    for (const auto& [name, value] : numbers) result[name] = value;
    return result;
}

Experiment load(const PluginHost& plugins, const std::string& name, const std::vector<std::string>& assignments) {
    return loadExperiment(name, plugins.registry(), assignments);
}

/// The options that decide what a run computes, as they were given.
std::string sameSettings(const RunArguments& a) {
    std::string text;
    for (const auto& assignment : a.assignments) text += " --set '" + assignment + "'";
    for (const auto& intervention : a.interventions) text += " --intervene '" + intervention + "'";
    for (const auto& port : a.record) text += " --record " + port;
    if (a.recordAll) text += " --record-all";
    if (a.seed) text += fmt::format(" --seed {}", *a.seed);
    if (a.iterations) text += fmt::format(" --iterations {}", *a.iterations);
    if (!a.precision.empty()) text += " --precision " + a.precision;
    return text;
}

/// What happens in a stage, in one line.
std::string describe(const TrainingStage& stage) {
    auto text = fmt::format("stage {}: {} iterations", stage.name, stage.iterations);
    if (!stage.frozen.empty()) text += ", frozen " + joined(stage.frozen);
    for (const auto& [key, value] : stage.set) text += fmt::format(", {} {}", key, toJson(value).dump());
    for (const auto& [key, schedule] : stage.schedules) text += fmt::format(", {} {}", key, nameOf(schedule.kind));
    if (stage.resetOptimiser) text += ", fresh optimiser";
    if (stage.keepBest)
        text += fmt::format(", keeps the weights of the {} {} of {}",
                            stage.keepBest->goal == Goal::min ? "smallest" : "largest", stage.keepBest->metric,
                            nameOf(stage.keepBest->of));
    return text;
}

/// What is left out of the stages, if something is.
std::string earlyEnd(const Experiment& experiment) {
    const auto sum = iterationsOf(experiment.stages);
    if (experiment.stages.empty() || experiment.iterations >= sum) return {};
    std::int64_t begin = 0;
    const TrainingStage* last = nullptr;
    for (const auto& stage : experiment.stages) {
        if (begin >= experiment.iterations) break;
        last = &stage;
        begin += stage.iterations;
    }
    return fmt::format("stops after {} of {} iterations, in stage {}", experiment.iterations, sum,
                       last ? last->name : experiment.stages.front().name);
}

/// Wires that deliver the value of the previous step because they close a cycle.
std::vector<std::string> delayedWires(const Graph& graph) {
    std::vector<std::string> wires;
    for (const auto& wire : graph.wires())
        if (wire.delayed && !wire.explicitDelay) {
            const auto& from = graph.nodes()[static_cast<std::size_t>(wire.fromNode)];
            const auto& to = graph.nodes()[static_cast<std::size_t>(wire.toNode)];
            wires.push_back(fmt::format("{}.{} -> {}.{}", from.name,
                                        from.declaration().ports[static_cast<std::size_t>(wire.fromPort)].name, to.name,
                                        to.declaration().ports[static_cast<std::size_t>(wire.toPort)].name));
        }
    return wires;
}

void printCheck(const Preflight& found) {
    const auto& experiment = found.experiment;
    const auto& graph = found.graph;
    fmt::print("{}: {} nodes, {} wires, {:.0f} trainable numbers in {} tensors; {} trials of {} steps, {}\n",
               experiment.name, graph.nodes().size(), graph.wires().size(), found.numbers(), found.tensors.size(),
               found.trials, found.steps, graph.closedLoop() ? "closed loop" : "open loop");
    for (const auto& wire : delayedWires(graph)) fmt::print("  {} delivers the value of the previous step\n", wire);
    for (const auto& stage : experiment.stages) fmt::print("  {}\n", describe(stage));
    if (const auto text = earlyEnd(experiment); !text.empty()) fmt::print("  {}\n", text);
    const auto& estimate = found.estimate;
    fmt::print("  memory: about {} with {} thread{}\n", bytesText(estimate.total()), estimate.threads,
               estimate.threads == 1 ? "" : "s");
    for (const auto& part : estimate.memory)
        if (part.bytes >= estimate.total() / 100) fmt::print("    {:<9} {}\n", bytesText(part.bytes), part.name);
    fmt::print("  disk: at most {} for a checkpoint", bytesText(estimate.checkpoint));
    if (estimate.signals > 0) fmt::print(", {} for what 1000 iterations record", bytesText(estimate.signals));
    fmt::print("\n");
}

Json checkJson(const std::string& name, const std::optional<Preflight>& found, const Problems& problems) {
    Json result{{"event", "check"}, {"experiment", name}, {"problems", problems.lines()}};
    if (!found) return result;
    const auto& graph = found->graph;
    result["name"] = found->experiment.name;
    result["nodes"] = graph.nodes().size();
    result["wires"] = graph.wires().size();
    result["delayed_wires"] = delayedWires(graph);
    result["tensors"] = found->tensors.size();
    result["numbers"] = static_cast<std::int64_t>(std::min(found->numbers(), 9e15));
    result["trials"] = found->trials;
    result["steps"] = found->steps;
    result["closed_loop"] = graph.closedLoop();
    result.update(toJson(found->estimate));
    return result;
}

/// Plugins that could not be loaded are worth a word when something is missing.
void warnOfBrokenPlugins(const PluginHost& plugins) {
    for (const auto& record : plugins.records())
        if (!record.error.empty()) fmt::print(stderr, "raphe: plugin disabled: {}\n", record.error);
}

} // namespace

int list(const PluginHost& plugins, const std::string& kind, bool json) {
    warnOfBrokenPlugins(plugins);
    for (const auto& key : plugins.registry().keys(kind)) {
        const auto& declaration = plugins.registry().find(key, key).declaration;
        if (json)
            fmt::print("{}\n", Json{{"name", key},
                                    {"version", declaration.version},
                                    {"summary", declaration.summary},
                                    {"plugin", plugins.registry().provider(key)}}
                                   .dump());
        else
            fmt::print("{:<26} {}\n", key, declaration.summary);
    }
    return 0;
}

int compatible(const PluginHost& plugins, bool json, bool markdown) {
    const auto all = combinations(plugins.registry());
    if (markdown) {
        fmt::print("{}", combinationsMarkdown(all));
        return 0;
    }
    std::size_t fitting = 0;
    for (const auto& c : all) {
        fitting += c.fits();
        if (json)
            fmt::print("{}\n", Json({{"task", c.task},
                                     {"model", c.model},
                                     {"rule", c.rule},
                                     {"fits", c.fits()},
                                     {"reason", c.reason},
                                     {"experiment", c.document}})
                                   .dump());
        else
            fmt::print("{} {} {}: {}\n", c.task, c.model, c.rule, c.fits() ? "fits" : c.reason);
    }
    if (!json) fmt::print("{} of {} combinations fit in the plainest experiment\n", fitting, all.size());
    return 0;
}

int describe(const PluginHost& plugins, const std::string& mechanism, bool json, bool markdown) {
    if (mechanism.empty()) {
        if (!markdown)
            throw Error("describe",
                        "name a mechanism, e.g. model.low_rank_rnn, or ask for the whole reference with --markdown");
        fmt::print("{}{}{}", referenceMarkdown(plugins.registry()), fieldsMarkdown(), commandsMarkdown());
        return 0;
    }
    const auto& declaration = plugins.registry().find(mechanism, "describe").declaration;
    if (json)
        fmt::print("{}\n", describeJson(declaration).dump());
    else
        fmt::print("{}", markdown ? describeMarkdown(declaration) : describeText(declaration));
    return 0;
}

int check(const PluginHost& plugins, const CheckArguments& a) {
    SessionOptions options;
    options.threads = a.threads;
    options.checkpoints = true;
    Problems problems;
    std::optional<Preflight> found;
    problems.collect([&] { found = preflight(a.experiment, a.assignments, plugins.registry(), options, problems); });
    if (found)
        if (const auto sentence = refusal(found->estimate, options); !sentence.empty()) problems.add(Error(sentence));
    // What stages ask of metrics and of the rule's parameters is known once the session is there.
    if (found && problems.empty() && !found->experiment.stages.empty())
        problems.collect([&] { Session::create(found->experiment, plugins.registry(), options); });
    if (a.json)
        fmt::print("{}\n", checkJson(a.experiment, found, problems).dump());
    else if (found)
        printCheck(*found);
    for (const auto& problem : problems.lines()) fmt::print(stderr, "{}\n", problem);
    return problems.empty() ? 0 : 2;
}

int run(const PluginHost& plugins, const RunArguments& a) {
    auto experiment = load(plugins, a.experiment, a.assignments);
    if (a.seed) experiment.set("seed", *a.seed, plugins.registry());
    if (a.iterations) experiment.set("iterations", *a.iterations, plugins.registry());
    if (!a.precision.empty()) experiment.set("precision", a.precision, plugins.registry());
    for (const auto& port : a.record) experiment.recordings.push_back({parseAddress(port, "--record"), 1, 100, 1});
    for (const auto& text : a.interventions) experiment.interventions.push_back(parseIntervention(text));
    if (a.recordAll) {
        const Graph graph(experiment, plugins.registry());
        for (const auto& node : graph.nodes())
            for (std::size_t p = 0; p < node.portSizes.size(); ++p)
                if (node.declaration().ports[p].kind == PortKind::output && node.portSizes[p] > 0)
                    experiment.recordings.push_back({{node.name, node.declaration().ports[p].name}, 1, 10, 1});
    }
    RunOptions options;
    options.folder = a.out;
    options.checkpointEvery = a.checkpointEvery;
    options.resume = a.resume;
    options.copyOf = a.copyOf;
    options.session = {a.threads, a.executor, a.scheduleSeed};

    watchInterrupts();
    Progress progress(a.output, experiment.iterations);
    std::filesystem::path folder;
    const auto started = [&](Session& session, const std::filesystem::path& runFolder) -> std::shared_ptr<void> {
        folder = runFolder;
        if (a.output.people())
            fmt::print(stderr, "{}: {} trials of {} steps, {} threads, {} -> {}\n", experiment.name,
                       session.batchTrials(), session.steps(), session.threads(),
                       experiment.precision == Precision::float32 ? "float32" : "float64", runFolder.string());
        if (const auto text = earlyEnd(experiment); a.output.people() && !text.empty())
            fmt::print(stderr, "{}\n", text);
        if (a.output.people() && session.iteration() > 0)
            fmt::print(stderr, "going on after iteration {}\n", session.iteration());
        return std::make_shared<InterruptWatch>(session);
    };
    const auto outcome = runExperiment(experiment, plugins, options, &progress, started);
    progress.finish();
    if (a.output.json) {
        fmt::print("{}\n", Json{{"event", "end"},
                                {"run", outcome.folder.string()},
                                {"run_hash", outcome.hash},
                                {"iterations", outcome.iterations},
                                {"seconds_training", outcome.seconds},
                                {"completed", outcome.completed},
                                {"metrics", object(outcome.metrics)}}
                               .dump());
        std::fflush(stdout);
    }
    if (a.output.people()) {
        fmt::print(stderr, "{} after {} iterations, {:.1f} s of training; means over the last 5 %:",
                   outcome.completed ? "done" : "interrupted", outcome.iterations, outcome.seconds);
        for (const auto& [name, value] : outcome.metrics) fmt::print(stderr, " {} {:.5g}", name, value);
        fmt::print(stderr, "\nrun hash {}\n", outcome.hash);
        if (!outcome.completed)
            fmt::print(stderr, "go on with: raphe run {}{} --out {} --resume\n", a.experiment, sameSettings(a),
                       outcome.folder.string());
        if (!a.output.json) fmt::print("{}\n", outcome.folder.string());
    }
    return outcome.completed ? 0 : 130;
}

int evaluate(const PluginHost& plugins, const EvaluateArguments& a) {
    std::unique_ptr<Session> session = sessionOfRun(a.run, plugins.registry(), {a.threads, "tbb", 0}, a.checkpoint);
    if (!a.assignments.empty()) { // the same weights under changed parameters, e.g. another set of trials
        auto experiment = experimentOfRun(a.run, plugins.registry());
        experiment.trials = 0;
        for (const auto& assignment : a.assignments) experiment.setText(assignment, plugins.registry());
        experiment = withTrialsOfTask(std::move(experiment), a.trials > 0 ? a.trials : session->batchTrials(),
                                      plugins.registry());
        session = changedSession(*session, experiment, plugins.registry(), {a.threads, "tbb", 0});
    }
    EvaluateRequest request;
    request.trials = a.trials;
    request.record = a.record;
    request.states = a.states;
    if (!a.begin.empty()) request.initialStates = readNpz(a.begin);
    for (const auto& text : a.interventions) request.interventions.push_back(parseIntervention(text));
    const auto result = session->evaluate(request);
    if (!a.out.empty()) {
        std::vector<NamedTensor> tensors;
        for (const auto& [name, tensor] : result.signals) tensors.push_back({name, tensor});
        tensors.insert(tensors.end(), result.states.begin(), result.states.end());
        exportTensors(a.out, tensors, {});
    }
    if (a.json) {
        Json signals = Json::object(), states = Json::object();
        for (const auto& [name, tensor] : result.signals)
            signals[name] = {{"shape", tensor.shape}, {"data", tensor.values}};
        for (const auto& [name, tensor] : result.states)
            states[name] = {{"shape", tensor.shape}, {"data", tensor.values}};
        Json event{{"event", "evaluation"}, {"run", a.run}, {"metrics", object(result.metrics)}, {"signals", signals}};
        if (!states.empty()) event["states"] = states;
        fmt::print("{}\n", event.dump());
    } else {
        for (const auto& [name, value] : result.metrics) fmt::print("{:<20} {:.6g}\n", name, value);
        for (const auto& [name, tensor] : result.signals)
            fmt::print("{:<20} recorded, shape ({}){}\n", name, fmt::join(tensor.shape, ", "),
                       a.out.empty() ? "; keep it with --out FILE.npz" : "");
        for (const auto& [name, tensor] : result.states)
            fmt::print("{:<20} kept, shape ({}){}\n", name, fmt::join(tensor.shape, ", "),
                       a.out.empty() ? "; write it with --out FILE.npz" : "");
    }
    return 0;
}

int gradcheck(const PluginHost& plugins, const GradcheckArguments& a) {
    auto experiment = load(plugins, a.experiment, a.assignments);
    experiment.precision = Precision::float64;
    auto session = Session::create(experiment, plugins.registry(), {});
    if (!a.credit.empty()) {
        const auto tensors = session->alignCredit(a.credit);
        Json list = Json::array();
        for (const auto& t : tensors) {
            list.push_back(
                {{"name", t.tensor}, {"cosine", t.cosine}, {"norm_ratio", t.normRatio}, {"exact_norm", t.exactNorm}});
            if (!a.json)
                fmt::print("{:<34} cosine {:>8.5f}   norm ratio {:>8.5f}   (exact norm {:.2e})\n", t.tensor, t.cosine,
                           t.normRatio, t.exactNorm);
        }
        if (a.json) fmt::print("{}\n", Json{{"credit", a.credit}, {"tensors", list}}.dump());
        return 0;
    }
    const auto report = session->checkGradients(a.entries);
    Json list = Json::array();
    for (const auto& t : report.tensors)
        list.push_back({{"name", t.name},
                        {"error", t.largestError},
                        {"entries", t.entries},
                        {"largest_gradient", t.largestGradient}});
    if (a.json) {
        fmt::print("{}\n",
                   Json{{"passed", report.passed()}, {"tolerance", report.tolerance}, {"tensors", list}}.dump());
        return report.passed() ? 0 : 1;
    }
    for (const auto& t : report.tensors)
        fmt::print("{:<4} {:<34} relative error {:.2e} over {} numbers (largest gradient {:.2e})\n",
                   t.largestError <= report.tolerance ? "ok" : "BAD", t.name, t.largestError, t.entries,
                   t.largestGradient);
    fmt::print("{}: tape gradients {} central differences in float64 (tolerance {:.0e})\n", experiment.name,
               report.passed() ? "agree with" : "DIFFER from", report.tolerance);
    return report.passed() ? 0 : 1;
}

int lua(PluginHost& plugins, const std::string& script, const std::vector<std::string>& arguments, bool allowIo) {
    watchInterrupts();
    LuaOptions options;
    options.scriptArguments = arguments;
    options.allowIo = allowIo;
    options.interrupted = [] { return interrupted(); };
    LuaHost host(plugins, options);
    return host.runFile(script);
}

int plot(const PlotArguments& a) {
    const std::vector<std::filesystem::path> folders(a.runs.begin(), a.runs.end());
    CurveStyle style{.show = CurveStyle::Show::groups, .smoothing = a.smoothing, .finals = a.finals};
    if (a.show != "groups") style.show = a.show == "runs" ? CurveStyle::Show::runs : CurveStyle::Show::both;
    drawFigure(learningCurves(readCurves(groupRuns(runsIn(folders)), a.metric), style), a.picture, a.width);
    fmt::print("{}\n", a.picture);
    return 0;
}

int exportRun(const std::string& folder, const std::string& file) {
    const auto reader = RunReader::open(folder);
    Table table{"metrics", {"iteration", "seconds"}, {}};
    reader.forEachMetrics([&](const Metrics& item) {
        if (table.rows.empty())
            for (const auto& [name, value] : item.values) table.columns.push_back(name);
        std::vector<double> row{static_cast<double>(item.iteration), item.seconds};
        for (const auto& [name, value] : item.values) row.push_back(value);
        table.rows.push_back(std::move(row));
    });
    std::vector<NamedTensor> tensors;
    if (auto checkpoint = reader.latestCheckpoint())
        for (auto& item : checkpoint->tensors)
            if (!item.name.starts_with("optimiser.") && !item.name.starts_with("stages."))
                tensors.push_back(std::move(item));
    for (const auto& summary : reader.listSignals())
        for (auto& signal : reader.signals(summary.port))
            tensors.push_back({fmt::format("signals.{}.{}", signal.port, signal.iteration), std::move(signal.tensor)});
    exportTensors(file, tensors, {table});
    fmt::print("{}\n", file);
    return 0;
}

int pluginList(const PluginHost& plugins, bool json) {
    for (const auto& record : plugins.records()) {
        if (json) {
            fmt::print("{}\n", Json{{"name", record.name},
                                    {"version", record.version},
                                    {"licence", record.licence},
                                    {"library", record.library.string()},
                                    {"stage", nameOf(record.stage)},
                                    {"mechanisms", record.mechanisms},
                                    {"error", record.error}}
                                   .dump());
            continue;
        }
        fmt::print("{:<20} {:<8} {:<13} {}\n", record.name, record.version, nameOf(record.stage),
                   record.error.empty() ? joined(record.mechanisms) : record.error);
    }
    if (plugins.records().empty() && !json)
        fmt::print("no plugins found; folders searched: RAPHE_PLUGIN_PATH and lib/raphe/plugins beside the program\n");
    return 0;
}

int pluginCheck(const PluginHost& plugins, const std::string& name) {
    bool found = false, good = true;
    for (const auto& record : plugins.records()) {
        if (!name.empty() && record.name != name) continue;
        found = true;
        if (!record.error.empty()) {
            fmt::print("BAD  {}\n", record.error);
            good = false;
            continue;
        }
        for (const auto& key : record.mechanisms) {
            const auto report = checkMechanism(plugins.registry().find(key, key));
            fmt::print("{:<4} {} ({} checks)\n", report.failures.empty() ? "ok" : "BAD", key, report.checks);
            for (const auto& failure : report.failures) fmt::print("     {}\n", failure);
            good = good && report.failures.empty();
        }
    }
    if (!found) {
        std::vector<std::string> names;
        for (const auto& record : plugins.records()) names.push_back(record.name);
        throw Error("plugin check", "no plugin \"" + name + "\" was found" + suggestion(name, names));
    }
    return good ? 0 : 1;
}

} // namespace raphe::cli
