// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/setup.h"
#include "engine/sweep/sweep.h"

#include <deque>
#include <span>
#include <vector>

namespace raphe {

/// One collected batch: all that a replay needs. Step-major, so that the first steps are a prefix.
template <class T>
struct StoredBatch {
    std::uint32_t iteration = 0;
    int steps = 0;                        ///< that can be replayed
    std::vector<AlignedArray<T>> known;   ///< by StoredTrials::knownPorts()
    std::vector<AlignedArray<T>> signals; ///< by port of the rule
    std::vector<AlignedArray<T>> fields;  ///< by field of the rule; of the store's own only
    std::vector<T> marks;                 ///< by mark, then trial: what was carried
    bool changed = false; ///< an iteration has changed marks or fields of an older batch; here is what was before
    std::vector<T> marksBefore;
    std::vector<AlignedArray<T>> fieldsBefore;
    std::vector<int> lengths; ///< by trial
    std::vector<End> ends;
    std::vector<char> begins;         ///< one step more than steps
    std::vector<std::int64_t> before; ///< by trial: steps it had made before this batch
    Following<T> following;
};

/// The batches that a rule keeps, oldest first.
template <class T>
class StoredTrials {
public:
    StoredTrials(const Setup<T>& setup, int store);

    const RuleParts::StoreInfo& info() const { return info_; }
    const std::vector<int>& marks() const { return marks_; }
    /// Steps of a batch that outlive its iteration.
    int keptSteps() const { return info_.steps > 0 ? std::min(info_.steps, setup_.steps) : setup_.steps; }

    /// Makes room for a new batch; the oldest goes when the iteration is committed.
    StoredBatch<T>& add(std::uint32_t iteration);
    /// Takes over what the sweep of a chunk of the newest batch left.
    void take(StoredBatch<T>& batch, Sweep<T>& sweep, const TrialRange& range, const ContinuedTrials<T>* from) const;
    /// Brings together what the chunks saw after trials; in the order of chunks.
    void takeFollowing(StoredBatch<T>& batch, const std::vector<Following<T>>& chunks) const;

    int size() const { return std::min(static_cast<int>(batches_.size()), info_.batches); }
    StoredBatch<T>& batch(int which) { return batches_[batches_.size() - at(size()) + at(which)]; }
    /// Before marks or fields of a batch are changed: keeps those of a committed one until commit or rollBack.
    void change(int which);
    /// Fills the columns of a replay. @pre all stretches have the same burn-in, and fit into the sweep
    void fill(Sweep<T>& sweep, std::span<const Stretch> stretches, const std::vector<bool>& members);

    /// Takes over the states before marked steps that a replay of whole trials left, of these nodes.
    void takeMarks(Sweep<T>& sweep, std::span<const Stretch> stretches, const std::vector<bool>& members);

    void commit();
    void rollBack();
    bool collected() const { return added_ > 0; }

    /// As tensors for checkpoints, and back.
    void save(std::vector<NamedTensor>& to) const;
    void load(const std::function<const Tensor*(const std::string&)>& find);
    /// Bytes of one batch, about.
    std::size_t batchBytes() const;

private:
    std::size_t markOf(int step) const;
    std::string prefix(std::size_t which) const;

    const Setup<T>& setup_;
    RuleParts::StoreInfo info_;
    std::vector<int> marks_;
    std::vector<std::pair<int, int>> knownPorts_;
    std::vector<bool> ownFields_;
    std::size_t trialSize_ = 0;
    std::deque<StoredBatch<T>> batches_;
    std::vector<StoredBatch<T>> spare_;
    int added_ = 0;
};

extern template class StoredTrials<float>;
extern template class StoredTrials<double>;

} // namespace raphe
