#!/bin/sh
# Makes .venv with a CPU build of torch and latebloom in it; again is quick. Plain sh, so that it works before anything does.
#
#   EXTRAS=[test]       extras to install with latebloom
#   TORCH=cuda          take the CUDA build (several GB); without it only machines with a working GPU do
#   TORCH_CPU_INDEX=…   where CPU wheels of torch are, if pip does not find them by itself
#   PYTHON=… VENV=…     which Python, which folder
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
venv=${VENV:-.venv}
torch=2.13.0

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
  echo "latebloom needs Python 3.11 or newer; '$python' is $("$python" --version 2>&1 || echo missing). Set PYTHON=..." >&2
  exit 2
}
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv" || {
  echo "No virtual environment could be made. On Debian and Ubuntu: apt-get install python3-venv" >&2
  exit 2
}
pip() { "$venv/bin/python" -m pip --disable-pip-version-check --quiet "$@" 2>"$venv/pip.log" || { cat "$venv/pip.log" >&2; return 1; }; }

if ! "$venv/bin/python" -c 'import torch' 2>/dev/null; then
  if [ "${TORCH:-}" = cuda ] || { [ -z "${TORCH:-}" ] && nvidia-smi -L >/dev/null 2>&1; }; then
    pip install "torch==$torch"
  else
    # A plain `torch` would fetch a CUDA build of several GB; the local version says which build is meant.
    "$venv/bin/python" -m pip --disable-pip-version-check --quiet install "torch==$torch+cpu" 2>/dev/null ||
      pip install "torch==$torch" --index-url "${TORCH_CPU_INDEX:-https://download.pytorch.org/whl/cpu}"
  fi
fi
pip install -c constraints.txt -e ".${EXTRAS:-}"
