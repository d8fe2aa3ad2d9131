# shellcheck shell=bash
# What the kernel environment of route A needs around it, for the build and for each job: sourced,
# also by slurm/lumi/environment.sh. Modules are loaded once, by the head; jobs inherit them.
module load LUMI/25.03 partition/G cpeGNU/25.03 rocm/6.3.4 cray-python/3.11.7
# The default environment comes first otherwise (TM User-Updates/Update-202601, 2026-01).
export LD_LIBRARY_PATH=$CRAY_LD_LIBRARY_PATH:${LD_LIBRARY_PATH:-}
# For ranks that hand device memory to MPI, preloaded by slurm/bind.sh (EBC pull 41, 2022-08).
export LUMIPIPE_GTL=${LUMIPIPE_GTL:-$CRAY_MPICH_ROOTDIR/gtl/lib/libmpi_gtl_hsa.so}
