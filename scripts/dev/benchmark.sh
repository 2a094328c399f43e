#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the benchmarks of the release preset and runs them: ceilings of this machine, sweeps over Hebbian traces, training
# iterations at 1 and 2 threads. Where PyTorch or JAX are at hand, times the same networks in them, in the same sitting.
# Usage: scripts/dev/benchmark.sh [--quick]
#   --quick                measures for a shorter time
#   RAPHE_PEERS_DIR=DIR    folder of plastic_rnn_torch.py, nm_rnn_torch.py, ppo_nmn_torch.py (default: ../shared/peers)
#                          The peers of tests/benchmarks/peers are always there.
#   RAPHE_PYTHON=PROGRAM   a Python with torch, JAX or both (default: the first of python3 and the system's that has torch)
#   RAPHE_BUILD_DIR=DIR    a configured build folder (default: build/release, which is configured if need be)
# Leave the machine alone meanwhile: whatever else runs takes from both sides, but not evenly.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "benchmark.sh: $*" >&2; exit 1; }

least=1
repetitions=5
for argument in "$@"; do
    case $argument in
        --quick) least=0.2 repetitions=3 ;;
        *) fail "unknown argument '$argument'; usage: scripts/dev/benchmark.sh [--quick]" ;;
    esac
done

build="${RAPHE_BUILD_DIR:-build/release}"
if [[ ! -f $build/CMakeCache.txt ]]; then cmake --preset release >&2 || fail "the release preset could not be configured."; fi
targets=(iteration_benchmark plastic_sweep_benchmark)
if cmake --build "$build" --target help | grep -q '^ceilings_benchmark'; then targets+=(ceilings_benchmark); fi
cmake --build "$build" --target "${targets[@]}" >&2 || fail "the benchmarks could not be built."

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
echo "Load before: $(cut -d' ' -f1-3 /proc/loadavg) on $(nproc) cores"

if [[ " ${targets[*]} " == *" ceilings_benchmark "* ]]; then
    echo; echo "== Ceilings of one core =="
    "$build/bin/ceilings_benchmark" --benchmark_color=false --benchmark_min_time="$least" 2>/dev/null
else
    echo "Not measured: products through BLAS, because the serial OpenBLAS is missing (libopenblas-serial-dev)."
fi
echo; echo "== Sweeps over Hebbian traces =="
"$build/bin/plastic_sweep_benchmark" --benchmark_color=false --benchmark_min_time="$least" 2>/dev/null
echo; echo "== Training iterations =="
"$build/bin/iteration_benchmark" --benchmark_color=false --benchmark_min_time="$least" 2>/dev/null | tee "$work/iterations"

peers="${RAPHE_PEERS_DIR:-../shared/peers}"
own_peers=tests/benchmarks/peers
python=""
for candidate in ${RAPHE_PYTHON:-python3 /usr/bin/python3}; do
    if [[ -z $python ]] && "$candidate" -c 'import torch' 2>/dev/null; then python="$candidate"; fi
done
jax=""
for candidate in ${RAPHE_PYTHON:-python3 /usr/bin/python3}; do
    if [[ -z $jax ]] && "$candidate" -c 'import jax' 2>/dev/null; then jax="$candidate"; fi
done

# ours EXPERIMENT: the better of 1 and 2 threads, in seconds
ours() {
    awk -v name="$1" '$1 == name && $3 == "ms" && $5 == "ms" { best = $2 < $4 ? $2 : $4; print best / 1000 }' "$work/iterations"
}
# peer PYTHON SCRIPT [argument]...: the better of 1 and 2 threads, in seconds
peer() {
    local program="$1" script="$2"; shift 2
    for threads in 1 2; do
        { "$program" "$script" --threads "$threads" --reps "$repetitions" "$@" || true; } |
            sed -n 's/.*s_per_iter=\([0-9.]*\).*/\1/p'
    done | sort -g | head -n 1
}
compare() {
    local name="$1" own other
    shift
    own="$(ours "$name")"
    other="$(peer "$@")"
    if [[ -z $own || -z $other ]]; then
        echo "$name: not measured"
        return
    fi
    awk -v n="$name" -v a="$own" -v b="$other" 'BEGIN { printf "%-20s %11.2f ms %11.2f ms %9.1fx\n", n, 1000 * a, 1000 * b, b / a }'
}
tried="(tried: ${RAPHE_PYTHON:-python3 /usr/bin/python3}); name one in RAPHE_PYTHON."

echo; echo "== Against PyTorch =="
if [[ -z $python ]]; then
    echo "Left out: no Python here has torch $tried"
else
    printf '%-20s %14s %14s %10s\n' experiment 'Raphe' 'PyTorch' ratio
    if [[ -f $peers/plastic_rnn_torch.py && -f $peers/nm_rnn_torch.py ]]; then
        compare cue_reward_none "$python" "$peers/plastic_rnn_torch.py" --mode rnn
        compare cue_reward_plastic "$python" "$peers/plastic_rnn_torch.py" --mode plastic
        compare cue_reward_simple "$python" "$peers/plastic_rnn_torch.py" --mode simple
        compare cue_reward_retro "$python" "$peers/plastic_rnn_torch.py" --mode retro
        compare mwg_nm_rnn "$python" "$peers/nm_rnn_torch.py"
    else
        echo "Left out: no peer scripts in $peers; name their folder in RAPHE_PEERS_DIR."
    fi
    if [[ -f $peers/ppo_nmn_torch.py ]]; then compare nmn_biased_target "$python" "$peers/ppo_nmn_torch.py"; fi
    for form in compile library; do compare mwg_lstm "$python" "$own_peers/lstm_torch.py" --form "$form"; done
fi

echo; echo "== Against JAX, compiled =="
if [[ -z $jax ]]; then
    echo "Left out: no Python here has jax $tried"
    exit 0
fi
printf '%-20s %14s %14s %10s\n' experiment 'Raphe' 'JAX' ratio
if [[ -f $peers/nm_rnn_jax.py ]]; then compare mwg_nm_rnn "$jax" "$peers/nm_rnn_jax.py" --scan 50; fi
compare mwg_lstm "$jax" "$own_peers/lstm_jax.py" --scan 50
