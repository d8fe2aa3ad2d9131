#!/usr/bin/env bash
# envs/image.sh VENV FOLDER [COMMAND ...]
# Packs the virtual environment VENV into FOLDER/image.sqsh, one file, and writes FOLDER/bin/python
# and FOLDER/bin/lumipipe, which run it. COMMAND starts a program of the image (its path in the
# image follows); where it is absent, FOLDER/unpacked.sh does, from the memory of the node.
set -euo pipefail
if (($# < 2)); then
  sed -n '2,5s/^# //p' "$0" >&2
  exit 2
fi
venv=$1 folder=$(realpath -m "$2")
shift 2

mkdir -p "$folder/bin"
# Scripts with the path of this VENV in their first line would not work from another place.
find "$venv/bin" -type f -exec grep -qI "^#!.*$venv" {} \; -delete
rm -f "$folder/image.part"
squash() { # squash COMPRESSION
  mksquashfs "$venv" "$folder/image.part" -all-root -no-xattrs -no-progress -quiet -comp "$1" \
    -processors "${SLURM_CPUS_PER_TASK:-1}" # 1: the custom on login nodes (AIG 02, 2026-05)
}
if (($# == 0)); then
  squash lz4 || squash gzip # lz4 packs and unpacks several times as fast, for half again the size
  cp "$(dirname "${BASH_SOURCE[0]}")/unpacked.sh" "$folder/unpacked.sh"
  set -- "$folder/unpacked.sh" "$folder/image.sqsh"
  inside=""
else
  squash gzip # which every kernel can mount
  inside=/opt/lumipipe/
fi
mv "$folder/image.part" "$folder/image.sqsh"

write_script() { # write_script NAME WORD ...: a script that hands its own words on
  printf '#!/usr/bin/env bash\n# Made by envs/image.sh.\n%s\nexec' \
    "export LUMIPIPE_PYTHON=${folder@Q}/bin/python" >"$folder/bin/$1"
  printf ' %q' "${@:2}" >>"$folder/bin/$1"
  # shellcheck disable=SC2016 # for the script that is written
  printf ' "$@"\n' >>"$folder/bin/$1"
  chmod +x "$folder/bin/$1"
}
write_script python "$@" "${inside}bin/python"
write_script lumipipe "$@" "${inside}bin/python" -I -m lumipipe

echo "$folder/image.sqsh: $(stat -c %s "$folder/image.sqsh") bytes for $(find "$venv" | wc -l)" \
  "files and folders of $(du -sb "$venv" | cut -f1) bytes"
