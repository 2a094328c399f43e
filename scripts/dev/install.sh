#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages of packages.txt that are missing; does nothing when there are none.
# Usage: scripts/dev/install.sh [--optional | --tests]     those of packages-optional.txt, or of packages-tests.txt, as well
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

fail() { echo "install.sh: $*" >&2; exit 1; }

lists=("$here/packages.txt")
case "${1:-}" in
    "") ;;
    --optional) lists+=("$here/packages-optional.txt") ;;
    --tests) lists+=("$here/packages-tests.txt") ;;
    *) fail "unknown argument '$1'; there are --optional and --tests." ;;
esac

command -v dpkg-query >/dev/null || fail "this is not a Debian system; install what packages.txt lists by other means."

missing=()
while read -r package _; do
    if [[ -z $package || $package == \#* ]]; then continue; fi
    status="$(dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null || true)"
    grep -qx installed <<<"$status" || missing+=("$package")
done < <(cat "${lists[@]}")

if ((${#missing[@]} == 0)); then
    echo "All packages are installed." >&2
    exit 0
fi

as_root=()
if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "these packages are missing and only root can install them: ${missing[*]}"
    as_root=(sudo)
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300)

echo "Installing ${#missing[@]} packages: ${missing[*]}" >&2
attempts=3
for ((attempt = 1; attempt <= attempts; attempt++)); do
    if "${apt[@]}" update </dev/null >&2 &&
        "${apt[@]}" install --no-install-recommends "${missing[@]}" </dev/null >&2; then
        echo "All packages are installed." >&2
        exit 0
    fi
    if ((attempt < attempts)); then
        echo "Attempt $attempt of $attempts failed; trying again." >&2
        sleep $((5 * attempt))
    fi
done
fail "could not install these packages: ${missing[*]} (the messages of apt-get above say why)."
