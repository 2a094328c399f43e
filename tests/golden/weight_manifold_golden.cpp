// SPDX-License-Identifier: Apache-2.0
#include "weight_manifold_golden.h"

#include "engine/analysis/continual.h"
#include "engine/learning/optimiser.h"
#include "engine/learning/session.h"
#include "models/manifold_basis/topology.h"
#include "support/golden_json.h"
#include "tasks/images/image_sets.h"
#include "tasks/images/transforms.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <numeric>

namespace raphe::test {
namespace {

/// All numbers of nested lists, first index slowest.
std::vector<double> flat(const Json& json) {
    std::vector<double> result;
    if (json.is_array())
        for (const auto& item : json) {
            const auto part = flat(item);
            result.insert(result.end(), part.begin(), part.end());
        }
    else
        result.push_back(json.get<double>());
    return result;
}

std::int64_t length(const Json& json) { return static_cast<std::int64_t>(json.size()); }

class Comparer {
public:
    explicit Comparer(double tolerance) : tolerance_(tolerance) {}
    void operator()(const std::vector<double>& ours, const Json& theirs, const std::string& what) const {
        const auto expected = flat(theirs);
        ASSERT_EQ(ours.size(), expected.size()) << what;
        for (std::size_t i = 0; i < ours.size(); ++i)
            EXPECT_LE(std::abs(ours[i] - expected[i]), tolerance_ * (1 + std::abs(expected[i])))
                << what << ", number " << i;
    }

private:
    double tolerance_;
};

Json basisParams(const Json& entry) {
    Json params = {{"topology", entry.at("topology")}};
    params.update(entry.at("params"));
    return params;
}

Topology shapeOf(const Json& entry) {
    const auto& params = entry.at("params");
    return Topology(entry.at("topology").get<std::string>(), params.value("harmonics", params.value("points", 1)));
}

std::unique_ptr<Session> sessionOf(const Json& document, const Registry& registry) {
    return Session::create(experimentFromJson(document, registry), registry, {1, "tbb", 0});
}

void set(Session& session, const std::string& name, std::vector<double> values) {
    for (const auto& p : session.parameters())
        if (p.name == name) return session.set(name, {{p.rows, p.columns}, std::move(values), Precision::float64});
    FAIL() << "no tensor " << name;
}

// -- the manifold -----------------------------------------------------------------------------------------------------

/// A case of the file as an experiment: a probe, the basis, one layer after the other, the rule.
class Case {
public:
    Case(const Json& entry, const Registry& registry, const std::string& gradient = "natural")
        : entry_(entry), sizes_(entry.at("sizes").get<std::vector<int>>()),
          entropy_(entry.at("loss_type") == "cross_entropy") {
        const auto contexts = length(entry.at("s")[0]);
        Json document = {{"raphe", 1}, {"precision", "float64"}, {"trials", length(entry.at("x"))}};
        Json nodes = Json::object(), wires = Json::array();
        nodes["task"] = {{"mechanism", "task.probe"},
                         {"params", {{"inputs", sizes_.front()}, {"context", contexts}, {"targets", sizes_.back()}}}};
        nodes["basis"] = {{"mechanism", "model.manifold_basis"}, {"params", basisParams(entry)}};
        wires.push_back("task.context -> basis.s");
        std::string from = "task.observation";
        for (std::size_t l = 0; l + 1 < sizes_.size(); ++l) {
            const auto name = nameOf(l);
            const bool last = l + 2 == sizes_.size(), modulated = entry.at("modulated_layers")[l];
            Json params = {{"units", sizes_[l + 1]}, {"activation", last ? Json("identity") : entry.at("activation")}};
            if (modulated) {
                params["gradient"] = gradient;
                wires.push_back("basis.phi -> " + name + ".point");
            }
            nodes[name] = {{"mechanism", modulated ? "model.manifold_dense" : "model.dense"}, {"params", params}};
            wires.push_back(from + " -> " + name + ".input");
            from = name + ".output";
        }
        nodes["learner"] = {{"mechanism", "rule.supervised"},
                            {"params",
                             {{"loss", entropy_ ? "cross_entropy" : "half_squared"},
                              {"optimiser", "sgd"},
                              {"learning_rate", entry.at("lr")},
                              {"momentum", entry.at("momentum")}}}};
        wires.push_back(from + " -> learner.prediction");
        wires.push_back("task.target -> learner.target");
        document["nodes"] = std::move(nodes);
        document["wires"] = std::move(wires);
        session_ = sessionOf(document, registry);
        output_ = from;
    }

    Session& session() { return *session_; }
    std::size_t layers() const { return sizes_.size() - 1; }
    std::string output(std::size_t l) const { return nameOf(l) + ".output"; }
    void setLayers(const Json& layers) {
        for (std::size_t l = 0; l < layers.size(); ++l) {
            set(*session_, nameOf(l) + ".weight", flat(layers[l].at("W")));
            set(*session_, nameOf(l) + ".bias", flat(layers[l].at("b")));
        }
    }
    void expectLayers(const Json& layers, const Comparer& compare, const std::string& what) {
        for (std::size_t l = 0; l < layers.size(); ++l) {
            compare(session_->get(nameOf(l) + ".weight").values, layers[l].at("W"), what + ", W");
            compare(session_->get(nameOf(l) + ".bias").values, layers[l].at("b"), what + ", b");
        }
    }
    /// Signals of the file, as training sees them.
    std::vector<NamedTensor> inputs(bool withTarget) const {
        const auto trials = length(entry_.at("x"));
        std::vector<NamedTensor> result{
            {"task.observation", {{1, trials, sizes_.front()}, flat(entry_.at("x")), Precision::float64}},
            {"task.context", {{1, trials, length(entry_.at("s")[0])}, flat(entry_.at("s")), Precision::float64}}};
        if (withTarget) result.push_back({"task.target", {{1, trials, sizes_.back()}, targets(), Precision::float64}});
        return result;
    }
    std::vector<double> targets() const {
        if (!entropy_) return flat(entry_.at("targets"));
        std::vector<double> result(entry_.at("targets").size() * static_cast<std::size_t>(sizes_.back()));
        for (std::size_t b = 0; b < entry_["targets"].size(); ++b)
            result[b * static_cast<std::size_t>(sizes_.back()) + entry_["targets"][b].get<std::size_t>()] = 1;
        return result;
    }
    /// d loss / d logits of the file, by which a gradient request asks for its gradient.
    NamedTensor outputWeights() const {
        const auto logits = flat(entry_.at("logits")), wanted = targets();
        const auto trials = entry_.at("x").size(), units = static_cast<std::size_t>(sizes_.back());
        std::vector<double> result(logits.size());
        for (std::size_t b = 0; b < trials; ++b) {
            double sum = 0;
            for (std::size_t i = 0; i < units; ++i) sum += std::exp(logits[b * units + i]);
            for (std::size_t i = b * units; i < (b + 1) * units; ++i)
                result[i] = ((entropy_ ? std::exp(logits[i]) / sum : logits[i]) - wanted[i]) / double(trials);
        }
        return {output_, {{1, std::int64_t(trials), sizes_.back()}, result, Precision::float64}};
    }
    static std::string nameOf(std::size_t l) { return "layer" + std::to_string(l); }

private:
    const Json& entry_;
    std::vector<int> sizes_;
    bool entropy_;
    std::unique_ptr<Session> session_;
    std::string output_;
};

const Tensor& find(const std::vector<NamedTensor>& list, const std::string& name) {
    for (const auto& item : list)
        if (item.name == name) return item.tensor;
    throw Error(name, "is not among the results");
}

void checkCase(const Json& entry, const Registry& registry, const Comparer& compare) {
    const auto name = entry.at("name").get<std::string>();
    Case c(entry, registry);
    c.setLayers(entry.at("layers"));
    auto& session = c.session();
    ForwardRequest forward{c.inputs(false), {}, {"basis.phi"}};
    for (std::size_t l = 0; l < c.layers(); ++l) forward.record.push_back(c.output(l));
    const auto result = session.forward(forward);
    compare(find(result.signals, "basis.phi").values, entry.at("phi"), name + " phi");
    for (std::size_t l = 0; l + 1 < c.layers(); ++l)
        compare(find(result.signals, c.output(l)).values, entry.at("hidden")[l], name + " hidden");
    compare(find(result.signals, c.output(c.layers() - 1)).values, entry.at("logits"), name + " logits");
    compare({session.lossOn(c.inputs(true))}, entry.at("loss"), name + " loss");

    const auto gradient = session.gradient({forward, {c.outputWeights()}, {}});
    for (std::size_t l = 0; l < c.layers(); ++l) {
        compare(find(gradient.parameters, Case::nameOf(l) + ".weight").values, entry.at("grad")[l].at("W"),
                name + " grad W");
        compare(find(gradient.parameters, Case::nameOf(l) + ".bias").values, entry.at("grad")[l].at("b"),
                name + " grad b");
    }

    // One step of plain sgd leaves the preconditioned gradient; the file's three steps have momentum.
    const double rate = entry.at("lr");
    std::vector<std::vector<double>> before;
    for (const auto& p : session.parameters()) before.push_back(session.get(p.name).values);
    double movement = 0;
    const auto& steps = entry.at("steps");
    for (std::size_t i = 0; i < steps.size(); ++i) {
        compare({session.iterateOn(c.inputs(true)).metrics[0].second}, steps[i].at("loss_before"),
                name + " loss before");
        c.expectLayers(steps[i].at("layers"), compare, name + " after step " + std::to_string(i));
        if (i > 0) continue;
        for (std::size_t l = 0; l < c.layers(); ++l)
            for (const char* which : {"W", "b"}) {
                const auto tensor = Case::nameOf(l) + (*which == 'W' ? ".weight" : ".bias");
                std::size_t k = 0;
                while (session.parameters()[k].name != tensor) ++k;
                auto moved = session.get(tensor).values;
                const auto plain = find(gradient.parameters, tensor).values;
                for (std::size_t j = 0; j < moved.size(); ++j) {
                    const double change = before[k][j] - moved[j]; // = rate * preconditioned gradient
                    movement += rate * change * plain[j];
                    moved[j] = change / rate;
                }
                compare(moved, entry.at("precond_grad")[l].at(which), name + " preconditioned gradient");
            }
        compare({movement}, entry.at("movement_first_step"), name + " movement");
    }
    compare({session.lossOn(c.inputs(true))}, entry.at("loss_after"), name + " loss after");

    // M(s_0) from the points and the coordinates.
    for (std::size_t l = 0; l < c.layers(); ++l) {
        const auto& layer = entry.at("layers")[l];
        for (const char* which : {"W", "b"}) {
            const auto points = flat(layer.at(which));
            const auto K = layer.at(which).size(), count = points.size() / K;
            std::vector<double> mixed(count);
            for (std::size_t k = 0; k < K; ++k)
                for (std::size_t i = 0; i < count; ++i)
                    mixed[i] += (K == 1 ? 1 : find(result.signals, "basis.phi").values[k]) * points[k * count + i];
            compare(mixed, entry.at("effective_first_sample")[l].at(which), name + " effective weights");
        }
    }
}

void checkInvariance(const Json& entry, const Registry& registry, const Comparer& compare) {
    const auto& line = entry.at("case");
    checkCase(line, registry, compare);
    Json centred = line;
    centred["topology"] = "line_centered";
    for (auto& layer : centred["layers"])
        for (const char* which : {"W", "b"}) {
            const auto first = layer[which][0], second = layer[which][1];
            const auto combined = [&](double a, double b) {
                std::function<Json(const Json&, const Json&)> mix = [&](const Json& x, const Json& y) {
                    if (!x.is_array()) return Json(a * x.get<double>() + b * y.get<double>());
                    Json list = Json::array();
                    for (std::size_t i = 0; i < x.size(); ++i) list.push_back(mix(x[i], y[i]));
                    return list;
                };
                return mix(first, second);
            };
            layer[which] = Json::array({combined(0.5, 0.5), combined(-0.5, 0.5)});
        }
    for (const bool natural : {true, false}) {
        Case c(centred, registry, natural ? "natural" : "plain");
        c.setLayers(centred.at("layers"));
        for (std::size_t i = 0; i < line.at("steps").size(); ++i) c.session().iterateOn(c.inputs(true));
        double difference = 0;
        for (std::size_t l = 0; l < c.layers(); ++l) {
            const auto got = c.session().get(Case::nameOf(l) + ".weight").values,
                       wanted = flat(entry.at("centered_layers_after")[l].at("W"));
            for (std::size_t i = 0; i < got.size(); ++i)
                difference = std::max(difference, std::abs(got[i] - wanted[i]));
        }
        if (!natural) {
            EXPECT_GT(difference, 1e-3) << "plain gradients depend on the parametrisation";
            continue;
        }
        c.expectLayers(entry.at("centered_layers_after"), compare, "line_centered");
        for (const auto& place : entry.at("manifold_points_after"))
            for (std::size_t l = 0; l < c.layers(); ++l) {
                const auto points = c.session().get(Case::nameOf(l) + ".weight").values;
                const auto count = points.size() / 2;
                std::vector<double> mixed(count);
                for (std::size_t i = 0; i < count; ++i)
                    mixed[i] = points[i] + (2 * place.at("s").get<double>() - 1) * points[count + i];
                compare(mixed, place.at("layers")[l].at("W"), "a point of the manifold");
            }
    }
}

void checkCircle(const Json& entry, const Comparer& compare) {
    const auto p2 = flat(entry.at("P2")), p3 = flat(entry.at("P3"));
    const auto n = p2.size();
    // Two tensors that share the circle: rows are blocks of one unit.
    std::vector<ParameterInfo> tensors(2);
    auto form = std::make_shared<UpdateForm>();
    form->blocks = 3;
    AlignedArray<double> weights(64);
    for (std::size_t t = 0; t < 2; ++t) {
        tensors[t].rows = 3;
        tensors[t].cols = static_cast<int>(t == 0 ? n - 2 : 2);
        tensors[t].offset = 32 * t;
        tensors[t].circle = 0;
        tensors[t].form = form;
    }
    const auto place = [&](std::size_t i, std::size_t k) -> double& {
        return weights[i < n - 2 ? 3 * i + k : 32 + 3 * (i - (n - 2)) + k];
    };
    for (std::size_t i = 0; i < n; ++i) {
        place(i, 0) = 7;
        place(i, 1) = p2[i];
        place(i, 2) = p3[i];
    }
    keepCircles(tensors, weights.data());
    std::vector<double> q2, q3;
    double square = 0;
    for (std::size_t i = 0; i < n; ++i) {
        EXPECT_EQ(place(i, 0), 7) << "the centre stays";
        q2.push_back(place(i, 1));
        q3.push_back(place(i, 2));
        square += q2.back() * q2.back();
    }
    compare(q2, entry.at("Q2"), "first axis of the circle");
    compare(q3, entry.at("Q3"), "second axis of the circle");
    compare({std::sqrt(square)}, entry.at("radius"), "radius of the circle");
}

/// A layer that is given cos and sin beside its input is a layer in which only the bias walks.
void checkConcatenation(const Json& entry, const Registry& registry, const Comparer& compare) {
    const auto inputs = length(entry.at("x")), units = length(entry.at("b"));
    Json document = {{"raphe", 1}, {"precision", "float64"}, {"trials", 1}};
    document["nodes"] = {
        {"task", {{"mechanism", "task.probe"}, {"params", {{"inputs", inputs}}}}},
        {"basis", {{"mechanism", "model.manifold_basis"}}},
        {"told", {{"mechanism", "model.dense"}, {"params", {{"units", units}}}}},
        {"walking", {{"mechanism", "model.manifold_dense"}, {"params", {{"units", units}, {"modulated", "bias"}}}}}};
    document["wires"] = {"task.context -> basis.s", "task.observation -> told.input", "basis.features -> told.input",
                         "task.observation -> walking.input", "basis.phi -> walking.point"};
    auto session = sessionOf(document, registry);
    const auto W = flat(entry.at("W")), U = flat(entry.at("U"));
    std::vector<double> both;
    for (std::int64_t r = 0; r < units; ++r) {
        both.insert(both.end(), W.begin() + r * inputs, W.begin() + (r + 1) * inputs);
        both.insert(both.end(), U.begin() + 2 * r, U.begin() + 2 * r + 2);
    }
    set(*session, "told.weight", both);
    set(*session, "told.bias", flat(entry.at("b")));
    set(*session, "walking.weight", W);
    set(*session, "walking.bias", flat(entry.at("manifold_bias_points")));
    const ForwardRequest request{{{"task.observation", {{1, 1, inputs}, flat(entry.at("x")), Precision::float64}},
                                  {"task.context", {{1, 1, 1}, {entry.at("s").get<double>()}, Precision::float64}}},
                                 {},
                                 {"told.output", "walking.output"}};
    const auto result = session->forward(request);
    compare(find(result.signals, "told.output").values, entry.at("preactivation"), "concatenation");
    compare(find(result.signals, "walking.output").values, entry.at("preactivation"), "walking bias");
}

void checkBasis(const Json& entry, const Comparer& compare) {
    const auto shape = shapeOf(entry);
    const auto name = entry.at("topology").get<std::string>();
    const auto support = entry.value("support", std::vector<double>{});
    const auto gamma = shape.moment(support);
    compare(gamma, entry.at("gamma"), name + " gamma");
    const auto inverse = flat(entry.at("gamma_inv"));
    const auto K = static_cast<std::size_t>(shape.count());
    for (std::size_t i = 0; i < K; ++i)
        for (std::size_t j = 0; j < K; ++j) {
            double product = 0;
            for (std::size_t k = 0; k < K; ++k) product += gamma[i * K + k] * inverse[k * K + j];
            EXPECT_NEAR(product, i == j ? 1 : 0, 1e-9) << name << ": gamma times the inverse of the file";
        }
    if (!entry.contains("points")) return;
    EXPECT_EQ(shape.contextUnits(), entry.at("context_dim").get<int>()) << name;
    EXPECT_EQ(shape.count(), entry.at("K").get<int>()) << name;
    for (const auto& point : entry["points"]) {
        const auto s = flat(point.at("s"));
        std::vector<double> phi(K);
        shape.evaluate(s.data(), phi.data(), nullptr);
        compare(phi, point.at("phi"), name + " phi");
    }
}

} // namespace

void checkWeightManifold(const Json& file, const Registry& registry) {
    const Comparer compare(file.at("tolerance"));
    for (const auto& entry : file.at("basis")) checkBasis(entry, compare);
    for (const auto& entry : file.at("partial_gamma")) checkBasis(entry, compare);
    for (const auto& entry : file.at("cases")) checkCase(entry, registry, compare);
    checkInvariance(file.at("invariance"), registry, compare);
    checkCircle(file.at("circle_projection"), compare);
    checkConcatenation(file.at("concat_equivalence"), registry, compare);
    for (const auto& entry : file.at("rotation")) {
        const auto image = flat(entry.at("image"));
        const int rows = static_cast<int>(length(entry["image"])),
                  columns = static_cast<int>(length(entry["image"][0]));
        std::vector<double> turned(image.size());
        turn(image.data(), rows, columns, entry.at("theta").get<double>(), 1.0, turned.data());
        compare(turned, entry.at("out"), "rotation");
    }
}

// -- diffusing modulators ---------------------------------------------------------------------------------------------

void checkDiffusion(const Json& file, const Registry& registry) {
    const Comparer compare(file.at("tolerance"));
    const int grid = file.at("grid"), tasks = file.at("n_tasks");
    const auto& step = file.at("step");
    const int units = grid * grid, task = step.at("task");
    const auto trials = length(step.at("x")), inputs = length(step.at("x")[0]), outputs = length(step.at("b2"));
    for (const bool gain : {false, true}) {
        const auto& expected = step.at(gain ? "gain" : "no_gain");
        Json document = {{"raphe", 1}, {"precision", "float64"}, {"trials", trials}};
        document["nodes"] = {
            {"task",
             {{"mechanism", "task.probe"}, {"params", {{"inputs", inputs}, {"context", tasks}, {"targets", outputs}}}}},
            {"modulator",
             {{"mechanism", "model.diffusing_modulator"},
              {"params", {{"sources", tasks}, {"grid", grid}, {"reach", file.at("rho")}}}}},
            {"hidden",
             {{"mechanism", "model.dense"},
              {"params", {{"units", units}, {"activation", "relu"}, {"bias_placement", gain ? "inside" : "outside"}}}}},
            {"head", {{"mechanism", "model.dense"}, {"params", {{"units", outputs}}}}},
            {"learner",
             {{"mechanism", "rule.supervised"},
              {"params", {{"loss", "cross_entropy"}, {"optimiser", "sgd"}, {"learning_rate", step.at("lr")}}}}}};
        document["wires"] = {"task.context -> modulator.release",
                             "task.observation -> hidden.input",
                             "hidden.output -> head.input",
                             "modulator.concentration -> hidden.plasticity",
                             "modulator.concentration -> head.input_plasticity",
                             "head.output -> learner.prediction",
                             "task.target -> learner.target"};
        if (gain) document["wires"].push_back("modulator.concentration -> hidden.slope");
        auto session = sessionOf(document, registry);
        const std::vector<std::pair<std::string, std::string>> names{
            {"W1", "hidden.weight"}, {"b1", "hidden.bias"}, {"W2", "head.weight"}, {"b2", "head.bias"}};
        for (const auto& [theirs, ours] : names) set(*session, ours, flat(step.at(theirs)));
        std::vector<double> release, target(static_cast<std::size_t>(trials * outputs));
        for (std::int64_t b = 0; b < trials; ++b) {
            for (int k = 0; k < tasks; ++k) release.push_back(k == task ? 1 : 0);
            target[static_cast<std::size_t>(b * outputs) +
                   step.at("targets")[static_cast<std::size_t>(b)].get<std::size_t>()] = 1;
        }
        std::vector<NamedTensor> given{
            {"task.observation", {{1, trials, inputs}, flat(step.at("x")), Precision::float64}},
            {"task.context", {{1, trials, tasks}, release, Precision::float64}}};
        const ForwardRequest request{given, {}, {"head.output", "modulator.concentration"}};
        const auto forward = session->forward(request);
        compare(find(forward.signals, "head.output").values, expected.at("logits"), "logits");
        const auto& field = find(forward.signals, "modulator.concentration").values;
        compare({field.begin(), field.begin() + units}, file.at("concentration")[static_cast<std::size_t>(task)],
                "field");

        const auto logits = flat(expected.at("logits"));
        std::vector<double> slopes(logits.size());
        for (std::int64_t b = 0; b < trials; ++b) {
            double sum = 0;
            const auto first = static_cast<std::size_t>(b * outputs), last = first + static_cast<std::size_t>(outputs);
            for (auto i = first; i < last; ++i) sum += std::exp(logits[i]);
            for (auto i = first; i < last; ++i) slopes[i] = (std::exp(logits[i]) / sum - target[i]) / double(trials);
        }
        const auto gradient =
            session->gradient({request, {{"head.output", {{1, trials, outputs}, slopes, Precision::float64}}}, {}});
        for (const auto& [theirs, ours] : names)
            compare(find(gradient.parameters, ours).values, expected.at("grad_" + theirs), "gradient of " + theirs);

        given.push_back({"task.target", {{1, trials, outputs}, target, Precision::float64}});
        compare({session->iterateOn(given).metrics[0].second}, expected.at("loss"), "loss");
        for (const auto& [theirs, ours] : names)
            compare(session->get(ours).values, expected.at(theirs + "_after"), theirs + " after the step");
    }
    // All fields at once, each from its own source.
    Json document = {{"raphe", 1}, {"precision", "float64"}, {"trials", tasks}};
    document["nodes"] = {{"task", {{"mechanism", "task.probe"}, {"params", {{"inputs", tasks}}}}},
                         {"modulator",
                          {{"mechanism", "model.diffusing_modulator"},
                           {"params", {{"sources", tasks}, {"grid", grid}, {"reach", file.at("rho")}}}}}};
    document["wires"] = {"task.observation -> modulator.release"};
    std::vector<double> identity(static_cast<std::size_t>(tasks * tasks));
    for (int k = 0; k < tasks; ++k) identity[static_cast<std::size_t>(k * (tasks + 1))] = 1;
    const auto fields = sessionOf(document, registry)
                            ->forward({{{"task.observation", {{1, tasks, tasks}, identity, Precision::float64}}},
                                       {},
                                       {"modulator.concentration"}});
    compare(find(fields.signals, "modulator.concentration").values, file.at("concentration"), "fields");

    const auto& metrics = file.at("metrics");
    const auto m = statistics::continualMeasures(metrics.at("R").get<std::vector<std::vector<double>>>(),
                                                 metrics.at("chance").get<std::vector<double>>());
    compare({m.accuracy}, metrics.at("ACC"), "ACC");
    compare({m.backwardTransfer}, metrics.at("BWT"), "BWT");
    compare({m.forwardTransfer}, metrics.at("FWT"), "FWT");
    compare({m.learning}, metrics.at("learning_accuracy"), "learning accuracy");
    compare({m.forgetting}, metrics.at("forgetting"), "forgetting");
}

// -- MNIST ------------------------------------------------------------------------------------------------------------

bool checkMnist(const Json& file) {
    // The folder that is named, or the data that may lie beside the project.
    const char* named = std::getenv("RAPHE_DATA_DIR");
    const std::string folder = named && *named ? named : SHARED_DATA;
    if (!std::filesystem::exists(folder + "/mnist")) return false;
    for (const bool test : {false, true}) {
        const auto& wanted = file.at("files").at(test ? "t10k" : "train");
        const auto set = readMnist(folder + "/mnist", test);
        EXPECT_EQ(set.count, wanted.at("count").get<int>());
        EXPECT_EQ((std::vector<int>{set.count, set.rows, set.columns}), wanted.at("shape").get<std::vector<int>>());
        std::vector<int> counts(10);
        for (const auto label : set.labels) ++counts[label];
        EXPECT_EQ(counts, wanted.at("label_counts").get<std::vector<int>>());
        EXPECT_EQ(std::vector<int>(set.labels.begin(), set.labels.begin() + 20),
                  wanted.at("first_20_labels").get<std::vector<int>>());
        for (std::size_t i = 0; i < wanted.at("pixel_sum_first_10").size(); ++i)
            EXPECT_EQ(std::accumulate(set.image(int(i)), set.image(int(i) + 1), 0),
                      wanted["pixel_sum_first_10"][i].get<int>());
        double sum = 0, squares = 0;
        for (const auto pixel : set.pixels) {
            sum += pixel;
            squares += double(pixel) * pixel;
        }
        const auto n = static_cast<double>(set.pixels.size());
        EXPECT_EQ(sum, wanted.at("pixel_sum_total").get<double>());
        EXPECT_NEAR(sum / n / 255, wanted.at("mean_over_255").get<double>(), 1e-12);
        EXPECT_NEAR(std::sqrt(squares / n - sum / n * sum / n) / 255, wanted.at("std_over_255").get<double>(), 1e-9);
        EXPECT_EQ(std::count_if(set.image(0), set.image(1), [](auto pixel) { return pixel != 0; }),
                  wanted.at("nonzero_first_image").get<int>());
    }
    return true;
}

} // namespace raphe::test
