// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/mechanism.h"

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>
#include <vector>

namespace raphe {

/// Where a trial stands among all the trials of a session: for tasks that go through a set of their own in order, or in
/// an order drawn for each round. The same for all threads, and after a resume.
struct TrialPlace {
    std::uint32_t iteration = 0; ///< of the training; in an evaluation the number of its stream
    std::uint32_t trial = 0;     ///< in the batch
    std::uint32_t batch = 1;     ///< trials of the batch
    std::uint64_t seed = 0;      ///< of the session, or of its evaluations
    std::uint64_t entity = 0;    ///< address of the task's random streams

    /// Random numbers that all trials share, by an address of the task's choice.
    Stream shared(std::string_view purpose, std::uint32_t number) const {
        return {seed, addressOf(purpose, entity), number, 0, 0};
    }
};

/// What one trial of a task carries along; derive your own.
struct TrialState {
    virtual ~TrialState() = default;
};

/// One step of one trial: columns of numbers, as many as the port has units.
template <class T>
class TaskStep {
public:
    TaskStep(int step, T* const* ports, const Stream& random) : step_(step), ports_(ports), random_(random) {}
    int step() const { return step_; }                              ///< 0, 1, ..., counted from the trial's begin()
    const T* input(Input port) const { return ports_[port.index]; } ///< null if nothing is wired
    T* output(Output port) const { return ports_[port.index]; }     ///< zero-filled before observe()
    /// Random numbers of this trial and step alone: however many are drawn, no other step is shifted. observe() and
    /// act() of one step have the same numbers, so draw in one of them.
    Stream random() const { return random_; }

    /// In act() (an open-loop task: in observe()): this step is the trial's last. After truncate(), observe() may be
    /// called once more, to show what would follow.
    void terminate() { end_ = End::terminated; }
    void truncate() { end_ = End::truncated; }
    End end() const { return end_; }

private:
    int step_;
    T* const* ports_;
    Stream random_;
    End end_ = End::none;
};

/// A task: makes observations and targets, and in a closed loop answers actions. All randomness of a trial comes from
/// the stream that begin() is given or from TaskStep::random().
template <class T>
class Task : public Mechanism<T> {
public:
    static constexpr Kind kind = Kind::task;

    /// Time steps of a trial, at most: a step may end it earlier. 0: only a step ends it (for streams).
    virtual int steps() const = 0;
    /// Number of trials of a fixed set, which then is the default size of a batch; 0 if trials are drawn anew.
    virtual int trialSet() const { return 0; }
    virtual std::unique_ptr<TrialState> makeTrial() const = 0;
    /// Starts trial number `trial` of the batch. Numbers beyond the batch occur where a chunk is filled up with trials
    /// that do not count: they must be as legal as the others.
    virtual void begin(TrialState& state, std::uint32_t trial, Stream& random) const = 0;
    /// The same for tasks that want to know where the trial stands.
    virtual void begin(TrialState& state, const TrialPlace& place, Stream& random) const {
        begin(state, place.trial, random);
    }
    /// Whether observe() may be asked once more after the last step of the horizon, with step() == steps(), for rules
    /// that value what would follow.
    virtual bool observesEnd() const { return false; }
    /// Writes the outputs of a step.
    virtual void observe(TrialState& state, TaskStep<T>& s) const = 0;
    /// At the end of the step: reads the ports declared Read::end and may still write outputs of this step (reward).
    virtual void act(TrialState&, TaskStep<T>&) const {}

    /// A trial in bytes and back, so that a stream can be continued from a checkpoint on the same machine.
    /// @return false if this task's trials cannot be kept; then it cannot be a stream
    virtual bool save(const TrialState&, std::vector<std::byte>&) const { return false; }
    virtual bool load(TrialState&, const std::vector<std::byte>&) const { return false; }
};

namespace detail {
/// Appends the fields that a trial names to bytes.
class TrialWriter {
public:
    explicit TrialWriter(std::vector<std::byte>& bytes) : bytes_(bytes) {}
    template <class... F>
    void operator()(F&... fields) {
        (write(fields), ...);
    }

private:
    template <class F>
    void write(F& field) {
        static_assert(std::is_trivially_copyable_v<F>, "a field is a plain value or a std::vector of plain values");
        const auto* from = reinterpret_cast<const std::byte*>(&field);
        bytes_.insert(bytes_.end(), from, from + sizeof field);
    }
    template <class F>
    void write(std::vector<F>& field) {
        auto size = static_cast<std::uint64_t>(field.size());
        write(size);
        for (auto& item : field) write(item);
    }
    std::vector<std::byte>& bytes_;
};
/// Reads them back; good() is false if the bytes do not fit.
class TrialReader {
public:
    explicit TrialReader(const std::vector<std::byte>& bytes) : bytes_(bytes) {}
    template <class... F>
    void operator()(F&... fields) {
        (read(fields), ...);
    }
    bool good() const { return good_ && position_ == bytes_.size(); }

private:
    template <class F>
    void read(F& field) {
        good_ = good_ && bytes_.size() - position_ >= sizeof field;
        if (!good_) return;
        std::memcpy(static_cast<void*>(&field), bytes_.data() + position_, sizeof field);
        position_ += sizeof field;
    }
    template <class F>
    void read(std::vector<F>& field) {
        std::uint64_t size = 0;
        read(size);
        good_ = good_ && size <= (bytes_.size() - position_) / sizeof(F);
        if (!good_) return;
        field.resize(static_cast<std::size_t>(size));
        for (auto& item : field) read(item);
    }
    const std::vector<std::byte>& bytes_;
    std::size_t position_ = 0;
    bool good_ = true;
};
template <class Trial>
concept NamesItsFields = requires(Trial& trial, TrialWriter& writer) {
    trial.fields(writer);
};
template <class Trial>
concept PlainVector = requires(Trial& trial, TrialWriter& writer) {
    typename Trial::value_type;
    requires std::is_same_v<Trial, std::vector<typename Trial::value_type>>;
    requires std::is_trivially_copyable_v<typename Trial::value_type>;
};
} // namespace detail

/// A task whose trials carry a `Trial` (a plain struct): the same functions with the right type. A Trial that is
/// trivially copyable, or a std::vector of such, can be kept in checkpoints as it is; any other names its fields once:
///
///     template <class Archive> void fields(Archive& a) { a(target, order, previousReward); }
template <class T, class Trial>
class TaskOf : public Task<T> {
public:
    virtual void begin(Trial& trial, std::uint32_t number, Stream& random) const = 0;
    virtual void begin(Trial& trial, const TrialPlace& place, Stream& random) const {
        begin(trial, place.trial, random);
    }
    virtual void observe(Trial& trial, TaskStep<T>& s) const = 0;
    virtual void act(Trial&, TaskStep<T>&) const {}

    std::unique_ptr<TrialState> makeTrial() const final { return std::make_unique<Holder>(); }
    void begin(TrialState& state, std::uint32_t number, Stream& random) const final {
        begin(static_cast<Holder&>(state).trial, number, random);
    }
    void begin(TrialState& state, const TrialPlace& place, Stream& random) const final {
        begin(static_cast<Holder&>(state).trial, place, random);
    }
    void observe(TrialState& state, TaskStep<T>& s) const final { observe(static_cast<Holder&>(state).trial, s); }
    void act(TrialState& state, TaskStep<T>& s) const final { act(static_cast<Holder&>(state).trial, s); }

    bool save(const TrialState& state, std::vector<std::byte>& bytes) const final {
        bytes.clear();
        return visit(const_cast<TrialState&>(state), detail::TrialWriter(bytes));
    }
    bool load(TrialState& state, const std::vector<std::byte>& bytes) const final {
        detail::TrialReader reader(bytes);
        return visit(state, reader) && reader.good();
    }

private:
    struct Holder final : TrialState {
        Trial trial{};
    };
    template <class Archive>
    static bool visit(TrialState& state, Archive&& archive) {
        auto& trial = static_cast<Holder&>(state).trial;
        if constexpr (detail::NamesItsFields<Trial>)
            trial.fields(archive);
        else if constexpr (std::is_trivially_copyable_v<Trial> || detail::PlainVector<Trial>)
            archive(trial);
        else
            return false;
        return true;
    }
};

} // namespace raphe
