#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzz targets of tests/fuzz with clang and lets libFuzzer drive each for some time.
# Usage: scripts/dev/fuzz.sh [SECONDS]     for each target; 60 if not given
# What breaks a target is left in build/fuzz/found; put it into tests/fuzz/corpus together with the repair.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds="${1:-60}"
command -v clang++ >/dev/null || { echo "fuzz.sh: clang is missing; run scripts/dev/install.sh --optional." >&2; exit 1; }
cmake --preset fuzz
cmake --build --preset fuzz

failed=()
for target in json experiment text npz; do
    grown="build/fuzz/corpus/$target" found="build/fuzz/found/$target"
    mkdir -p "$grown" "$found"
    seeds=(tests/fuzz/corpus/"$target")
    case "$target" in
    json) seeds+=(resources/experiments) ;;
    experiment) seeds=(tests/fuzz/corpus/json resources/experiments) ;;
    esac
    echo "== $target"
    build/fuzz/bin/"${target}_fuzz" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -artifact_prefix="$found/" \
        -print_final_stats=1 "$grown" "${seeds[@]}" 2>&1 | tail -n 12 || failed+=("$target")
done
if ((${#failed[@]})); then
    echo "fuzz.sh: found something: ${failed[*]}; see build/fuzz/found." >&2
    exit 1
fi
