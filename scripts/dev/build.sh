#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Configures a preset and builds it into build/<preset>.
# Usage: scripts/dev/build.sh [release|debug|asan|tsan] [TARGET]...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "build.sh: $*" >&2; exit 1; }

preset="${1:-release}"
if (($# > 0)); then shift; fi
case "$preset" in
    release | debug | asan | tsan) ;;
    *) fail "there is no preset '$preset'; the presets are release, debug, asan and tsan." ;;
esac

command -v cmake >/dev/null || fail "cmake is missing; run scripts/dev/install.sh first."

# One job a core, but no more than one per 2 GiB of memory: templates are hungry.
jobs="$(nproc)"
memory_kib="$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)"
memory_jobs=$((${memory_kib:-2097152} / 2097152))
if ((memory_jobs < jobs)); then jobs=$memory_jobs; fi
if ((jobs < 1)); then jobs=1; fi

command=(cmake --build "build/$preset" -j "$jobs")
if (($# > 0)); then command+=(--target "$@"); fi

cmake --preset "$preset" </dev/null || fail "configuring the preset '$preset' failed."
"${command[@]}" </dev/null || fail "building the preset '$preset' failed."

programs=()
for program in raphe raphe-figure raphe-workbench; do
    if [[ -x build/$preset/bin/$program ]]; then programs+=("build/$preset/bin/$program"); fi
done
if ((${#programs[@]} > 0)); then
    echo "Built: ${programs[*]}"
else
    echo "Built the preset '$preset'; it holds no program yet."
fi
