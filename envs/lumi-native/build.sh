#!/usr/bin/env bash
# envs/lumi-native/build.sh ACCOUNT [FOLDER]
# Makes the kernel environment of route A as one file in FOLDER, /project/ACCOUNT/lumipipe/kernel
# where it is absent: CuPy 13 for LUMI's ROCm 6.3 and mpi4py for Cray MPICH, both from source, in a
# job on one GCD of small-g (at most 1 GPU-h). Not tried on LUMI: see envs/README.md.
set -euo pipefail
if (($# < 1 || $# > 2)); then
  sed -n '2,5s/^# //p' "$0" >&2
  exit 2
fi
folder=${2:-/project/$1/lumipipe/kernel}
envs=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [[ -z ${SLURM_JOB_ID:-} ]]; then
  # ROCm is on the nodes with GPUs, and login nodes limit what a process may use (TM 202601_FAQ.md,
  # 2026-02). 7 cores and 60 GB are the fair share of a GCD (TM responsible-use.md, 2023-08).
  exec srun --account="$1" --partition=small-g --gpus=1 --cpus-per-task=7 --mem=60G \
    --time=02:00:00 "$envs/lumi-native/build.sh" "$1" "$folder"
fi

# shellcheck source=envs/lumi-native/environment.sh
source "$envs/lumi-native/environment.sh"
# As LUMI's own recipe builds it (EBC CuPy-13.5.1-cpeGNU-25.03-rocm.eb, 2025-08); the patch of the
# licence there is for an older setuptools. The target is named, or a GPU of this node would be.
export ROCM_HOME=$ROCM_PATH CUPY_INSTALL_USE_HIP=1 HCC_AMDGPU_TARGET=gfx90a HIPCC=hipcc CFLAGS=-w
export CUPY_NUM_BUILD_JOBS=${SLURM_CPUS_PER_TASK:-7}
# Cray's compiler wrapper links Cray MPICH, and the GTL for device memory where the module of the
# accelerator is loaded [inferred].
export MPICC="cc -shared"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$envs/install.sh" "$(command -v python3)" lumi-native "$work/venv" --no-binary=mpi4py,cupy
"$envs/image.sh" "$work/venv" "$folder"
cp "$envs/lumi-native/environment.sh" "$folder/environment.sh"
"$folder/bin/python" - <<'EOF'
import cupy
from mpi4py import MPI

cupy.show_config()
assert cupy.cuda.runtime.is_hip, "CuPy was built for CUDA"
assert float((cupy.arange(10.0) ** 2).sum()) == 285, "the device computes something else"
assert "CRAY MPICH" in MPI.Get_library_version(), MPI.Get_library_version()
EOF
"$folder/bin/lumipipe" --version
