#!/usr/bin/env bash
# Installs Chromium and its driver for the report's browser test where that is possible without
# asking: as root with apt-get. Elsewhere the test says why it is skipped.
set -euo pipefail
if command -v chromedriver >/dev/null && command -v chromium >/dev/null; then exit 0; fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then exit 0; fi
echo "installing Chromium for the report's browser test" >&2
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install -y --no-install-recommends chromium chromium-driver; } \
  >/tmp/plumbline-chromium.log 2>&1; then
  echo "Chromium could not be installed (see /tmp/plumbline-chromium.log)" >&2
fi
