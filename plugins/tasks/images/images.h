// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "image_sets.h"
#include "order.h"
#include "transforms.h"

#include "raphe/plugin.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

namespace raphe {

struct ImagesParams {
    std::string source = "strokes", split = "train";
    int trainImages = 10000, validationImages = 1000, testImages = 2000;
    int pool = 1;
    std::string context = "none";
    std::vector<double> support, at;
    double noise = 1, shift = 6;
    std::string sequence = "none", heads = "shared";
    int tasks = 5, task = -1;
    std::vector<double> taskIterations{80};

    bool turns() const { return context == "rotation" || context == "rotation_shift"; }
    int contextUnits() const { return context == "none" ? noPort : context == "rotation_shift" ? 2 : 1; }
    int labels() const { return sequence == "split" && heads == "shared" ? 10 / tasks : 10; }
    int pixels() const { return 28 / pool * (28 / pool); }
};

inline constexpr const char* imagesManual =
    R"(Images of digits, one in each trial of one step, that a context turns, shifts or makes noisy.

| port | what it holds |
| --- | --- |
| `image` | the image as it is seen, row by row, 0 the background and 1 ink |
| `clean` | the same without noise |
| `label` | 1 at the class, else 0 |
| `classes` | 1 at the classes that occur in the present task, else 0 |
| `context` | the context s of the trial |
| `task` | 1 at the present task of a sequence, else 0 |

**Source.** `source` strokes draws digits with a pen, each in its own hand; it needs no files. mnist is the set of Y. LeCun, C. Cortes and
C. Burges, read from the folder `mnist` below the one that the environment variable RAPHE_DATA_DIR names (IDX files, compressed or not).
`split` chooses the part: train is the first `train_images` of the training file, validation the `validation_images` after them, test the first
`test_images` of the test file. A split is named where trials are evaluated: `raphe evaluate RUN --set task.split=test`, in a study
`"set": {"task.split": "test"}`, in Lua `session:evaluate { set = { ["task.split"] = "test" } }`.

**Order.** Every epoch is a new permutation, cut into batches; the last one, if it is not full, is left out. The order follows from the seed
and the number of the iteration, so that it does not depend on threads, and a resumed training goes on in it. An evaluation of as many
trials as the split has images shows each image once.

**Context.** Uniform in 0 to 1 or, with `support`, in parts of it (pairs of ends: [0, 0.75], or [0, 0.2, 0.5, 0.9]). With `at` only the
contexts of that list occur: the first n trials of a batch have the first one, where n is the number of images, the next n the second. So an
evaluation of n times as many trials as contexts shows each image once in each.

| `context` | what it does |
| --- | --- |
| none | nothing; there is no port |
| rotation | turns the image by 2 pi s about its centre, bilinearly, with background outside |
| noise | adds normal noise of the deviation `noise` s to every pixel; values are not cut off |
| rotation_shift | s has two numbers: turned by 2 pi s_1, then moved cyclically by round(`shift` sin 2 pi s_2) columns |

`pool` 2 takes means of 2 x 2 pixels, before the noise.

**Sequences** of K = `tasks` tasks, one after the other. `sequence` split: task k shows the digits from 10 k / K on, 10 / K of them; with
`heads` shared the label is the place among them, with multi the digit. permuted: all digits; in every task but the first the pixels
are in an order of their own. A task lasts `task_iterations` (one number for all, or one for each); the last one goes on. `task` fixes the task
instead, for evaluations.)";

struct ImagesTrial {
    int image = 0, task = 0;
    double context[2] = {0, 0};
};

/// Images under a context, for supervised learning.
template <class T>
class Images final : public TaskOf<T, ImagesTrial> {
public:
    using Trial = ImagesTrial;
    using Base = TaskOf<T, ImagesTrial>;

    static auto declare() {
        using P = ImagesParams;
        const auto size = [](const char* text, auto of) { return Size<P>(text, of); };
        return Declaration<P>{"images", "1.0.0", "Images of digits, turned, shifted or noisy by a context"}
            .citation("Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998), Gradient-based learning applied to document "
                      "recognition, Proc. IEEE 86(11), doi:10.1109/5.726791; contexts as in A. S. Benjamin et al. "
                      "(2025), arXiv:2505.22994")
            .manual(imagesManual)
            .param("source", &P::source,
                   {.help = "Where images come from", .choices = {"strokes", "mnist"}, .group = "images"})
            .param("split", &P::split,
                   {.help = "Part of the images", .choices = {"train", "validation", "test"}, .group = "images"})
            .param("train_images", &P::trainImages,
                   {.help = "Images to train on", .min = 1, .max = 100000, .group = "images"})
            .param("validation_images", &P::validationImages,
                   {.help = "Images after those to train on", .min = 0, .max = 100000, .group = "images"})
            .param("test_images", &P::testImages,
                   {.help = "Images to test on", .min = 1, .max = 100000, .group = "images"})
            .param("pool", &P::pool,
                   {.unit = "pixels",
                    .help = "Side of the squares whose mean is a pixel",
                    .min = 1,
                    .max = 28,
                    .group = "images"})
            .param("context", &P::context,
                   {.help = "What the context does to the image",
                    .choices = {"none", "rotation", "noise", "rotation_shift"},
                    .group = "context"})
            .param("support", &P::support,
                   {.help = "Contexts that occur, as pairs of ends; empty: 0 to 1", .group = "context"})
            .param("at", &P::at, {.help = "The contexts that occur; empty: all of the support", .group = "context"})
            .param("noise", &P::noise,
                   {.help = "Deviation of the noise where the context is 1", .min = 0, .group = "context"})
            .param("shift", &P::shift,
                   {.unit = "pixels",
                    .help = "Largest shift of rotation_shift",
                    .min = 0,
                    .max = 1000,
                    .group = "context"})
            .param(
                "sequence", &P::sequence,
                {.help = "Tasks that follow each other", .choices = {"none", "split", "permuted"}, .group = "sequence"})
            .param("heads", &P::heads,
                   {.help = "Whether the tasks of split share their labels",
                    .choices = {"shared", "multi"},
                    .group = "sequence"})
            .param("tasks", &P::tasks, {.help = "Tasks of a sequence", .min = 1, .max = 1000, .group = "sequence"})
            .param("task", &P::task,
                   {.help = "The one task that is shown; -1: each in its time",
                    .min = -1,
                    .max = 999,
                    .group = "sequence"})
            .param("task_iterations", &P::taskIterations,
                   {.unit = "iterations",
                    .help = "Iterations of each task: one number for all, or one for each",
                    .min = 1,
                    .max = 1e9,
                    .group = "sequence"})
            .output("image", size("pixels", [](const P& p) { return p.pixels(); }), {.help = "The image as it is seen"})
            .output("clean", size("pixels", [](const P& p) { return p.pixels(); }), {.help = "The image without noise"})
            .output("label", size("classes", [](const P& p) { return p.labels(); }), {.help = "1 at the class, else 0"})
            .output("classes", size("classes", [](const P& p) { return p.labels(); }),
                    {.help = "1 at the classes that occur in the present task"})
            .output("context", size("1 or 2", [](const P& p) { return p.contextUnits(); }), {.help = "Context"})
            .output("task", size("tasks", [](const P& p) { return p.sequence == "none" ? noPort : p.tasks; }),
                    {.help = "1 at the present task of a sequence, else 0"})
            .check([](const P& p) { return problemOf(p); });
    }

    Images(const ImagesParams& params, Builder& b)
        : p_(params), image_(b.output("image")), clean_(b.output("clean")), label_(b.output("label")),
          classes_(b.output("classes")), context_(b.output("context")), task_(b.output("task")) {
        const bool test = p_.split == "test";
        const int first = p_.split == "validation" ? p_.trainImages : 0;
        const int count = test ? p_.testImages : p_.split == "validation" ? p_.validationImages : p_.trainImages;
        images_ = imageSet(p_.source, test, first + count);
        if (images_->count < first + count)
            throw Error("params." + p_.split + "_images", "the file holds " + std::to_string(images_->count) +
                                                              " images, of which " + std::to_string(first + count) +
                                                              " are asked for");
        const int tasks = p_.sequence == "none" ? 1 : p_.tasks;
        chosen_.resize(static_cast<std::size_t>(tasks));
        for (int t = 0; t < tasks; ++t) {
            auto& list = chosen_[static_cast<std::size_t>(t)];
            for (int i = first; i < first + count; ++i)
                if (p_.sequence != "split" || images_->labels[static_cast<std::size_t>(i)] / group() == t)
                    list.push_back(i);
            if (list.empty())
                throw Error("params.sequence", "task " + std::to_string(t) + " has no images in the " + p_.split +
                                                   " split; ask for more of them");
        }
        if (p_.sequence == "permuted")
            for (int t = 0; t < tasks; ++t) {
                auto& order = pixels_.emplace_back(static_cast<std::size_t>(p_.pixels()));
                std::iota(order.begin(), order.end(), 0);
                Stream random(0, addressOf("order of pixels"), 0, static_cast<std::uint32_t>(t), 0);
                if (t > 0) random.shuffle(order.begin(), static_cast<std::uint32_t>(order.size()));
            }
        for (std::size_t i = 0; i + 1 < p_.support.size(); i += 2) length_ += p_.support[i + 1] - p_.support[i];
    }

    int steps() const override { return 1; }

    void begin(Trial& trial, std::uint32_t number, Stream& random) const override {
        begin(trial, TrialPlace{0, number, number + 1, 0, 0}, random);
    }
    void begin(Trial& trial, const TrialPlace& place, Stream& random) const override {
        const auto [task, iteration] = taskAt(place.iteration);
        trial.task = task;
        const auto& list = chosen_[static_cast<std::size_t>(task)];
        const auto count = static_cast<std::uint64_t>(list.size());
        const std::uint64_t batches = count / place.batch; // of an epoch
        std::uint64_t epoch = 0, position = 0;
        if (batches > 0) {
            epoch = iteration / batches;
            position = iteration % batches * place.batch + place.trial;
        } else {
            position = iteration * std::uint64_t{place.batch} + place.trial;
            epoch = position / count;
        }
        Stream key = place.shared("order", static_cast<std::uint32_t>(epoch));
        const std::uint64_t high = key.bits(), low = key.bits();
        const Order order((high << 32 | low) + static_cast<std::uint64_t>(task), static_cast<std::uint32_t>(count));
        trial.image = list[order.at(static_cast<std::uint32_t>(position % count))];
        for (int i = 0; i < p_.contextUnits(); ++i)
            trial.context[i] = p_.at.empty()
                                   ? draw(random)
                                   : p_.at[(place.trial / count * static_cast<std::uint64_t>(p_.contextUnits()) +
                                            static_cast<std::uint64_t>(i)) %
                                           p_.at.size()];
    }

    void observe(Trial& trial, TaskStep<T>& s) const override {
        const int label = images_->labels[static_cast<std::size_t>(trial.image)], offset = group() * trial.task;
        const bool split = p_.sequence == "split", shared = split && p_.heads == "shared";
        s.output(label_)[shared ? label - offset : label] = T(1);
        for (int i = 0; i < p_.labels(); ++i)
            s.output(classes_)[i] = !split || shared || i / group() == trial.task ? T(1) : T(0);
        for (int i = 0; i < p_.contextUnits(); ++i) s.output(context_)[i] = static_cast<T>(trial.context[i]);
        if (p_.sequence != "none") s.output(task_)[trial.task] = T(1);

        constexpr double fullTurn = 6.283185307179586476925286766559;
        const int rows = images_->rows, columns = images_->columns, pixels = p_.pixels();
        const auto* bytes = images_->image(trial.image);
        T whole[28 * 28];
        if (p_.turns())
            turn(bytes, rows, columns, fullTurn * trial.context[0], T(1) / T(255), whole);
        else
            toFractions(bytes, rows * columns, whole);
        if (p_.context == "rotation_shift")
            shiftColumns(whole, rows, columns,
                         static_cast<int>(std::lround(p_.shift * std::sin(fullTurn * trial.context[1]))));
        if (p_.pool > 1) pool(whole, rows, columns, p_.pool);
        T *clean = s.output(clean_), *seen = s.output(image_);
        if (pixels_.empty())
            std::copy_n(whole, pixels, clean);
        else
            for (int i = 0; i < pixels; ++i)
                clean[i] = whole[pixels_[static_cast<std::size_t>(trial.task)][static_cast<std::size_t>(i)]];
        std::copy_n(clean, pixels, seen);
        if (p_.context != "noise") return;
        Stream random = s.random();
        const double deviation = p_.noise * trial.context[0];
        for (int i = 0; i < pixels; ++i) seen[i] += static_cast<T>(deviation * random.normal());
    }

private:
    static std::string problemOf(const ImagesParams& p) {
        if (28 % p.pool != 0) return "pool: expected a divisor of 28, got " + std::to_string(p.pool);
        if (p.support.size() % 2 != 0)
            return "support: expected pairs of ends, got " + std::to_string(p.support.size()) + " numbers";
        for (std::size_t i = 0; i + 1 < p.support.size(); i += 2)
            if (!(p.support[i] < p.support[i + 1]) || !std::isfinite(p.support[i + 1] - p.support[i]))
                return "support: expected pairs of ends, the smaller one first";
        const int units = p.contextUnits();
        if (!p.at.empty() && units == 0) return "at: there is no context; choose what it does";
        if (units == 2 && p.at.size() % 2 != 0)
            return "at: expected pairs of numbers, got " + std::to_string(p.at.size());
        for (const double x : p.at)
            if (!std::isfinite(x)) return "at: expected finite numbers";
        if (p.split == "validation" && p.validationImages == 0)
            return "split: there are no images for validation; set validation_images";
        if (p.sequence == "none") return {};
        if (p.sequence == "split" && (p.tasks > 5 || 10 % p.tasks != 0))
            return "tasks: expected 1, 2 or 5 tasks, which share the ten digits, got " + std::to_string(p.tasks);
        if (p.task >= p.tasks)
            return "task: expected -1 to " + std::to_string(p.tasks - 1) + ", got " + std::to_string(p.task);
        if (p.taskIterations.size() != 1 && static_cast<int>(p.taskIterations.size()) != p.tasks)
            return "task_iterations: expected one number, or one for each of the " + std::to_string(p.tasks) +
                   " tasks, got " + std::to_string(p.taskIterations.size());
        for (const double x : p.taskIterations)
            if (x != std::floor(x)) return "task_iterations: expected whole numbers, got " + std::to_string(x);
        return {};
    }

    /// Digits of a task of split.
    int group() const { return 10 / std::min(p_.tasks, 10); }

    struct Stage {
        int task;
        std::uint64_t iteration; ///< since it began
    };
    Stage taskAt(std::uint32_t iteration) const {
        if (p_.sequence == "none") return {0, iteration};
        if (p_.task >= 0) return {p_.task, iteration};
        std::uint64_t left = iteration;
        for (int t = 0;; ++t) {
            const auto& all = p_.taskIterations;
            const auto lasts = static_cast<std::uint64_t>(all[all.size() == 1 ? 0 : static_cast<std::size_t>(t)]);
            if (t + 1 == p_.tasks || left < lasts) return {t, left};
            left -= lasts;
        }
    }

    double draw(Stream& random) const {
        if (p_.support.empty()) return random.uniform();
        double place = length_ * random.uniform();
        for (std::size_t i = 0;; i += 2) {
            const double extent = p_.support[i + 1] - p_.support[i];
            if (place < extent || i + 2 >= p_.support.size()) return p_.support[i] + std::min(place, extent);
            place -= extent;
        }
    }

    ImagesParams p_;
    std::shared_ptr<const ImageSet> images_;
    std::vector<std::vector<int>> chosen_; ///< images by task
    std::vector<std::vector<int>> pixels_; ///< by task: where each pixel is taken from; empty: they stay
    double length_ = 0;                    ///< of the support
    Output image_, clean_, label_, classes_, context_, task_;
};

} // namespace raphe
