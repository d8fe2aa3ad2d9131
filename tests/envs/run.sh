#!/usr/bin/env bash
# tests/envs/run.sh [--quick] [oldest|newest ...]
# Runs the CPU suite with the oldest and the newest versions that the environments of envs/ imply,
# each from its lock, in .venv-oldest and .venv-newest. --quick: only imports and the quick tier.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

interpreter() { # interpreter VERSION ...: the first that starts, also one that pyenv keeps aside
  local version candidate
  for version in "$@"; do
    for candidate in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
      if "$candidate" -c '' 2>/dev/null; then
        command -v "$candidate"
        return
      fi
    done
  done
  return 1
}

check() { # check NAME VERSION ...: tell the versions, import every module, run the tests
  local name=$1 python
  if ! python=$(interpreter "${@:2}"); then
    echo "$name: SKIPPED, no Python of ${*:2} here"
    return
  fi
  tests/envs/make.sh ".venv-$name" "tests/envs/$name.lock" "$python"
  ".venv-$name/bin/python" tests/envs/imports.py
  OMP_NUM_THREADS=1 ".venv-$name/bin/python" -m pytest -n "${WORKERS:-2}" --dist worksteal \
    -p no:cacheprovider "${SELECTION[@]}"
}

SELECTION=()
if [[ ${1:-} == --quick ]]; then
  SELECTION=(-m "not gpu and not slurm and not mpi and not real and not slow")
  shift
fi
if [[ $# == 0 ]]; then
  set -- oldest newest
fi
for name in "$@"; do
  case $name in
    oldest) check oldest 3.11 ;;    # cray-python of route A
    newest) check newest 3.13 3.12 ;; # 3.12 is the container's of route B
    *) echo "tests/envs/run.sh: $name is neither oldest nor newest" >&2 && exit 2 ;;
  esac
done
