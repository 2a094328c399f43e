#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds the release preset and runs all tests.
# Usage: scripts/dev/test.sh [--sanitizers] [argument of ctest]...
#   --sanitizers   also builds the presets asan and tsan and runs the tests in them: those labelled 'sanitize' if any test
#                  has that label (set_tests_properties(... LABELS sanitize)), else all of them
# The last line is 'N passed, N failed', over all presets. Exit code 0 only if tests ran and none failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "test.sh: $*" >&2; exit 1; }

sanitizers=false
ctest_arguments=()
for argument in "$@"; do
    if [[ $argument == --sanitizers ]]; then sanitizers=true; else ctest_arguments+=("$argument"); fi
done

export QT_QPA_PLATFORM="${QT_QPA_PLATFORM:-offscreen}"
passed=0
failed=0
broken=()
log_dir="$(mktemp -d)"
trap 'rm -rf "$log_dir"' EXIT

# run_tests PRESET [argument of ctest]...: runs, counts and goes on whatever the outcome
run_tests() {
    local preset="$1" results="$log_dir/$1.xml" code=0 good=0 bad=0 unstarted=0
    shift
    ctest --preset "$preset" -j "$(nproc)" --no-tests=error --output-junit "$results" "$@" </dev/null || code=$?
    if [[ -s $results ]]; then
        good="$(grep -cE '^\s*<testcase .* status="run"' "$results" || true)"
        bad="$(grep -cE '^\s*<testcase .* status="fail"' "$results" || true)"
        # A test whose program is missing is a failure; one that skipped itself is neither.
        unstarted="$(grep -E -A 1 '^\s*<testcase .* status="notrun"' "$results" | grep -E '<skipped message=' | grep -cvE 'message="SKIP_' || true)"
    fi
    # What breaks ctest itself is in none of the counts, and a run without tests is no success.
    if ((code != 0 && bad + unstarted == 0)); then broken+=("$preset: ctest ended with exit code $code"); fi
    passed=$((passed + good))
    failed=$((failed + bad + unstarted))
}

scripts/dev/install.sh --tests || fail "the packages that Raphe needs could not be installed."
scripts/dev/build.sh release || fail "Raphe could not be built, so no test ran."
run_tests release "${ctest_arguments[@]}"

if $sanitizers; then
    for preset in asan tsan; do
        if ! scripts/dev/build.sh "$preset"; then
            broken+=("$preset: the build failed")
            continue
        fi
        selection=()
        if ctest --preset "$preset" -N -L sanitize </dev/null | grep -qE '^Total Tests: [1-9]'; then selection=(-L sanitize); fi
        run_tests "$preset" "${selection[@]}" "${ctest_arguments[@]}"
    done
fi

echo
for line in "${broken[@]}"; do
    echo "Problem: $line."
    failed=$((failed + 1))
done
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
