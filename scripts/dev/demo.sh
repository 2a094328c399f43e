#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds, trains a small neuromodulated network and draws its learning curve.
# Usage: scripts/dev/demo.sh [argument of 'raphe run']...     e.g. --iterations 500
#        scripts/dev/demo.sh --window [EXPERIMENT]...         installs, builds, and opens the window instead
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "demo.sh: $*" >&2; exit 1; }
trap 'echo "demo.sh: interrupted." >&2; exit 130' INT

experiment=cue_small_A_simple
raphe=build/release/bin/raphe

scripts/dev/install.sh || fail "the packages that Raphe needs could not be installed."
scripts/dev/build.sh release || fail "Raphe could not be built."
[[ -x $raphe ]] || fail "the build made no $raphe."

if [[ ${1:-} == --window ]]; then
    shift
    if (($# == 0)); then set -- "$experiment"; fi
    [[ -n ${DISPLAY:-}${WAYLAND_DISPLAY:-}${QT_QPA_PLATFORM:-} ]] || fail "there is no display to open a window on."
    exec build/release/bin/raphe-workbench "$@"
fi

# A new directory each time, so that a run that broke off is never mistaken for this one.
stamp="$(date +%Y%m%d-%H%M%S)"
run="runs/demo-$stamp"
for ((n = 2; ; n++)); do
    if [[ ! -e $run ]]; then break; fi
    run="runs/demo-$stamp-$n"
done
mkdir -p runs
events="$(mktemp)"
trap 'rm -f "$events"' EXIT

echo "Training $experiment into $run ..." >&2
"$raphe" run "$experiment" --out "$run" --json "$@" </dev/null >"$events" || fail "training stopped with exit code $?; see the messages above and $run."

end="$(grep '"event":[[:space:]]*"end"' "$events" | tail -n 1 || true)"
[[ -n $end ]] || fail "training ended without saying how it went."
# The first number after a key of the line's JSON object.
number() { sed -nE "s/.*\"$1\":[[:space:]]*(-?[0-9][0-9.eE+-]*).*/\1/p" <<<"$end"; }
reward="$(number reward)"
seconds="$(number seconds_training)"
iterations="$(number iterations)"
[[ -n $reward ]] || fail "training reported no reward."

for kind in svg png; do
    "$raphe" plot "$run" --metric reward -o "$run/learning_curve.$kind" </dev/null >&2 || fail "the learning curve could not be drawn as $kind."
    [[ -s $run/learning_curve.$kind ]] || fail "drawing the learning curve left no $run/learning_curve.$kind."
done

echo
LC_ALL=C printf 'Trained %s iterations in %.1f s.\nMean reward at the end: %.2f\n' "$iterations" "$seconds" "$reward"
echo "Learning curve: $run/learning_curve.svg and $run/learning_curve.png"
echo "The same in the window: scripts/dev/demo.sh --window"
