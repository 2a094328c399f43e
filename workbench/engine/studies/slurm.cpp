// SPDX-License-Identifier: Apache-2.0
#include "engine/studies/slurm.h"

#include "engine/base/files.h"
#include "engine/base/process.h"
#include "engine/document/fields.h"
#include "engine/studies/local_executor.h"
#include "engine/studies/study_results.h"

#include <fmt/format.h>

#include <set>
#include <sstream>

namespace raphe {

namespace fs = std::filesystem;
using namespace fields;

namespace {

/// What a program of Slurm prints. @throws Error with what it says
std::string slurm(const std::vector<std::string>& words) {
    ProcessResult result;
    try {
        result = runProcess(words);
    } catch (const Error& error) {
        throw Error(words[0],
                    fmt::format("is not here ({}); submit from a machine of the cluster, or use raphe study run",
                                error.what()));
    }
    if (result.exitCode == 0) return result.output;
    auto said = result.messages.empty() ? result.output : result.messages;
    while (!said.empty() && said.back() == '\n') said.pop_back();
    throw Error(words[0], said.empty() ? fmt::format("ended with exit code {}", result.exitCode) : said);
}

/// A word of a shell script.
std::string shellQuoted(const std::string& text) {
    std::string result = "'";
    for (char c : text) result += c == '\'' ? "'\\''" : std::string(1, c);
    return result + "'";
}

/// One line of an option that the script hands to Slurm.
void requireOneLine(const std::string& text, const std::string& place) {
    if (text.find_first_of("\n\r") != std::string::npos) throw Error(place, "expected one line");
}

auto textsInto(std::vector<std::string>& target, Problems& problems) {
    return listInto(target, problems, [](const Json& value, const std::string& place, std::string& text) {
        textInto(text)(value, place);
        requireOneLine(text, place);
    });
}

fs::path jobsFolder(const StudyFolder& folder) { return folder.path() / "slurm"; }

/// Numbers of the jobs that were submitted for a folder, and the runs of each, in the order of the array.
std::map<std::string, std::vector<std::string>> jobsOf(const StudyFolder& folder) {
    std::map<std::string, std::vector<std::string>> jobs;
    std::error_code none;
    for (fs::directory_iterator item(jobsFolder(folder), none), end; !none && item != end; item.increment(none)) {
        if (item->path().extension() != ".runs") continue;
        std::istringstream lines(readBytes(item->path(), std::size_t{64} << 20));
        auto& ids = jobs[item->path().stem()];
        for (std::string line; std::getline(lines, line);) ids.push_back(line);
    }
    return jobs;
}

std::string scriptOf(const Study& study, const fs::path& folder, const SlurmSettings& s, std::size_t runs,
                     const fs::path& program) {
    std::string text = fmt::format("#!/bin/bash\n#SBATCH --job-name=raphe-{}\n#SBATCH --array=0-{}{}\n", study.name,
                                   runs - 1, s.atOnce > 0 ? fmt::format("%{}", s.atOnce) : "");
    text += fmt::format("#SBATCH --requeue\n#SBATCH --open-mode=append\n#SBATCH --signal=B:USR1@{}\n#SBATCH "
                        "--nodes=1\n#SBATCH --ntasks=1\n#SBATCH --cpus-per-task={}\n",
                        s.warning, s.cpus);
    text += fmt::format("#SBATCH --output={}\n", (folder / "slurm" / "%A_%a.log").string());
    for (const auto& [option, value] :
         {std::pair{"partition", s.partition}, {"time", s.time}, {"mem", s.memory}, {"account", s.account}})
        if (!value.empty()) text += fmt::format("#SBATCH --{}={}\n", option, value);
    for (const auto& option : s.options) text += "#SBATCH " + option + "\n";
    for (const auto& module : s.modules) text += "module load " + shellQuoted(module) + "\n";
    text += fmt::format(R"sh(
folder={0}
run="$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" "$folder/slurm/$SLURM_ARRAY_JOB_ID.runs")"
{1} study work "$folder" "$run" --threads "${{SLURM_CPUS_PER_TASK:-1}}" >/dev/null &
worker=$!
# Told to end: the worker writes a checkpoint, and the job goes back into the queue.
again=0
trap 'again=1; kill -INT $worker 2>/dev/null' USR1
trap 'kill -INT $worker 2>/dev/null' TERM INT
wait $worker
code=$?
while kill -0 $worker 2>/dev/null; do
    wait $worker
    code=$?
done
if ((again)) && ((code != 0)); then
    scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID"
    exit 0
fi
if ((code == 75)); then exit 0; fi # another executor is at it
exit $code
)sh",
                        shellQuoted(folder.string()), shellQuoted(program.string()));
    return text;
}

} // namespace

SlurmSettings slurmSettings(const fs::path& file) {
    SlurmSettings settings;
    Problems problems;
    const auto document = readJson(file);
    const auto line = [](std::string& target) {
        return [&target](const Json& value, const std::string& place) {
            textInto(target)(value, place);
            requireOneLine(target, place);
        };
    };
    readFields(document, "",
               {{"partition", line(settings.partition)},
                {"time", line(settings.time)},
                {"memory", line(settings.memory)},
                {"account", line(settings.account)},
                {"cpus", integerInto(settings.cpus, 1, 1024)},
                {"at_once", integerInto(settings.atOnce, 0, 1'000'000)},
                {"warning", integerInto(settings.warning, 1, 65'535)},
                {"modules", textsInto(settings.modules, problems)},
                {"options", textsInto(settings.options, problems)}},
               problems);
    if (!problems.empty()) {
        Problems placed;
        for (const auto& text : problems.lines()) placed.add(file.string(), text);
        placed.throwIfAny();
    }
    return settings;
}

Submission submit(const Study& study, const std::vector<StudyRun>& plan, const StudyFolder& folder,
                  const SlurmSettings& settings, bool retry, const fs::path& program) {
    Submission result;
    const auto queue = queueOf(folder);
    std::vector<const StudyRun*> chosen;
    std::set<std::string> seen;
    for (const auto& [run, status] : rowsOf(study, plan, folder)) {
        if (!seen.insert(run->id).second) continue;
        if (status.state == StudyRunState::done)
            ++result.done;
        else if (queue.contains(run->id) || status.state == StudyRunState::running)
            ++result.queued;
        else if (status.state == StudyRunState::failed && !retry)
            ++result.failed;
        else
            chosen.push_back(run);
    }
    result.runs = chosen.size();
    if (chosen.empty()) return result;
    folder.prepare(study);
    for (const auto* run : chosen) folder.prepare(study, *run);
    const auto path = fs::absolute(folder.path()).lexically_normal();
    std::error_code error;
    fs::create_directories(path / "slurm", error);
    std::string ids;
    for (const auto* run : chosen) {
        folder.forgetFailure(run->id);
        ids += run->id + "\n";
    }
    const auto self = program.empty() ? workerProgram() : program;
    const auto script = path / "slurm" / "submit.sh";
    writeAtomically(script, scriptOf(study, path, settings, chosen.size(), self));
    // Held until its list of runs is there under the number that Slurm gives it.
    auto job = slurm({"sbatch", "--parsable", "--hold", script.string()});
    job = job.substr(0, job.find_first_of(";\n"));
    writeAtomically(path / "slurm" / (job + ".runs"), ids);
    slurm({"scontrol", "release", job});
    result.job = job;
    return result;
}

std::map<std::string, std::string> queueOf(const StudyFolder& folder) {
    std::map<std::string, std::string> result;
    const auto jobs = jobsOf(folder);
    if (jobs.empty()) return result;
    // All jobs of the user: squeue fails for a number that it has forgotten.
    std::istringstream lines(slurm({"squeue", "--noheader", "--array", "--me", "--format=%F %K %T"}));
    std::string job, index, state;
    while (lines >> job >> index >> state) {
        const auto found = jobs.find(job);
        if (found == jobs.end() || index.find_first_not_of("0123456789") != std::string::npos) continue;
        const auto i = std::stoul(index);
        if (i < found->second.size()) result[found->second[i]] = state;
    }
    return result;
}

std::size_t cancelJobs(const StudyFolder& folder) {
    const auto queue = queueOf(folder);
    std::size_t count = 0;
    for (const auto& [job, ids] : jobsOf(folder)) {
        bool there = false;
        for (const auto& id : ids) there = there || queue.contains(id);
        if (!there) continue;
        runProcess(
            {"scancel", "--full", "--state=RUNNING", "--signal=INT", job}); // a checkpoint first, where one is running
        slurm({"scancel", job});
        ++count;
    }
    return count;
}

} // namespace raphe
