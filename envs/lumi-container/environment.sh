# shellcheck shell=bash
# What the kernel environment of route B needs around it, for the build and for each job: sourced,
# also by slurm/lumi/environment.sh. Modules are loaded once, by the head; jobs inherit them.
# The module binds the file systems and slurmd's spool and has srun speak PMI-2 (AIG 02, 2026-05).
module use /appl/local/laifs/modules
module load lumi-aif-singularity-bindings
# Against hangs of these images (AIG pull 118, 2026-09).
export FI_MR_CACHE_MONITOR=${FI_MR_CACHE_MONITOR:-userfaultfd}
