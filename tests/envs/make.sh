#!/usr/bin/env bash
# tests/envs/make.sh VENV LOCK PYTHON
# Makes VENV from LOCK with this checkout, editable, unless it stands from the same files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
venv=$1 lock=$2 python=$3

uv() { .venv/bin/uv "$@"; }
state=$("$python" --version && sha256sum requirements/build.lock "$lock" pyproject.toml)
if [[ -f $venv/state && $(<"$venv/state") == "$state" ]]; then
  exit 0
fi
echo "installing $lock into $venv"
uv venv --quiet --clear --python "$python" "$venv"
for locked in requirements/build.lock "$lock"; do # first what builds, as in the Makefile
  uv pip install --quiet --python "$venv/bin/python" --no-build-isolation --require-hashes -r "$locked"
done
uv pip install --quiet --python "$venv/bin/python" --no-build-isolation --no-deps --editable .
echo "$state" >"$venv/state"
