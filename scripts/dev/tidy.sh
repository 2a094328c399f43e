#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs clang-tidy (checks in .clang-tidy) over our sources; fails if there is any warning.
# Usage: scripts/dev/tidy.sh [FILE.cpp]...     without files: every tracked source that the release preset compiles
set -euo pipefail
start="$PWD"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "tidy.sh: $*" >&2; exit 1; }

command -v clang-tidy >/dev/null || fail "clang-tidy is missing; run scripts/dev/install.sh --optional."
if [[ ! -f build/release/compile_commands.json ]]; then
    fail "build/release/compile_commands.json is missing; run scripts/dev/build.sh first."
fi

if (($# > 0)); then
    candidates=()
    for file in "$@"; do candidates+=("$(realpath --relative-to="$PWD" -- "$(cd "$start" && realpath -- "$file")")"); done
else
    mapfile -d '' -t candidates < <(git ls-files -z -- '*.cpp')
fi
files=()
for file in "${candidates[@]}"; do
    if grep -qF "\"$PWD/$file\"" build/release/compile_commands.json; then files+=("$file"); fi
done
if ((${#files[@]} == 0)); then fail "none of the files is compiled by the release preset."; fi

printf '%s\0' "${files[@]}" |
    xargs -0 -n 1 -P "$(nproc)" clang-tidy -p build/release --quiet --warnings-as-errors='*' \
        --header-filter="^$PWD/(workbench|plugins|tests)/" ||
    fail "clang-tidy has something to say; see above."
echo "${#files[@]} files are clean."
