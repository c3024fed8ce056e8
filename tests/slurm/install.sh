#!/usr/bin/env bash
# Installs SLURM and a database for its accounting where that is possible without asking: as root
# with apt-get. Nothing is started; the tests do that. Elsewhere they say why they are skipped.
set -euo pipefail
if command -v slurmctld >/dev/null && command -v slurmdbd >/dev/null && command -v mariadbd >/dev/null; then
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then exit 0; fi
echo "installing SLURM for the tests on a cluster" >&2
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then # packages would start their services
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
if ! { apt-get update && apt-get install -y --no-install-recommends \
  munge slurmctld slurmd slurm-client slurmdbd mariadb-server; } >/tmp/plumbline-slurm.log 2>&1; then
  echo "SLURM could not be installed (see /tmp/plumbline-slurm.log)" >&2
fi
