// SPDX-License-Identifier: Apache-2.0
#include "engine/editing/located_problems.h"

#include <charconv>

namespace raphe {

namespace {

/// "wires[3]" -> 3; -1 if the place is no item of this list.
int numberIn(const std::string& place, std::string_view list) {
    if (!place.starts_with(list) || place.size() <= list.size() || place[list.size()] != '[') return -1;
    int number = -1;
    std::from_chars(place.data() + list.size() + 1, place.data() + place.size(), number);
    return number;
}

/// The part of a line that says where: up to the first ": ", but never inside of "(a.x -> b.y)" or a file's name.
std::pair<std::string, std::string> divided(const std::string& line) {
    const auto colon = line.find(": ");
    if (colon == std::string::npos) return {{}, line};
    return {line.substr(0, colon), line.substr(colon + 2)};
}

LocatedProblem locate(const std::string& line, const std::string& port, const Experiment& experiment) {
    LocatedProblem problem;
    std::tie(problem.place, problem.sentence) = divided(line);
    const auto& place = problem.place;
    problem.field = place.substr(0, place.find_first_of(".[ "));
    problem.wire = numberIn(place, "wires");
    problem.recording = numberIn(place, "record");
    problem.intervention = numberIn(place, "interventions");
    problem.frozen = numberIn(place, "frozen");
    problem.stage = numberIn(place, "stages");
    const auto aim = [&](const Address& address) {
        problem.node = address.node;
        problem.port = address.port;
    };
    const auto within = [](int number, const auto& list) {
        return number >= 0 && number < static_cast<int>(list.size());
    };
    if (within(problem.wire, experiment.wires))
        aim(experiment.wires[static_cast<std::size_t>(problem.wire)].to);
    else if (within(problem.recording, experiment.recordings))
        aim(experiment.recordings[static_cast<std::size_t>(problem.recording)].port);
    else if (within(problem.intervention, experiment.interventions))
        aim(experiment.interventions[static_cast<std::size_t>(problem.intervention)].target);
    if (place.starts_with("nodes.")) {
        const auto end = std::min(place.find_first_of(".[ ", 6), place.size());
        problem.node = place.substr(6, end - 6);
        problem.port = port;
        constexpr std::string_view params = ".params.";
        if (place.compare(end, params.size(), params) == 0) {
            const auto key = end + params.size();
            problem.parameter = place.substr(key, place.find_first_of(".[ ", key) - key);
        }
    }
    return problem;
}

} // namespace

std::vector<LocatedProblem> located(const Problems& problems, const Experiment& experiment) {
    std::vector<LocatedProblem> result;
    for (const auto& line : problems.lines()) result.push_back(locate(line, problems.port(line), experiment));
    return result;
}

} // namespace raphe
