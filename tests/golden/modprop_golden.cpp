// SPDX-License-Identifier: Apache-2.0
#include "modprop_golden.h"

#include "engine/learning/session.h"
#include "engine/mechanisms/registry.h"
#include "support/golden_json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>

namespace raphe::test {
namespace {

/// Of the specification: rounding only.
constexpr double tolerance = 1e-9;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

/// Nested lists of numbers.
Tensor listed(const Json& json) {
    Tensor result{{}, {}, Precision::float64};
    const std::function<void(const Json&, std::size_t)> add = [&](const Json& item, std::size_t depth) {
        if (item.is_number()) return result.values.push_back(item.get<double>());
        if (result.shape.size() <= depth) result.shape.push_back(static_cast<std::int64_t>(item.size()));
        for (const auto& part : item) add(part, depth + 1);
    };
    add(json, 0);
    return result;
}
Tensor zeros(std::vector<std::int64_t> shape) {
    std::int64_t size = 1;
    for (auto n : shape) size *= n;
    return {std::move(shape), std::vector<double>(at(size)), Precision::float64};
}
const Tensor& find(const std::vector<NamedTensor>& list, const std::string& name) {
    for (const auto& item : list)
        if (item.name == name) return item.tensor;
    throw Error(name, "is not among the results");
}
void expectClose(const std::vector<double>& ours, const std::vector<double>& theirs, const std::string& what) {
    EXPECT_LE(relativeError(ours, theirs), tolerance) << what;
}

double cosine(const std::vector<double>& a, const std::vector<double>& b) {
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        ab += a[i] * b[i];
        aa += a[i] * a[i];
        bb += b[i] * b[i];
    }
    return ab / std::sqrt(aa * bb);
}

class Reference {
public:
    explicit Reference(const Json& file, const Registry& registry)
        : file_(file), registry_(registry), params_(file.at("params")), N_(params_.at("N")), T_(params_.at("T")),
          B_(params_.at("B")), outputs_(params_.at("n_out")), classes_(params_.at("loss") == "ce_last"),
          x_(stepsFirst(listed(file.at("inputs").at("x")))), target_(zeros({T_, B_, outputs_})),
          mask_(zeros({T_, B_, 1})) {
        const auto labels = listed(file["inputs"].at("labels")).values;
        const auto wanted = stepsFirst(listed(file["inputs"].at("targets")));
        for (std::int64_t t = 0; t < T_; ++t)
            for (std::int64_t b = 0; b < B_; ++b) {
                mask_.values[at(t * B_ + b)] = !classes_ || t + 1 == T_ ? 1 : 0;
                if (classes_) target_.values[at((t * B_ + b) * outputs_) + static_cast<std::size_t>(labels[at(b)])] = 1;
            }
        if (!classes_) target_ = wanted;
    }

    /// @param memory  MiB: one span, or many
    std::unique_ptr<Session> session(const std::string& credit, int steps, double memory) const {
        Json document = {{"raphe", 1}, {"precision", "float64"}, {"trials", 1}, {"memory_mib", memory}};
        const auto node = [&](const char* name, const char* mechanism, Json params) {
            document["nodes"][name] = {{"mechanism", mechanism}, {"params", std::move(params)}};
        };
        const int inhibitory = params_.at("n_inh");
        node("task", "task.probe",
             {{"inputs", params_.at("n_in")}, {"context", N_}, {"targets", outputs_}, {"steps", T_}});
        node("core", "model.rnn",
             {{"units", N_},
              {"tau", params_.at("tau")},
              {"leak", "exponential"},
              {"activation", "relu"},
              {"initial_state", 0},
              {"autapses", false},
              {"expose_rate", true},
              {"types", {inhibitory, N_ - inhibitory}},
              {"feedback_activation", "identity"}});
        node("readout", "model.dense", {{"units", outputs_}});
        node("learner", "rule.supervised",
             {{"loss", classes_ ? "cross_entropy" : "squared"},
              {"optimiser", "sgd"},
              {"learning_rate", 1},
              {"credit", credit},
              {"credit_mu", params_.at("mu")},
              {"credit_steps", steps}});
        document["wires"] = {"task.observation -> core.input", "task.context -> core.feedback",
                             "core.rate -> readout.input", "readout.output -> learner.prediction",
                             "task.target -> learner.target"};
        if (classes_) document["wires"].push_back("task.reward -> learner.mask");
        auto session = Session::create(experimentFromJson(document, registry_), registry_, {1, "tbb", 0});
        assign(*session);
        return session;
    }
    void assign(Session& session) const {
        const auto& inputs = file_.at("inputs");
        session.set("core.recurrent_weight", listed(inputs.at("W_rec")));
        session.set("core.input_weight", listed(inputs.at("W_in")));
        session.set("readout.weight", listed(inputs.at("W_out")));
        session.set("readout.bias", listed(inputs.at("b_out")));
        auto identity = zeros({N_, N_}), none = zeros({N_, 1});
        for (std::int64_t i = 0; i < N_; ++i) identity.values[at(i * N_ + i)] = 1;
        session.set("core.feedback_weight", identity); // so that its input has the adjoint of v
        session.set("core.feedback_bias", none);
    }
    std::vector<NamedTensor> signals() const {
        std::vector<NamedTensor> result{
            {"task.observation", x_}, {"task.context", zeros({T_, B_, N_})}, {"task.target", target_}};
        if (classes_) result.push_back({"task.reward", mask_});
        return result;
    }

    void checkForward() const {
        const auto session = this->session("exact", 0, 1000);
        ForwardRequest request{signals(), {}, {"core.hidden", "core.rate", "readout.output"}};
        const auto result = session->forward(request);
        const auto& forward = file_.at("forward");
        for (const auto& [ours, theirs] : {std::pair{"core.hidden", "v"}, {"core.rate", "z"}, {"readout.output", "y"}})
            expectClose(find(result.signals, ours).values, stepsFirst(listed(forward.at(theirs))).values, theirs);
        expectClose({session->lossOn(signals())}, {forward.at("loss").get<double>() * scale()}, "loss");
    }

    /// One step of gradient descent at rate 1 is the gradient, with what the constraint of the tensor makes of it.
    std::map<std::string, std::vector<double>> gradients(Session& session) const {
        std::map<std::string, std::vector<double>> result;
        assign(session);
        const std::map<std::string, std::string> names{{"core.recurrent_weight", "dW_rec"},
                                                       {"core.input_weight", "dW_in"},
                                                       {"readout.weight", "dW_out"},
                                                       {"readout.bias", "db_out"}};
        for (const auto& [ours, theirs] : names) result[theirs] = session.get(ours).values;
        session.iterateOn(signals());
        for (const auto& [ours, theirs] : names) {
            const auto after = session.get(ours).values;
            for (std::size_t i = 0; i < after.size(); ++i) result[theirs][i] = (result[theirs][i] - after[i]) / scale();
        }
        return result;
    }

    /// Adjoint of v at all steps: (1 - alpha) of it reaches the input that is added to the drive.
    std::vector<double> delta(Session& session) const {
        assign(session);
        GradientRequest request;
        request.forward.inputs = signals();
        request.outputWeights = {{"core.rate", stepsFirst(listed(file_.at("forward").at("dE_dz")))}};
        auto result = find(session.gradient(request).inputs, "task.context").values;
        for (double& d : result) d /= 1 - params_.at("alpha").get<double>();
        return result;
    }

    /// The online form, driven by the reference's activity.
    std::map<std::string, std::vector<double>> online(const Credit& credit, int taps) const {
        const auto W = listed(file_.at("inputs").at("W_rec")), v = stepsFirst(listed(file_["forward"].at("v"))),
                   L = stepsFirst(listed(file_["forward"].at("dE_dz")));
        const auto inputs = static_cast<std::int64_t>(x_.shape[2]);
        std::vector<double> weights(at(N_ * N_)), dW(at(N_ * N_)), dB(at(N_ * inputs)), before(at(N_ * B_)),
            direct(at(N_ * B_));
        for (std::int64_t p = 0; p < N_; ++p)
            for (std::int64_t q = 0; q < N_; ++q) weights[at(q * N_ + p)] = W.values[at(p * N_ + q)];
        OnlineRequest<double> request{credit, taps, static_cast<int>(B_), {weights.data(), nullptr}};
        const auto form = onlineOf(request);
        for (std::int64_t t = 0; t < T_; ++t) {
            const auto column = at(t * B_ * N_);
            for (std::size_t i = 0; i < direct.size(); ++i)
                direct[i] = v.values[column + i] > 0 ? L.values[column + i] : 0;
            form->step({before.data(), x_.values.data() + at(t * B_ * inputs), direct.data()}, {dW.data(), dB.data()});
            std::copy_n(v.values.begin() + static_cast<std::ptrdiff_t>(column), before.size(), before.begin());
        }
        const auto rowMajor = [&](const std::vector<double>& from, std::int64_t columns, bool hollow) {
            std::vector<double> result;
            for (std::int64_t p = 0; p < N_; ++p)
                for (std::int64_t q = 0; q < columns; ++q)
                    result.push_back(hollow && p == q ? 0 : from[at(q * N_ + p)]);
            return result;
        };
        return {{"dW_rec", rowMajor(dW, N_, true)}, {"dW_in", rowMajor(dB, inputs, false)}};
    }

private:
    /// The form of a network without the additional input, which has no online form.
    std::unique_ptr<OnlineCredit<double>> onlineOf(const OnlineRequest<double>& request) const {
        const auto& entry = registry_.find("model.rnn", "");
        const int inhibitory = params_.at("n_inh"), inputs = params_.at("n_in");
        auto values = entry.declaration.defaults();
        values["units"] = std::int64_t{N_};
        values["tau"] = params_.at("tau").get<double>();
        values["leak"] = std::string("exponential");
        values["activation"] = std::string("relu");
        values["types"] = std::vector<double>{double(inhibitory), double(N_ - inhibitory)};
        std::vector<int> sizes;
        std::vector<bool> wired;
        for (const auto& port : entry.declaration.ports) {
            wired.push_back(port.name == "input");
            sizes.push_back(wired.back() ? inputs : std::max(0, port.size(values)));
        }
        Builder builder(entry.declaration, sizes, wired, 1);
        const auto mechanism = entry.makeDouble(values, builder);
        auto form = static_cast<const Model<double>&>(*mechanism).online(request);
        if (!form) throw Error("model.rnn", "hands out no online form");
        return form;
    }

    /// Of our loss and its gradient to those of the file: a mean over all errors, without the factor 1/2.
    double scale() const { return classes_ ? 1 : 2.0 / static_cast<double>(T_ * outputs_); }

    const Json& file_;
    const Registry& registry_;
    const Json& params_;
    std::int64_t N_, T_, B_, outputs_;
    bool classes_;
    Tensor x_, target_, mask_;
};

} // namespace

void checkModProp(const Json& file, const Registry& registry) {
    const Reference reference(file, registry);
    reference.checkForward();
    const int S = file.at("params").at("S");
    const double mu = file["params"].at("mu");
    struct Policy {
        std::string credit;
        int steps = 0;
    };
    const std::map<std::string, Policy> policies{{"bptt", {"exact"}},
                                                 {"three_factor", {"local"}},
                                                 {"modprop", {"modprop"}},
                                                 {"modprop_type", {"modprop_type"}},
                                                 {"modprop_type_diag", {"modprop_type_diag"}},
                                                 {"modprop_trunc", {"modprop", S}},
                                                 {"bptt_trunc", {"exact", S}},
                                                 {"mdgl", {"mdgl"}},
                                                 {"mdgl_type", {"mdgl_type"}}};
    const auto taps = "modprop_taps_K" + std::to_string(S);
    const auto exact = listed(file.at("gradients").at("bptt").at("dW_rec")).values;
    for (const auto& [rule, theirs] : file.at("gradients").items()) {
        const auto compare = [&, &rule = rule, &theirs = theirs](auto gradients, const std::string& how) {
            for (const char* name : {"dW_rec", "dW_in"})
                expectClose(gradients.at(name), listed(theirs.at(name)).values, rule + " " + name + how);
            expectClose({cosine(gradients.at("dW_rec"), exact)},
                        {file.at("cosine_to_bptt_dW_rec").at(rule).template get<double>()}, rule + " cosine" + how);
        };
        if (rule == taps) {
            compare(reference.online(creditOf("modprop", mu), S), ", online");
            continue;
        }
        ASSERT_TRUE(policies.contains(rule)) << rule << ": nothing stands for this rule";
        const auto& [credit, steps] = policies.at(rule);
        for (const double memory : {1000.0, 1e-5}) { // in one span, and in checkpointed segments
            const auto how = memory < 1 ? ", in segments" : "";
            const auto session = reference.session(credit, steps, memory);
            const auto gradients = reference.gradients(*session);
            compare(gradients, how);
            for (const char* name : {"dW_out", "db_out"})
                expectClose(gradients.at(name), listed(file.at("common").at(name)).values, rule + " " + name);
            if (theirs.contains("delta_v"))
                expectClose(reference.delta(*session), stepsFirst(listed(theirs.at("delta_v"))).values,
                            rule + " delta_v" + how);
        }
        if (credit == "local" || credit == "modprop_type_diag" || credit == "mdgl" || credit == "mdgl_type")
            compare(reference.online(creditOf(credit, mu), -1), ", online");
    }
}

} // namespace raphe::test
