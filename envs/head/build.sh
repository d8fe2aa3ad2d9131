#!/usr/bin/env bash
# envs/head/build.sh ACCOUNT [FOLDER]
# Makes the head environment as one file in FOLDER, /project/ACCOUNT/lumipipe/head where it is
# absent, with the Python that PYTHON names (LUMI's cray-python, or python3 elsewhere). For a login
# node with a network: some minutes, 300 MB of /tmp. Then FOLDER/bin/lumipipe runs it.
set -euo pipefail
if (($# < 1 || $# > 2)); then
  sed -n '2,5s/^# //p' "$0" >&2
  exit 2
fi
folder=${2:-/project/$1/lumipipe/head}
envs=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [[ -z ${PYTHON:-} ]] && type module &>/dev/null; then
  module load cray-python/3.11.7 # of CPE 24.03 to 25.09 (SS CrayPE/CPEpackages_*.csv, 2026-07)
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$envs/install.sh" "${PYTHON:-python3}" head "$work/venv"
# Snakemake has jobs start "the same Python". That is FOLDER/bin/python, which is on every node,
# not the copy in the memory of this one.
echo 'import os, sys; sys.executable = os.environ.get("LUMIPIPE_PYTHON", sys.executable)' \
  >"$("$work/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/lumipipe_python.pth"
"$envs/image.sh" "$work/venv" "$folder"
"$folder/bin/python" -m snakemake --version
"$folder/bin/lumipipe" --version
