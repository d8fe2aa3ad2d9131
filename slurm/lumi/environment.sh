# shellcheck shell=bash
# Where head and kernel are on LUMI; sourced, not run. A variable that is set already wins.
# envs/head/build.sh and envs/lumi-native/build.sh (or lumi-container) put them there.
: "${LUMIPIPE_ENVIRONMENTS:=/project/${SLURM_JOB_ACCOUNT:-${SBATCH_ACCOUNT:-PROJECT}}/lumipipe}"
: "${LUMIPIPE_HEAD:=$LUMIPIPE_ENVIRONMENTS/head}"
: "${LUMIPIPE_KERNEL:=$LUMIPIPE_ENVIRONMENTS/kernel/bin/lumipipe}"
export LUMIPIPE_HEAD LUMIPIPE_KERNEL
# Modules and variables of the route that the kernel was built for lie beside it.
if [[ -f ${LUMIPIPE_KERNEL%/bin/lumipipe}/environment.sh ]]; then
  # shellcheck source=/dev/null
  source "${LUMIPIPE_KERNEL%/bin/lumipipe}/environment.sh"
fi
