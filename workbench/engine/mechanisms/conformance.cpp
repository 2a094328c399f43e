// SPDX-License-Identifier: Apache-2.0
#include "engine/mechanisms/conformance.h"

#include "engine/document/experiment.h"
#include "engine/learning/session.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

namespace raphe {

namespace {

struct SignalSourceParams {
    int units = 1;
};

/// Stands for whatever a model under test is wired to.
template <class T>
class SignalSource final : public TaskOf<T, int> {
public:
    static auto declare() {
        return Declaration<SignalSourceParams>{"conformance_source", "1.0.0", "Signals for a mechanism under test"}
            .param("units", &SignalSourceParams::units, {.help = "Number of units", .min = 1})
            .output("signal", "units", {.help = "Normal deviates"});
    }
    SignalSource(const SignalSourceParams& params, Builder& b) : units_(params.units), signal_(b.output("signal")) {}
    int steps() const override { return 5; }
    void begin(int&, std::uint32_t, Stream&) const override {}
    void observe(int&, TaskStep<T>& s) const override { std::fill_n(s.output(signal_), units_, T(0)); }

private:
    int units_;
    Output signal_;
};

class Checker {
public:
    explicit Checker(const MechanismEntry& entry) : entry_(entry), declaration_(entry.declaration) {}

    ConformanceReport run() {
        declarationIsComplete();
        if (report_.failures.empty()) {
            try {
                if (declaration_.kind == Kind::model) modelBehaves();
                if (declaration_.kind == Kind::task) taskBehaves();
            } catch (const std::exception& error) {
                fail(fmt::format("threw with default parameters: {}", error.what()));
            }
        }
        return report_;
    }

private:
    void fail(const std::string& sentence) { report_.failures.push_back(declaration_.key() + ": " + sentence); }
    void expect(bool condition, const std::string& sentence) {
        ++report_.checks;
        if (!condition) fail(sentence);
    }

    void declarationIsComplete() {
        expect(!declaration_.summary.empty(), "has no summary");
        expect(!declaration_.version.empty(), "has no version");
        std::set<std::string> names;
        for (const auto& info : declaration_.params) {
            expect(names.insert(info.key).second, "declares parameter " + info.key + " twice");
            expect(!info.help.empty(), "parameter " + info.key + " has no help");
            expect(!info.unit.empty(), "parameter " + info.key + " has no unit (\"1\" if dimensionless)");
            try {
                readParam(info, toJson(info.initial), info.key);
                ++report_.checks;
            } catch (const Error& error) {
                fail(std::string("its default is not allowed: ") + error.what());
            }
        }
        names.clear();
        for (const auto& port : declaration_.ports) {
            expect(names.insert(port.name).second, "declares port " + port.name + " twice");
            expect(!port.help.empty(), "port " + port.name + " has no help");
            const int size = port.size(declaration_.defaults());
            expect(size >= openSize, "port " + port.name + " has a negative size");
            expect(port.kind != PortKind::output || size != openSize, "output " + port.name + " has no size");
        }
        for (const auto& event : declaration_.events) {
            const int port = declaration_.port(event.port);
            expect(port >= 0, "event " + event.name + " names port " + event.port + ", which is not declared");
            if (port < 0) continue;
            const auto values = declaration_.defaults();
            const int size = declaration_.ports[static_cast<std::size_t>(port)].size(values);
            const int first = event.first(values), count = event.count(values);
            expect(first >= 0 && (count > 0 || count == openSize) && (size < 0 || first + std::max(count, 1) <= size),
                   "event " + event.name + " lies outside of port " + event.port);
        }
        expect(declaration_.check(declaration_.defaults()).empty(),
               "its defaults contradict each other: " + declaration_.check(declaration_.defaults()));
    }

    /// Builds with 3 units (or 1) at every open port; optional ports are wired only if the mechanism accepts them.
    template <class T>
    std::unique_ptr<Mechanism<T>> build(Builder& builder) {
        return entry_.maker<T>()(declaration_.defaults(), builder);
    }

    Experiment experimentAround(Precision precision, bool wireOptional) {
        Experiment e;
        e.name = "conformance";
        e.precision = precision;
        e.trials = 2;
        e.nodes.push_back({"subject", declaration_.key(), declaration_.defaults()});
        for (const auto& port : declaration_.ports) {
            if (port.kind == PortKind::output || (port.optional && !wireOptional)) continue;
            const int size = port.size(declaration_.defaults());
            if (size == noPort) continue;
            // One task node can feed one port only through sizes; a chain of sources is not possible, so each port gets
            // its own columns through a wire from the one source of matching size.
            sizes_[port.name] = size == openSize ? openUnits_ : size;
        }
        return e;
    }

    void modelBehaves() {
        for (const bool wireOptional : {false, true}) {
            std::string problem;
            for (const int units : {3, 1}) {
                openUnits_ = units;
                problem = behaviourProblem(wireOptional);
                if (problem.empty()) break;
            }
            if (!problem.empty()) fail("cannot be built or run with default parameters: " + problem);
        }
    }

    /// @return why the mechanism cannot be built or run, if it should be
    std::string behaviourProblem(bool wireOptional) {
        sizes_.clear();
        Experiment e = experimentAround(Precision::float64, wireOptional);
        Registry registry;
        registry.add(entry_, "subject");
        registry.add(entryOf<SignalSource>(), "conformance");
        // Ports of different sizes need sources of different sizes; a task is unique, so only the largest set of
        // ports with one common size could be wired to it. Sources are therefore one node for each port, which the
        // graph allows for models; the subject's inputs are given from outside, so sources never run.
        registry.add(entryOf<Relay>(), "conformance");
        e.nodes.push_back({"task", "task.conformance_source", {{"units", std::int64_t{1}}}});
        for (const auto& [port, size] : sizes_) {
            e.nodes.push_back(
                {"source_" + port, "model.conformance_relay", {{"units", static_cast<std::int64_t>(size)}}});
            e.wires.push_back({{"task", "signal"}, {"source_" + port, "input"}, {}});
            e.wires.push_back({{"source_" + port, "signal"}, {"subject", port}, {}});
        }
        try {
            auto first = Session::create(e, registry, {1, "tbb", 0});
            runModel(e, registry, *first);
        } catch (const Error& error) {
            // Some optional ports exclude each other or need other parameters; the mechanism may say so.
            if (!wireOptional && !needsMore(error.what())) return error.what();
        }
        return {};
    }
    static bool needsMore(const std::string& sentence) { return sentence.find("wire") != std::string::npos; }

    ForwardRequest request(const Graph& graph) const {
        ForwardRequest r;
        constexpr int steps = 5, trials = 2;
        std::uint32_t which = 0;
        for (const auto& [port, size] : sizes_) {
            NamedTensor signal{"source_" + port + ".signal", {{steps, trials, size}, {}, Precision::float64}};
            Stream stream(1, addressOf("conformance"), which++, 0, 0);
            for (int i = 0; i < steps * trials * size; ++i) signal.tensor.values.push_back(0.5 * stream.normal());
            r.inputs.push_back(signal);
        }
        for (const auto& port : declaration_.ports)
            if (port.kind == PortKind::output && port.size(declaration_.defaults()) > 0)
                r.record.push_back("subject." + port.name);
        (void)graph;
        return r;
    }

    void runModel(Experiment e, const Registry& registry, Session& session) {
        const auto forwardRequest = request(session.graph());
        if (forwardRequest.inputs.empty()) return;
        std::set<std::string> declared;
        for (const auto& tensor : declaration_.tensors) declared.insert("subject." + tensor.name);
        for (const auto& parameter : session.parameters())
            if (parameter.name.rfind("subject.", 0) == 0)
                expect(declared.count(parameter.name) != 0,
                       "builds tensor " + parameter.name + ", which it does not declare");
        const auto once = session.forward(forwardRequest), again = session.forward(forwardRequest);
        expect(once.signals == again.signals, "gives different results when it is run twice");
        for (const auto& signal : once.signals)
            for (double x : signal.tensor.values)
                if (!std::isfinite(x)) {
                    fail("output " + signal.name + " is not finite");
                    return;
                }
        ++report_.checks;
        e.precision = Precision::float32;
        auto single = Session::create(e, registry, {1, "tbb", 0});
        const auto rough = single->forward(forwardRequest);
        const auto& ports = declaration_.ports;
        for (std::size_t s = 0; s < once.signals.size(); ++s) {
            bool drawn = false;
            for (const auto& port : ports)
                drawn = drawn || ("subject." + port.name == once.signals[s].name && port.sampled);
            if (drawn) continue;
            double largest = 1, difference = 0;
            for (std::size_t i = 0; i < once.signals[s].tensor.values.size(); ++i) {
                largest = std::max(largest, std::abs(once.signals[s].tensor.values[i]));
                difference = std::max(difference,
                                      std::abs(once.signals[s].tensor.values[i] - rough.signals[s].tensor.values[i]));
            }
            expect(difference / largest < 1e-4,
                   fmt::format("output {} differs by {} between float and double", once.signals[s].name, difference));
        }
        gradientsAgree(session, forwardRequest);
    }

    void gradientsAgree(Session& session, const ForwardRequest& forwardRequest) {
        GradientRequest g;
        g.forward = forwardRequest;
        const auto base = session.forward(forwardRequest);
        Stream stream(2, addressOf("conformance"), 0, 0, 0);
        for (const auto& signal : base.signals) {
            bool drawn = false;
            for (const auto& port : declaration_.ports)
                drawn = drawn || ("subject." + port.name == signal.name && port.sampled);
            if (drawn) continue;
            NamedTensor weight{signal.name, signal.tensor};
            for (auto& x : weight.tensor.values) x = stream.normal();
            g.outputWeights.push_back(weight);
        }
        const auto value = [&](const ForwardRequest& r) {
            const auto result = session.forward(r);
            double sum = 0;
            for (const auto& weight : g.outputWeights)
                for (const auto& signal : result.signals)
                    if (signal.name == weight.name)
                        for (std::size_t i = 0; i < signal.tensor.values.size(); ++i)
                            sum += weight.tensor.values[i] * signal.tensor.values[i];
            return sum;
        };
        const auto result = session.gradient(g);
        const double h = 1e-6;
        for (const auto& parameter : result.parameters) {
            if (parameter.name.rfind("subject.", 0) != 0 || parameter.tensor.values.empty()) continue;
            double largest = 1, worst = 0;
            for (double x : parameter.tensor.values) largest = std::max(largest, std::abs(x));
            for (int k = 0; k < 3; ++k) {
                const auto i = stream.integer(static_cast<std::uint32_t>(parameter.tensor.values.size()));
                auto tensor = session.get(parameter.name);
                const double old = tensor.values[i];
                tensor.values[i] = old + h;
                session.set(parameter.name, tensor);
                const double up = value(forwardRequest);
                tensor.values[i] = old - h;
                session.set(parameter.name, tensor);
                const double down = value(forwardRequest);
                tensor.values[i] = old;
                session.set(parameter.name, tensor);
                worst = std::max(worst, std::abs((up - down) / (2 * h) - parameter.tensor.values[i]));
            }
            expect(worst / largest < 1e-5,
                   fmt::format("the gradient of {} differs from central differences by {}", parameter.name, worst));
        }
    }

    void taskBehaves() {
        std::vector<int> sizes;
        for (const auto& port : declaration_.ports) sizes.push_back(std::max(1, port.size(declaration_.defaults())));
        const auto trace = [&]() {
            Builder builder(declaration_, sizes, std::vector<bool>(sizes.size(), true), 1.0);
            auto mechanism = build<double>(builder);
            const auto& task = static_cast<const Task<double>&>(*mechanism);
            expect(task.steps() >= 1, "a trial has no steps");
            std::vector<double> values;
            auto state = task.makeTrial();
            for (std::uint32_t trial = 0; trial < 3; ++trial) {
                Stream stream(1, addressOf("conformance"), 0, trial, 0);
                task.begin(*state, trial, stream);
                std::vector<std::vector<double>> ports;
                for (int size : sizes) ports.emplace_back(static_cast<std::size_t>(size));
                for (int t = 0; t < task.steps(); ++t) {
                    std::vector<double*> pointers;
                    for (std::size_t p = 0; p < ports.size(); ++p) {
                        std::fill(ports[p].begin(), ports[p].end(), 0.0);
                        if (declaration_.ports[p].kind != PortKind::output)
                            ports[p][static_cast<std::size_t>(t) % ports[p].size()] = 1.0;
                        pointers.push_back(ports[p].data());
                    }
                    TaskStep<double> s(
                        t, pointers.data(),
                        Stream(1, addressOf("conformance"), 0, trial, static_cast<std::uint32_t>(t) + 1));
                    task.observe(*state, s);
                    task.act(*state, s);
                    for (std::size_t p = 0; p < ports.size(); ++p)
                        if (declaration_.ports[p].kind == PortKind::output)
                            values.insert(values.end(), ports[p].begin(), ports[p].end());
                }
            }
            return values;
        };
        const auto first = trace(), second = trace();
        expect(first == second, "the same random stream gives different trials");
        bool finite = true;
        for (double x : first) finite = finite && std::isfinite(x);
        expect(finite, "an output is not finite");
    }

    /// Passes a signal on; stands before each port of a model under test.
    struct RelayParams {
        int units = 1;
    };
    template <class T>
    class Relay final : public Model<T> {
    public:
        static auto declare() {
            return Declaration<RelayParams>{"conformance_relay", "1.0.0", "A source of a given size"}
                .param("units", &RelayParams::units, {.help = "Number of units", .min = 1})
                .input("input", "any", {.help = "Not used"})
                .output("signal", "units", {.help = "Zero"});
        }
        Relay(const RelayParams&, Builder& b) : signal_(b.output("signal")) {}
        void step(Step<T>& s) const override {
            Value<T> zero = s.destination(signal_);
            zero.array().setZero();
            s.emit(signal_, zero);
        }

    private:
        Output signal_;
    };

    const MechanismEntry& entry_;
    const DeclarationData& declaration_;
    ConformanceReport report_;
    int openUnits_ = 3; ///< at open ports
    std::map<std::string, int> sizes_;
};

} // namespace

ConformanceReport checkMechanism(const MechanismEntry& entry) { return Checker(entry).run(); }

} // namespace raphe
