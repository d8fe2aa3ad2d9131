#!/usr/bin/env bash
# envs/lumi-container/build.sh ACCOUNT IMAGE.sif [FOLDER]
# Makes the kernel environment of route B as one file in FOLDER, /project/ACCOUNT/lumipipe/kernel
# where it is absent, to be bound over IMAGE.sif: an image of the LUMI AI Factory with ROCm 7.0,
# MPICH 5 and Python 3.12. Its kind "mpich" is enough; those below /appl/local/laifs/containers are
# named lumi-multitorch-mpich-u24r70f..m50..-DATE.sif. In a job on one GCD of small-g (at most
# 0.5 GPU-h). Not tried on LUMI: see envs/README.md.
set -euo pipefail
if (($# < 2 || $# > 3)); then
  sed -n '2,8s/^# //p' "$0" >&2
  exit 2
fi
sif=$(realpath -e "$2") folder=${3:-/project/$1/lumipipe/kernel}
envs=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [[ -z ${SLURM_JOB_ID:-} ]]; then
  exec srun --account="$1" --partition=small-g --gpus=1 --cpus-per-task=7 --mem=60G \
    --time=01:00:00 "$envs/lumi-container/build.sh" "$1" "$sif" "$folder"
fi

# shellcheck source=envs/lumi-container/environment.sh
source "$envs/lumi-container/environment.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# mpi4py is built with the mpicc of the image (LAIF mpich/Ubuntu_Rocm_Slingshot, 2026-07).
singularity exec --bind "$envs/..,$work" "$sif" \
  "$envs/install.sh" python3.12 lumi-container "$work/venv" --no-binary=mpi4py
# -I: the torch and full images set PYTHONPATH to their own packages (LAIF torch/Venv_Torch, 2026-07).
"$envs/image.sh" "$work/venv" "$folder" \
  singularity run --bind "$(realpath -m "$folder")/image.sqsh:/opt/lumipipe:image-src=/" "$sif"
cp "$envs/lumi-container/environment.sh" "$folder/environment.sh"
"$folder/bin/python" -I - <<'EOF'
import cupy
from mpi4py import MPI

cupy.show_config()
assert cupy.cuda.runtime.is_hip, "CuPy was built for CUDA"
assert float((cupy.arange(10.0) ** 2).sum()) == 285, "the device computes something else"
print(MPI.Get_library_version())
EOF
"$folder/bin/lumipipe" --version
