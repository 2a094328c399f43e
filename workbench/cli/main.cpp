// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/study_commands.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace {

/// One line for each problem, as the exception lists them.
int badInput(const std::exception& error) {
    std::fflush(stdout);
    fmt::print(stderr, "{}\n", error.what());
    return 2;
}

} // namespace

int main(int argc, char** argv) {
    using namespace raphe;
    using namespace raphe::cli;

    CLI::App app{"Raphe: a workbench for neuromodulated neural networks", "raphe"};
    app.require_subcommand(1);
    app.set_version_flag("--version", std::string("raphe ") + RAPHE_VERSION);
    app.failure_message(CLI::FailureMessage::simple);

    PluginHost plugins;
    std::function<int()> command;

    std::string kind, mechanism, experiment, name, picture, script, newKind = "model";
    std::vector<std::string> assignments, arguments;
    bool json = false, markdown = false, quiet = false, allowIo = false;

    auto* listCommand = app.add_subcommand("list", "List the mechanisms that plugins provide");
    listCommand->add_option("kind", kind, "tasks, models or rules")
        ->check(CLI::IsMember({"tasks", "models", "rules", "task", "model", "rule"}));
    listCommand->add_flag("--json", json, "One JSON object per line");
    listCommand->callback([&] { command = [&] { return list(plugins, kind, json); }; });

    auto* compatibleCommand =
        app.add_subcommand("compatible", "Which tasks, models and learning rules fit together, and why others do not");
    compatibleCommand->add_flag("--json", json, "One JSON object per line, with the experiment");
    compatibleCommand->add_flag("--markdown", markdown, "As a page of the documentation");
    compatibleCommand->callback([&] { command = [&] { return compatible(plugins, json, markdown); }; });

    auto* describeCommand = app.add_subcommand("describe", "Show what a mechanism declares");
    describeCommand->add_option("mechanism", mechanism,
                                "e.g. model.low_rank_rnn; without it, and with --markdown, the whole reference");
    describeCommand->add_flag("--json", json, "As JSON");
    describeCommand->add_flag("--markdown", markdown, "As a page of the reference");
    describeCommand->callback([&] { command = [&] { return describe(plugins, mechanism, json, markdown); }; });

    const auto addExperiment = [&](CLI::App* sub, std::string& target, std::vector<std::string>& sets) {
        sub->add_option("experiment", target, "A file, or the name of an experiment that comes with Raphe")->required();
        sub->add_option("--set", sets, "node.param=value, or a field of the document such as trials=60 (repeatable)")
            ->take_all()
            ->allow_extra_args(false);
    };

    auto* checkCommand =
        app.add_subcommand("check", "Check an experiment, one line per problem, and estimate its memory and disk");
    CheckArguments checkArguments;
    addExperiment(checkCommand, checkArguments.experiment, checkArguments.assignments);
    checkCommand
        ->add_option("--threads", checkArguments.threads, "Threads for which memory is estimated (default: all cores)")
        ->check(CLI::Range(1, 1024));
    checkCommand->add_flag("--json", checkArguments.json, "As JSON, problems included");
    checkCommand->callback([&] { command = [&] { return check(plugins, checkArguments); }; });

    RunArguments runArguments;
    auto* runCommand = app.add_subcommand("run", "Train an experiment and keep everything in a run folder");
    addExperiment(runCommand, runArguments.experiment, runArguments.assignments);
    runCommand->add_option("--seed", runArguments.seed, "Seed of all random streams");
    runCommand->add_option("--iterations", runArguments.iterations, "Iterations in all");
    runCommand
        ->add_option("--threads", runArguments.threads, "Threads; results do not depend on it (default: all cores)")
        ->check(CLI::Range(1, 1024));
    runCommand->add_option("--precision", runArguments.precision, "float32 or float64")
        ->check(CLI::IsMember({"float32", "float64"}));
    runCommand->add_option("--out", runArguments.out, "Run folder (default: runs/NAME-TIME)");
    runCommand->add_flag("--resume", runArguments.resume, "Go on with the run in --out, or start it if there is none");
    runCommand->add_option("--copy-of", runArguments.copyOf,
                           "Go on with this run as another one, for as many --iterations in all");
    runCommand
        ->add_option("--checkpoint-every", runArguments.checkpointEvery,
                     "Iterations between checkpoints (default: about one a second)")
        ->check(CLI::PositiveNumber);
    runCommand->add_option("--record", runArguments.record, "Output port to record every 100 iterations (repeatable)")
        ->allow_extra_args(false);
    runCommand->add_flag("--record-all", runArguments.recordAll, "Record every output port every 10 iterations");
    runCommand
        ->add_option("--intervene", runArguments.interventions,
                     "node.port[component]=operation:value@from:to, or node.state=swap@step (repeatable)")
        ->allow_extra_args(false);
    runCommand->add_option("--executor", runArguments.executor, "tbb, threads or shuffled")
        ->check(CLI::IsMember({"tbb", "threads", "shuffled"}));
    runCommand->add_option("--schedule-seed", runArguments.scheduleSeed,
                           "Order of the chunks with --executor shuffled");
    runCommand->add_flag("--quiet", quiet, "No progress");
    runCommand->add_flag("--json", json, "One JSON object per line on stdout");
    runCommand->callback([&] {
        runArguments.output = {json, quiet};
        command = [&] { return run(plugins, runArguments); };
    });

    EvaluateArguments evaluateArguments;
    auto* evaluateCommand = app.add_subcommand("evaluate", "Run a trained network on fresh trials");
    evaluateCommand->add_option("run", evaluateArguments.run, "Run folder")->required();
    evaluateCommand->add_option("--trials", evaluateArguments.trials, "Trials (default: one batch)")
        ->check(CLI::Range(1, 1'000'000));
    evaluateCommand->add_option("--checkpoint", evaluateArguments.checkpoint,
                                "Iteration of a checkpoint that the run keeps (default: the last)");
    evaluateCommand->add_option("--threads", evaluateArguments.threads, "Threads")->check(CLI::Range(1, 1024));
    evaluateCommand->add_option("--record", evaluateArguments.record, "Output port to record (repeatable)")
        ->allow_extra_args(false);
    evaluateCommand
        ->add_option("--intervene", evaluateArguments.interventions,
                     "node.port[component]=operation:value@from:to, or node.state=swap@step (repeatable)")
        ->allow_extra_args(false);
    evaluateCommand
        ->add_option("--set", evaluateArguments.assignments,
                     "Other parameters for the evaluation, e.g. task.intervals=[4,6] (repeatable)")
        ->allow_extra_args(false);
    evaluateCommand
        ->add_option("--states", evaluateArguments.states,
                     "States to keep of every trial after its last step, such as learned weights (repeatable)")
        ->type_name("NODE.STATE|PATTERN");
    evaluateCommand->add_option("--begin", evaluateArguments.begin,
                                "FILE.npz with the states that the trials begin with, kept by --states");
    evaluateCommand->add_option("--out", evaluateArguments.out,
                                "Write recorded signals and kept states to FILE.npz, .csv or .h5");
    evaluateCommand->add_flag("--json", evaluateArguments.json, "As JSON");
    evaluateCommand->callback([&] { command = [&] { return evaluate(plugins, evaluateArguments); }; });

    auto* gradcheckCommand =
        app.add_subcommand("gradcheck", "Compare tape gradients with central differences in float64");
    GradcheckArguments gradcheckArguments;
    addExperiment(gradcheckCommand, gradcheckArguments.experiment, gradcheckArguments.assignments);
    gradcheckCommand->add_option("--entries", gradcheckArguments.entries, "Numbers compared in each tensor")
        ->check(CLI::Range(1, 100'000));
    gradcheckCommand->add_option(
        "--credit", gradcheckArguments.credit,
        "Compare the gradient with this credit (local, mdgl, modprop, ...) with the exact one");
    gradcheckCommand->add_flag("--json", gradcheckArguments.json, "As JSON");
    gradcheckCommand->callback([&] { command = [&] { return gradcheck(plugins, gradcheckArguments); }; });

    auto* luaCommand = app.add_subcommand("lua", "Run a Lua protocol in the sandbox");
    luaCommand->add_option("script", script, "A .lua file")->required();
    luaCommand->add_flag("--allow-io", allowIo, "Let the script use files anywhere (give it before SCRIPT)");
    luaCommand->prefix_command();
    luaCommand->callback([&] {
        arguments = luaCommand->remaining();
        command = [&] { return lua(plugins, script, arguments, allowIo); };
    });

    auto* runsCommand = app.add_subcommand("runs", "List stored runs");
    RunsArguments runsArguments;
    runsCommand->add_option("filter", runsArguments.filter,
                            "Words and comparisons that must hold, e.g. 'reward > 9 state = done experiment ~ cue'");
    runsCommand->add_option("--in", runsArguments.folder, "The folder below which the runs are (default: runs)");
    runsCommand->add_option("--sort", runsArguments.sortBy,
                            "A metric, iterations, duration, size, seed, date, experiment or state");
    auto* runsJson = runsCommand->add_flag("--json", runsArguments.json, "One JSON object per line");
    runsCommand->add_flag("--csv", runsArguments.csv, "As a table for other programs")->excludes(runsJson);
    runsCommand->add_flag("--rebuild", runsArguments.rebuild, "Read every run anew");
    runsCommand->callback([&] { command = [&] { return runs(runsArguments); }; });

    auto* plotCommand = app.add_subcommand(
        "plot",
        "Draw learning curves of runs: median and quartiles over the runs of an experiment with equal settings");
    PlotArguments plotArguments;
    plotCommand->add_option("runs", plotArguments.runs, "Run folders")->required();
    plotCommand->add_option("--metric", plotArguments.metric, "Which metric (default: reward, or loss)");
    plotCommand
        ->add_option("--smooth", plotArguments.smoothing, "Iterations of the moving average (default: 1 % of the run)")
        ->check(CLI::Range(1, 100'000'000));
    plotCommand->add_option("--show", plotArguments.show, "groups (default), runs or both")
        ->check(CLI::IsMember({"groups", "runs", "both"}));
    plotCommand->add_flag("--finals", plotArguments.finals, "With a panel of the values at the end");
    plotCommand->add_option("--width", plotArguments.width, "Width on paper in mm, e.g. 85 for one column, 174 for two")
        ->check(CLI::Range(20.0, 2000.0));
    plotCommand->add_option("-o,--output", plotArguments.picture, "FILE.svg, .png or .pdf")->required();
    plotCommand->callback([&] { command = [&] { return plot(plotArguments); }; });

    auto* exportCommand =
        app.add_subcommand("export", "Write metrics, weights and recorded signals of a run to a file");
    exportCommand->add_option("run", name, "Run folder")->required();
    exportCommand->add_option("-o,--output", picture, "FILE.npz, .csv, .h5")->required();
    exportCommand->callback([&] { command = [&] { return exportRun(name, picture); }; });

    auto* pluginCommand = app.add_subcommand("plugin", "Plugins: list, check, new");
    pluginCommand->require_subcommand(1);
    auto* pluginListCommand =
        pluginCommand->add_subcommand("list", "Every plugin that was found, and why one is not used");
    pluginListCommand->add_flag("--json", json, "One JSON object per line");
    pluginListCommand->callback([&] { command = [&] { return pluginList(plugins, json); }; });
    auto* pluginCheckCommand = pluginCommand->add_subcommand("check", "Run the conformance suite");
    pluginCheckCommand->add_option("name", name, "One plugin (default: all)");
    pluginCheckCommand->callback([&] { command = [&] { return pluginCheck(plugins, name); }; });
    auto* pluginNewCommand = pluginCommand->add_subcommand("new", "Start a plugin of your own from the smallest one");
    pluginNewCommand->add_option("name", name, "Its name, e.g. gated_rnn")->required();
    pluginNewCommand->add_option("--kind", newKind, "model (default), task or rule")
        ->check(CLI::IsMember({"model", "task", "rule"}));
    pluginNewCommand->callback([&] { command = [&] { return pluginNew(newKind, name); }; });

    BranchArguments branchArguments;
    auto* branchCommand = app.add_subcommand(
        "branch", "Go on from an iteration of a run with something changed, and the same random numbers");
    branchCommand->add_option("run", branchArguments.run, "Run folder")->required();
    branchCommand->add_option("--at", branchArguments.at, "Iterations that both share")
        ->required()
        ->check(CLI::Range(0, 1'000'000'000));
    branchCommand
        ->add_option("--set", branchArguments.assignments, "node.param=value, or a field of the document (repeatable)")
        ->allow_extra_args(false);
    branchCommand
        ->add_option("--intervene", branchArguments.interventions,
                     "node.port[component]=operation:value@from:to, or node.state=swap@step (repeatable)")
        ->allow_extra_args(false);
    branchCommand->add_option("--iterations", branchArguments.iterations,
                              "Iterations in all, the shared ones included");
    branchCommand->add_option("--threads", branchArguments.threads, "Threads")->check(CLI::Range(1, 1024));
    branchCommand->add_option("--out", branchArguments.out,
                              "Run folder of the branch (default: runs/NAME-branch-TIME)");
    branchCommand->add_flag("--quiet", quiet, "No progress");
    branchCommand->add_flag("--json", json, "One JSON object per line on stdout");
    branchCommand->callback([&] {
        branchArguments.output = {json, quiet};
        command = [&] { return branch(plugins, branchArguments); };
    });

    int reproduceThreads = 0;
    auto* reproduceCommand =
        app.add_subcommand("reproduce", "Compute a run again, and say where it differs if it does");
    reproduceCommand->add_option("run", name, "Run folder")->required();
    reproduceCommand->add_option("--threads", reproduceThreads, "Threads")->check(CLI::Range(1, 1024));
    reproduceCommand->add_flag("--json", json, "As JSON");
    reproduceCommand->callback([&] { command = [&] { return reproduce(plugins, name, reproduceThreads, json); }; });

    StudyArguments study;
    auto* studyCommand = app.add_subcommand("study", "Many runs as one object: variants, seeds, statistics, bars");
    studyCommand->require_subcommand(1);
    const auto addStudy = [&](const char* word, const char* help,
                              int (*function)(const PluginHost&, const StudyArguments&)) {
        auto* sub = studyCommand->add_subcommand(word, help);
        sub->add_option("study", study.study,
                        "A .study.json document, the name of a study that comes with Raphe, or a study folder")
            ->required();
        sub->add_option("--out", study.out, "The study's folder (default: studies/NAME)");
        sub->add_option("--seeds", study.seeds, "How many, instead of the document's")->check(CLI::Range(1, 10'000));
        sub->add_option("--iterations", study.iterations, "Of every training, its stages in proportion")
            ->check(CLI::Range(1, 1'000'000'000));
        sub->add_option("--set", study.assignments,
                        "A setting of all variants: node.param=value, trials=60 (repeatable)")
            ->allow_extra_args(false);
        sub->callback([&, function] {
            study.output = {json, quiet};
            command = [&, function] { return function(plugins, study); };
        });
        return sub;
    };
    studyCommand->add_subcommand("list", "Studies that come with Raphe")->callback([&] { command = studyList; });
    addStudy("check", "Check a study and all its experiments", studyCheck);
    auto* studyRunCommand =
        addStudy("run", "Do the runs that are missing, with worker processes on this machine", studyRun);
    studyRunCommand->add_option("--workers", study.workers, "Runs at once (default: one a core)")
        ->check(CLI::Range(1, 1024));
    studyRunCommand->add_option("--threads", study.threads, "Cores that all runs share (default: all)")
        ->check(CLI::Range(1, 1024));
    studyRunCommand->add_flag("--retry", study.retry, "Also runs that failed before");
    studyRunCommand->add_flag("--quiet", quiet, "No progress");
    studyRunCommand->add_flag("--json", json, "One JSON object per run, and one of all results, on stdout");
    addStudy("status", "What is done, running, interrupted, failed, missing", studyStatus)
        ->add_flag("--json", json, "As JSON");
    auto* studyTableCommand =
        addStudy("table", "Medians, intervals, comparisons and bars of the runs that are done", studyTable);
    studyTableCommand->add_option("--csv", study.file, "Also write one line for each run to FILE");
    studyTableCommand->add_option("--npz", study.npz, "Also write the columns as numbers to FILE, for NumPy");
    studyTableCommand->add_flag("--json", json, "As JSON");
    addStudy("plot", "Draw the study's figures into its folder", studyPlot)
        ->add_option("--format", study.file, "svg (default), png or pdf")
        ->check(CLI::IsMember({"svg", "png", "pdf"}));
    addStudy("report", "Write one self-contained HTML page", studyReport)
        ->add_option("-o,--output", study.file, "FILE.html (default: in the folder)");
    auto* studySubmitCommand =
        addStudy("submit", "Submit the runs that are missing to Slurm, as a job array", studySubmit);
    studySubmitCommand->add_option("--slurm", study.slurm, "FILE.json: partition, time, memory, cpus, modules ...");
    studySubmitCommand->add_flag("--retry", study.retry, "Also runs that failed before");
    studySubmitCommand->add_flag("--json", json, "As JSON");
    addStudy("cancel", "Take the study's jobs from Slurm's queue", studyCancel);
    auto* studyCleanCommand =
        addStudy("clean", "Remove runs that the document no longer has, after a question", studyClean);
    auto* studyDryRun = studyCleanCommand->add_flag("--dry-run", study.dryRun, "Only list what would go");
    studyCleanCommand->add_flag("--yes", study.yes, "Without asking")->excludes(studyDryRun);
    studyCleanCommand->add_flag("--json", json, "As JSON");
    auto* studyWorkCommand = studyCommand->add_subcommand("work", "Do one prepared run: what executors start");
    studyWorkCommand->add_option("folder", study.study, "A study folder")->required();
    studyWorkCommand->add_option("run", study.id, "ID of the run")->required();
    studyWorkCommand->add_option("--threads", study.threads, "Threads")->check(CLI::Range(1, 1024));
    studyWorkCommand->add_option("--parent", study.parent, "Process with whose end this one ends too");
    studyWorkCommand->callback([&] { command = [&] { return studyWork(plugins, study); }; });

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? 0 : 2;
    }
    try {
        for (const auto& folder : PluginHost::defaultFolders()) plugins.loadFolder(folder);
        return command();
    } catch (const NumericError& error) {
        fmt::print(stderr, "{}\n", error.what());
        return 1;
    } catch (const Error& error) {
        return badInput(error);
    } catch (const std::bad_alloc&) {
        fmt::print(stderr, "raphe: not enough memory; use fewer trials, a smaller chunk or a smaller network\n");
        return 1;
    } catch (const std::exception& error) {
        fmt::print(stderr, "raphe: {}\n", error.what());
        return 1;
    }
}
