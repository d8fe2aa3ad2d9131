# Where the environments of head and kernel are on Roihu; sourced, not run. Not tried there.
#
# CPU nodes are x86, GPU nodes ARM, and a job runs the same Python as the head that submitted it
# (CSC running/submitting-across-architectures.md, 2026). So there is one pair of environments for
# each, made on a login node of its kind, and a run for a GPU target starts from a shell on the
# GPU side: bash slurm/workflow.sbatch REQUEST.yaml --target roihu-gpumedium
#
# Files: a project may have 150,000 in /projappl (CSC roihu-disk.md, 2026-04); put each environment
# into one image with Tykky (CSC containers/tykky.md). kernel/bin/python is its wrapper then.
#
# shellcheck shell=bash
: "${LUMIPIPE_ENVIRONMENTS:=/projappl/${SLURM_JOB_ACCOUNT:-${SBATCH_ACCOUNT:-PROJECT}}/lumipipe}"
: "${LUMIPIPE_HEAD:=$LUMIPIPE_ENVIRONMENTS/$(uname -m)/head}"
: "${LUMIPIPE_KERNEL:=$LUMIPIPE_ENVIRONMENTS/$(uname -m)/kernel/bin/python -m lumipipe}"
export LUMIPIPE_HEAD LUMIPIPE_KERNEL
