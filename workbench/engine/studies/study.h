// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace raphe {

/// What is changed in an experiment. Applied in this order.
struct StudyChange {
    std::string experiment;                        ///< a file or the name of one; empty: that of the study
    Json document = Json::object();                ///< a merge patch (RFC 7396) of its document
    std::vector<std::pair<std::string, Json>> set; ///< "agent.hidden" -> value
    std::vector<Intervention> interventions;       ///< beside those of the document
};

struct StudyVariant {
    std::string name;
    StudyChange change;
};

/// A setting that takes several values.
struct StudyAxis {
    std::string path;
    std::vector<Json> values;
};
/// Which values of the axes meet: all of them, the first with the first, or so many at random.
enum class Sampling { grid, zip, random };
const char* nameOf(Sampling sampling);

/// A number that a run gives: of its training, or of an evaluation of its final weights.
struct StudyMeasure {
    std::string name, metric;
    double over = 0.05; ///< training: mean over this part of the iterations, at the end
    bool evaluated = false;
    int trials = 0;                                ///< evaluation: 0 is one batch
    std::vector<std::pair<std::string, Json>> set; ///< evaluation: under these settings
    std::vector<Intervention> interventions;       ///< evaluation: with these, beside those of the run
    Json definition;                               ///< as written; with it the number is kept
};

enum class BarStatistic { median, mean, lowest, highest, rate };
const char* nameOf(BarStatistic statistic);

/// What the results must meet: a statistic of a measure over the seeds of a variant.
struct StudyBar {
    std::string measure, variant;
    std::string minus; ///< another variant: the differences of the same seeds are looked at
    std::string over;  ///< another variant: the statistic is divided by that of the other
    std::vector<std::pair<std::string, Json>> where; ///< only runs with these values of axes
    BarStatistic statistic = BarStatistic::median;
    std::optional<double> atLeast, atMost, above, below; ///< of the statistic
    std::optional<double> solved;                        ///< rate: the part of seeds whose value is at least this
    std::optional<double> p; ///< of the paired rank test against `minus`, below this, after Holm's correction
    std::string text;        ///< in place of the sentence that is made of the above
};

enum class FigureKind { learning_curves, measures };
const char* nameOf(FigureKind kind);
struct StudyFigure {
    std::string name, title;
    FigureKind kind = FigureKind::learning_curves;
    std::string metric; ///< or the measure
    int smoothing = 0;
};

/// Many runs as one object: a document that says which there are and what is asked of them. Plain data.
struct Study {
    std::string name, doc;
    StudyChange base;
    std::vector<StudyVariant> variants; ///< at least one
    std::vector<StudyAxis> axes;
    Sampling sampling = Sampling::grid;
    int samples = 0;
    std::uint64_t sampleSeed = 1;
    int iterations = 0;               ///< of every training, its stages in proportion; 0: as the experiments say
    std::vector<std::uint64_t> seeds; ///< the same for all variants, which so see the same trials
    int threads = 0;                  ///< of a run; 0: as the cores allow
    std::vector<StudyMeasure> measures;
    std::vector<StudyBar> bars;
    std::vector<StudyFigure> figures;
    Json document;                ///< as written
    std::filesystem::path folder; ///< where experiments that it names are looked for first
};

/// Names of the studies that come with Raphe.
std::vector<std::string> studyNames();
/// A file (`*.study.json`), or the name of a study that comes with Raphe.
std::filesystem::path findStudy(const std::string& nameOrPath);
/// What is changed in a study's document for the moment: other numbers of seeds and iterations, settings of all its
/// variants.
struct StudyOverrides {
    std::optional<int> seeds, iterations;
    std::vector<std::pair<std::string, Json>> set;
};
Json overridden(Json document, const StudyOverrides& overrides);
/// @throws Error with one line per problem, each with its place
Study studyFromJson(const Json& document, const std::filesystem::path& folder = {});
Study loadStudy(const std::string& nameOrPath, const StudyOverrides& overrides = {});

} // namespace raphe
