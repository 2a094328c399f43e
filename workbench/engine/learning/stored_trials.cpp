// SPDX-License-Identifier: Apache-2.0
#include "engine/learning/stored_trials.h"

#include <fmt/format.h>

#include <algorithm>

namespace raphe {

template <class T>
StoredTrials<T>::StoredTrials(const Setup<T>& setup, int store)
    : setup_(setup), info_(setup.network.ruleParts().stores[at(store)]) {
    const auto& graph = setup.graph;
    const int kept = keptSteps();
    for (int step = 0; step<kept; step += info_.segment> 0 ? info_.segment : kept) {
        if (info_.burnIn > 0) marks_.push_back(std::max(0, step - info_.burnIn));
        marks_.push_back(step);
    }
    std::sort(marks_.begin(), marks_.end());
    marks_.erase(std::unique(marks_.begin(), marks_.end()), marks_.end());
    const auto known = replayKnown(graph);
    for (std::size_t n = 0; n < graph.nodes().size(); ++n)
        for (std::size_t p = 0; p < graph.nodes()[n].portSizes.size(); ++p) {
            const auto& info = graph.nodes()[n].declaration().ports[p];
            if (info.kind != PortKind::output || graph.nodes()[n].portSizes[p] <= 0 || !known[n][p]) continue;
            const auto read = [&](const GraphWire& wire) {
                return wire.fromNode == static_cast<int>(n) && wire.fromPort == static_cast<int>(p) &&
                       graph.nodes()[at(wire.toNode)].kind() == Kind::model;
            };
            if (std::any_of(graph.wires().begin(), graph.wires().end(), read))
                knownPorts_.emplace_back(static_cast<int>(n), static_cast<int>(p));
        }
    for (const auto& field : setup.network.ruleParts().fields) ownFields_.push_back(field.store == store);
    trialSize_ = Carried<T>(setup.network, 1).trialSize();
}

template <class T>
StoredBatch<T>& StoredTrials<T>::add(std::uint32_t iteration) {
    if (spare_.empty()) {
        StoredBatch<T> batch;
        const auto columns = at(setup_.steps) * at(setup_.batch);
        for (auto [node, port] : knownPorts_)
            batch.known.emplace_back(columns * at(setup_.graph.nodes()[at(node)].portSizes[at(port)]));
        const auto& rule = setup_.graph.nodes()[at(setup_.graph.rule())];
        for (std::size_t p = 0; p < rule.portSizes.size(); ++p)
            batch.signals.emplace_back(rule.wired[p] ? columns * at(rule.portSizes[p]) : 0);
        for (const bool own : ownFields_) batch.fields.emplace_back(own ? columns : 0);
        batch.marks.resize(marks_.size() * at(setup_.batch) * trialSize_);
        batch.lengths.resize(at(setup_.batch));
        batch.ends.resize(columns);
        batch.begins.resize(columns + at(setup_.batch));
        batch.before.resize(at(setup_.batch));
        spare_.push_back(std::move(batch));
    }
    batches_.push_back(std::move(spare_.back()));
    spare_.pop_back();
    ++added_;
    auto& batch = batches_.back();
    batch.iteration = iteration;
    batch.steps = setup_.steps;
    batch.changed = false;
    batch.following.count = 0;
    return batch;
}

template <class T>
void StoredTrials<T>::take(StoredBatch<T>& batch, Sweep<T>& sweep, const TrialRange& range,
                           const ContinuedTrials<T>* from) const {
    const int stride = sweep.trials();
    const auto counted = at(range.counted), trials = at(setup_.batch);
    const auto copy = [&](const auto* source, auto* to, std::size_t rows, int steps) {
        for (int t = 0; t < steps; ++t)
            std::copy_n(source + rows * at(t) * at(stride), rows * counted, to + rows * (at(t) * trials + range.first));
    };
    for (std::size_t i = 0; i < knownPorts_.size(); ++i) {
        const auto [node, port] = knownPorts_[i];
        copy(sweep.known().values(node, port).data(), batch.known[i].data(),
             at(setup_.graph.nodes()[at(node)].portSizes[at(port)]), setup_.steps);
    }
    const auto& rule = setup_.graph.nodes()[at(setup_.graph.rule())];
    for (std::size_t p = 0; p < batch.signals.size(); ++p)
        if (batch.signals[p].size() != 0)
            copy(sweep.ruleInput(p).data(), batch.signals[p].data(), at(rule.portSizes[p]), setup_.steps);
    copy(sweep.ends().ends.data(), batch.ends.data(), 1, setup_.steps);
    copy(sweep.ends().begins.data(), batch.begins.data(), 1, setup_.steps + 1);
    std::copy_n(sweep.ends().lengths.data(), counted, batch.lengths.data() + range.first);
    for (std::size_t m = 0; m < marks_.size(); ++m)
        for (int b = 0; b < range.counted; ++b)
            std::copy_n(sweep.mark(m, b), trialSize_,
                        batch.marks.data() + (m * trials + range.first + at(b)) * trialSize_);
    for (std::size_t b = 0; b < counted; ++b)
        batch.before[range.first + b] = from && from->begun() ? from->steps[b] : 0;
}

template <class T>
void StoredTrials<T>::takeFollowing(StoredBatch<T>& batch, const std::vector<Following<T>>& chunks) const {
    if (!info_.following) return;
    auto& all = batch.following;
    all.columns.assign(at(setup_.steps) * at(setup_.batch), -1);
    all.values.assign(batch.signals.size(), {});
    all.count = 0;
    for (std::size_t c = 0; c < chunks.size(); ++c) {
        const auto& part = chunks[c];
        const auto range = setup_.rangeOf(0, static_cast<int>(c), setup_.batch);
        for (int t = 0; t < setup_.steps; ++t)
            for (int b = 0; b < range.counted; ++b)
                if (const int which = part.columns[at(t) * at(setup_.chunk) + at(b)]; which >= 0)
                    all.columns[at(t) * at(setup_.batch) + range.first + at(b)] = all.count + which;
        for (std::size_t p = 0; p < all.values.size(); ++p)
            all.values[p].insert(all.values[p].end(), part.values[p].begin(), part.values[p].end());
        all.count += part.count;
    }
}

template <class T>
std::size_t StoredTrials<T>::markOf(int step) const {
    const auto found = std::lower_bound(marks_.begin(), marks_.end(), step);
    if (found == marks_.end() || *found != step)
        throw Error("rule",
                    fmt::format("replays a stretch from step {}, but states are kept before other steps only", step));
    return static_cast<std::size_t>(found - marks_.begin());
}

template <class T>
void StoredTrials<T>::fill(Sweep<T>& sweep, std::span<const Stretch> stretches, const std::vector<bool>& members) {
    const int stride = sweep.trials(), steps = sweep.steps(), burnIn = stretches.front().burnIn;
    const auto trials = at(setup_.batch);
    std::int64_t before = 0;
    for (const auto& s : stretches)
        before = std::max(before, s.first - s.burnIn + this->batch(s.batch).before[at(s.trial)]);
    const TrialRange range{this->batch(stretches.front().batch).iteration, 0, static_cast<int>(stretches.size()),
                           static_cast<int>(stretches.size())};
    sweep.startReplay(range, static_cast<int>(std::min<std::int64_t>(before, std::int64_t{1} << 30)));
    const auto& nodes = setup_.graph.nodes();
    const auto& rule = nodes[at(setup_.graph.rule())];
    struct Column {
        const StoredBatch<T>* batch;
        std::size_t start; ///< its first step in the batch's arrays
        int available;     ///< steps that the batch has from there on
    };
    std::vector<Column> columns(at(stride));
    for (int c = 0; c < stride; ++c) {
        // Columns that only fill up the chunk repeat the first.
        const auto& s = stretches[at(c) < stretches.size() ? at(c) : 0];
        const auto& batch = this->batch(s.batch);
        const int begin = s.first - burnIn;
        columns[at(c)] = {&batch, at(begin) * trials + at(s.trial), std::min(steps, batch.steps - begin)};
        sweep.origins()[at(c)] = {batch.iteration, static_cast<std::uint32_t>(s.trial), begin};
        if (!s.fresh)
            sweep.carried().loadTrial(c, batch.marks.data() + (markOf(begin) * trials + at(s.trial)) * trialSize_);
        // Steps of the trial that count; those of the burn-in are not shown to the rule.
        sweep.ends().lengths[at(c)] = std::clamp(batch.lengths[at(s.trial)] - s.first, 0, s.count);
    }
    // Column by column: what the steps of a stretch touch on either side stays in the first-level cache.
    // @param of  an array of a batch
    const auto copy = [&](auto of, auto* to, std::size_t rows) {
        const auto step = rows * at(stride), stepFrom = rows * trials;
        for (const auto& column : columns) {
            const auto* from = of(*column.batch) + rows * column.start;
            auto* out = to;
            for (int t = 0; t < column.available; ++t, from += stepFrom, out += step)
                if (rows == 1)
                    *out = *from;
                else
                    std::copy_n(from, rows, out);
            for (int t = column.available; t < steps; ++t, out += step)
                std::fill_n(out, rows, std::decay_t<decltype(*to)>{});
            to += rows;
        }
    };
    for (std::size_t i = 0; i < knownPorts_.size(); ++i) {
        const auto [node, port] = knownPorts_[i];
        const auto reaches = [&, n = node, p = port](const GraphWire& wire) {
            return wire.fromNode == n && wire.fromPort == p && members[at(wire.toNode)];
        };
        if (std::none_of(setup_.graph.wires().begin(), setup_.graph.wires().end(), reaches)) continue;
        copy([i](const StoredBatch<T>& b) { return b.known[i].data(); }, sweep.known().values(node, port).data(),
             at(nodes[at(node)].portSizes[at(port)]));
    }
    const auto& any = *columns.front().batch;
    for (std::size_t p = 0; p < any.signals.size(); ++p)
        if (any.signals[p].size() != 0)
            copy([p](const StoredBatch<T>& b) { return b.signals[p].data(); }, sweep.storedInput(p).data(),
                 at(rule.portSizes[p]));
    for (std::size_t f = 0; f < any.fields.size(); ++f)
        if (any.fields[f].size() != 0)
            copy([f](const StoredBatch<T>& b) { return b.fields[f].data(); }, sweep.field(f).data(), 1);
    copy([](const StoredBatch<T>& b) { return b.ends.data(); }, sweep.ends().ends.data(), 1);
    if (!setup_.streams) return;
    for (int c = 0; c < stride; ++c)
        for (int t = 1; t < columns[at(c)].available; ++t)
            if (columns[at(c)].batch->begins[columns[at(c)].start + at(t) * trials] != 0) sweep.ends().begin(t, c);
}

template <class T>
void StoredTrials<T>::takeMarks(Sweep<T>& sweep, std::span<const Stretch> stretches, const std::vector<bool>& members) {
    for (std::size_t c = 0; c < stretches.size(); ++c) {
        auto& marks = batch(stretches[c].batch).marks;
        for (std::size_t m = 0; m < marks_.size(); ++m)
            sweep.carried().copyTrial(sweep.mark(m, static_cast<int>(c)),
                                      marks.data() + (m * at(setup_.batch) + at(stretches[c].trial)) * trialSize_,
                                      members);
    }
}

template <class T>
void StoredTrials<T>::change(int which) {
    auto& stored = batch(which);
    if (stored.changed || which >= size() - added_) return;
    stored.marksBefore = stored.marks;
    stored.fieldsBefore.resize(stored.fields.size());
    for (std::size_t f = 0; f < stored.fields.size(); ++f) stored.fieldsBefore[f] = stored.fields[f].clone();
    stored.changed = true;
}

template <class T>
void StoredTrials<T>::commit() {
    for (auto& batch : batches_) {
        batch.changed = false;
        batch.following.count = 0; // is seen in its own iteration only
    }
    while (static_cast<int>(batches_.size()) > info_.batches) {
        spare_.push_back(std::move(batches_.front()));
        batches_.pop_front();
    }
    if (added_ > 0)
        for (auto& batch : batches_) batch.steps = std::min(batch.steps, keptSteps());
    added_ = 0;
}

template <class T>
void StoredTrials<T>::rollBack() {
    for (; added_ > 0; --added_) {
        spare_.push_back(std::move(batches_.back()));
        batches_.pop_back();
    }
    for (auto& batch : batches_) {
        if (!batch.changed) continue;
        std::swap(batch.marks, batch.marksBefore);
        std::swap(batch.fields, batch.fieldsBefore);
        batch.changed = false;
    }
}

// -- checkpoints ------------------------------------------------------------------------------------------------------

template <class T>
std::string StoredTrials<T>::prefix(std::size_t which) const {
    return fmt::format("rule.{}.{}.", info_.name, which);
}

template <class T>
void StoredTrials<T>::save(std::vector<NamedTensor>& to) const {
    const auto committed = batches_.size() - at(added_);
    const auto columns = at(keptSteps()) * at(setup_.batch);
    const auto& graph = setup_.graph;
    const auto write = [&](const std::string& name, const auto* from, std::size_t count, Precision precision) {
        Tensor tensor{{static_cast<std::int64_t>(count)}, std::vector<double>(count), precision};
        for (std::size_t i = 0; i < count; ++i) tensor.values[i] = static_cast<double>(from[i]);
        to.push_back({name, std::move(tensor)});
    };
    const auto real = Setup<T>::precision();
    for (std::size_t i = 0; i < committed; ++i) {
        const auto& batch = batches_[i];
        const auto name = prefix(i);
        const double iteration = batch.iteration;
        write(name + "iteration", &iteration, 1, Precision::float64);
        for (std::size_t k = 0; k < knownPorts_.size(); ++k) {
            const auto [node, port] = knownPorts_[k];
            write(name + "known." + setup_.portName(node, port), batch.known[k].data(),
                  columns * at(graph.nodes()[at(node)].portSizes[at(port)]), real);
        }
        const auto& rule = graph.nodes()[at(graph.rule())];
        for (std::size_t p = 0; p < batch.signals.size(); ++p)
            if (batch.signals[p].size() != 0)
                write(name + "signal." + rule.declaration().ports[p].name, batch.signals[p].data(),
                      columns * at(rule.portSizes[p]), real);
        const auto& fields = batch.changed ? batch.fieldsBefore : batch.fields;
        const auto& marks = batch.changed ? batch.marksBefore : batch.marks;
        for (std::size_t f = 0; f < fields.size(); ++f)
            if (fields[f].size() != 0)
                write(name + "field." + setup_.network.ruleParts().fields[f].name, fields[f].data(), columns, real);
        write(name + "marks", marks.data(), marks.size(), real);
        write(name + "lengths", batch.lengths.data(), batch.lengths.size(), Precision::float32);
        std::vector<double> flags(columns);
        for (std::size_t c = 0; c < columns; ++c)
            flags[c] = static_cast<int>(batch.ends[c]) + 4 * static_cast<int>(batch.begins[c]);
        write(name + "ends", flags.data(), columns, Precision::float32);
        write(name + "before", batch.before.data(), batch.before.size(), Precision::float64);
    }
}

template <class T>
void StoredTrials<T>::load(const std::function<const Tensor*(const std::string&)>& find) {
    const auto columns = at(keptSteps()) * at(setup_.batch);
    const auto& graph = setup_.graph;
    batches_.clear();
    for (std::size_t i = 0; i < at(info_.batches); ++i) {
        const auto name = prefix(i);
        const Tensor* number = find(name + "iteration");
        if (!number || number->values.size() != 1) break;
        auto& batch = add(static_cast<std::uint32_t>(number->values[0]));
        batch.steps = keptSteps();
        const auto read = [&](const std::string& what, auto* to, std::size_t count) {
            const Tensor* tensor = find(name + what);
            if (!tensor || tensor->values.size() != count)
                throw Error("checkpoint",
                            "lacks stored trials (" + name + what + "); it belongs to another experiment");
            for (std::size_t k = 0; k < count; ++k) to[k] = static_cast<std::decay_t<decltype(*to)>>(tensor->values[k]);
        };
        for (std::size_t k = 0; k < knownPorts_.size(); ++k) {
            const auto [node, port] = knownPorts_[k];
            read("known." + setup_.portName(node, port), batch.known[k].data(),
                 columns * at(graph.nodes()[at(node)].portSizes[at(port)]));
        }
        const auto& rule = graph.nodes()[at(graph.rule())];
        for (std::size_t p = 0; p < batch.signals.size(); ++p)
            if (batch.signals[p].size() != 0)
                read("signal." + rule.declaration().ports[p].name, batch.signals[p].data(),
                     columns * at(rule.portSizes[p]));
        for (std::size_t f = 0; f < batch.fields.size(); ++f)
            if (batch.fields[f].size() != 0)
                read("field." + setup_.network.ruleParts().fields[f].name, batch.fields[f].data(), columns);
        read("marks", batch.marks.data(), batch.marks.size());
        read("lengths", batch.lengths.data(), batch.lengths.size());
        std::vector<int> flags(columns);
        read("ends", flags.data(), columns);
        for (std::size_t c = 0; c < columns; ++c) {
            batch.ends[c] = static_cast<End>(flags[c] & 3);
            batch.begins[c] = static_cast<char>(flags[c] >> 2);
        }
        read("before", batch.before.data(), batch.before.size());
    }
    added_ = 0;
}

template <class T>
std::size_t StoredTrials<T>::batchBytes() const {
    std::size_t units = 2;
    for (auto [node, port] : knownPorts_) units += at(setup_.graph.nodes()[at(node)].portSizes[at(port)]);
    const auto& rule = setup_.graph.nodes()[at(setup_.graph.rule())];
    for (std::size_t p = 0; p < rule.portSizes.size(); ++p)
        if (rule.wired[p]) units += at(rule.portSizes[p]);
    for (const bool own : ownFields_) units += own ? 1 : 0;
    return sizeof(T) * (units * at(setup_.steps) + marks_.size() * trialSize_) * at(setup_.batch);
}

template class StoredTrials<float>;
template class StoredTrials<double>;

} // namespace raphe
