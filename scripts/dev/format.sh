#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Formats the tracked C++ files with clang-format.
# Usage: scripts/dev/format.sh [--check]     --check: changes nothing, fails if a file is not formatted
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "format.sh: $*" >&2; exit 1; }

arguments=(-i)
case "${1:-}" in
    "") ;;
    --check) arguments=(--dry-run --Werror) ;;
    *) fail "unknown argument '$1'; the only one is --check." ;;
esac
command -v clang-format >/dev/null || fail "clang-format is missing; run scripts/dev/install.sh --optional."

mapfile -d '' -t tracked < <(git ls-files -z -- '*.cpp' '*.h')
files=()
for file in "${tracked[@]}"; do
    if [[ -f $file ]]; then files+=("$file"); fi
done
if ((${#files[@]} == 0)); then
    echo "There are no C++ files to format."
    exit 0
fi
clang-format "${arguments[@]}" -- "${files[@]}" || fail "some files are not formatted; run scripts/dev/format.sh."
echo "${#files[@]} files are formatted."
