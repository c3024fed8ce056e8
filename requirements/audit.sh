#!/usr/bin/env bash
# Asks an advisory service about known vulnerabilities in the lists of exact versions.
#
# It needs a network: pip-audit is installed into a throw-away environment and sends the names and
# versions to the Python package index's advisory service. No package of the lists is installed.
# Status 1: a list has a vulnerable version, or the service could not be asked.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
status=0
for list in cpu.txt gpu.txt portable.txt; do
  echo "$list:" >&2
  # The lists are complete, so nothing has to be resolved.
  # Strict: a package that the service does not know counts as a failure.
  "$work/venv/bin/pip-audit" --strict --progress-spinner off --no-deps --disable-pip \
    --requirement "$list" || status=1
done
exit "$status"
