// SPDX-License-Identifier: Apache-2.0
#include "cli/opened_study.h"

namespace raphe::cli {

namespace fs = std::filesystem;

Opened opened(const PluginHost& plugins, const StudyArguments& a, PlanChecks checks) {
    std::error_code none;
    const bool isFolder = fs::is_directory(a.study, none);
    if (isFolder && !fs::exists(fs::path(a.study) / "study.json", none))
        throw Error(a.study, "holds no study (there is no study.json); name a study document, or a folder that raphe "
                             "study run has made");
    StudyOverrides overrides;
    if (a.seeds > 0) overrides.seeds = a.seeds;
    if (a.iterations > 0) overrides.iterations = a.iterations;
    for (const auto& assignment : a.assignments) {
        const auto sign = assignment.find('=');
        if (sign == std::string::npos || sign == 0)
            throw Error("--set", "expected node.param=value, got \"" + assignment + "\"");
        auto value = Json::parse(assignment.substr(sign + 1), nullptr, false);
        if (value.is_discarded()) value = assignment.substr(sign + 1);
        overrides.set.emplace_back(assignment.substr(0, sign), std::move(value));
    }
    auto study = loadStudy(isFolder ? (fs::path(a.study) / "study.json").string() : a.study, overrides);
    auto plan = planOf(study, plugins.registry(), checks);
    const fs::path folder = !a.out.empty() ? fs::path(a.out)
                            : isFolder     ? fs::path(a.study)
                                           : fs::path("studies") / study.name;
    requireFolderOf(study, StudyFolder(folder));
    return {std::move(study), std::move(plan), StudyFolder(folder)};
}
} // namespace raphe::cli
