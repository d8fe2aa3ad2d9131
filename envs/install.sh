#!/usr/bin/env bash
# envs/install.sh PYTHON ENVIRONMENT FOLDER [PIP_OPTION ...]
# Makes FOLDER a virtual environment of PYTHON with what envs/ENVIRONMENT/requirements.lock names
# and with this checkout of lumipipe, both without anything that the lock does not hold.
# What has no wheel is built, with the tools of envs/build.lock and the compilers of the caller;
# so is what a PIP_OPTION such as --no-binary=mpi4py names.
set -euo pipefail
if (($# < 3)); then
  sed -n '2,6s/^# //p' "$0" >&2
  exit 2
fi
python=$1 lock=$2/requirements.lock folder=$(realpath -m "$3")
shift 3
cd "$(dirname "${BASH_SOURCE[0]}")"
[[ -f $lock ]] || { echo "$0: there is no envs/$lock" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m venv "$work/build"
pip() { "$work/build/bin/python" -m pip --disable-pip-version-check -qq "$@"; }
pip install --require-hashes --only-binary :all: -r build.lock

pip wheel "$@" --no-deps --no-build-isolation --require-hashes -r "$lock" \
  --wheel-dir "$work/wheels"
pip wheel --no-deps --no-build-isolation --wheel-dir "$work/wheels" ..
rm -rf "$folder"
"$python" -m venv --without-pip "$folder"
pip --python "$folder/bin/python" install --no-index --no-deps "$work/wheels"/*.whl
pip --python "$folder/bin/python" check
