#!/usr/bin/env bash
# Become COMMAND as one bound rank:  srun ... slurm/bind.sh COMMAND...
#
# The rank gets its own device, a node-local cache of compiled kernels, and one thread. Masks of
# cores are srun's (--cpu-bind, from src/lumipipe/machine/binding.py); here they are only verified.
# Without Slurm, and on nodes without devices, no device and no cache is touched.
#
# May be set before:
#   LUMIPIPE_DEVICES=8        devices of a node that were planned; another number ends the rank
#   LUMIPIPE_CORES="49-55 …"  cores of each local rank, in the kernel's form; others end the rank
#   LUMIPIPE_GPU_AWARE=1      device memory goes through MPI; staged through the host otherwise
#   LUMIPIPE_GTL=FILE         library that Cray MPICH needs for that, preloaded for the rank only
#
# Sources: UG, TM, CP are the LUMI user guide, training materials and CuPy's documents, June 2026.
set -euo pipefail
[ $# -gt 0 ] || { echo 'bind.sh: no command; write: srun ... bind.sh COMMAND...' >&2; exit 2; }

rank=${SLURM_LOCALID:-0}
node=${SLURMD_NODENAME:-$(uname -n)}

refuse() { # one line a node, and the exit code of wrong input
  if [ "$rank" -eq 0 ]; then echo "bind.sh: $1" >&2; else sleep 1; fi
  exit 2
}

counted() { # "1 rank", "2 ranks"
  if [ "$1" -eq 1 ]; then echo "$1 $2"; else echo "$1 $2s"; fi
}

ranks_here() { # ranks of this step on this node; Slurm writes 8(x2),4 for 8, 8 and 4
  local entry times place=${SLURM_NODEID:-0}
  for entry in ${SLURM_STEP_TASKS_PER_NODE//,/ }; do
    times=1
    [[ $entry != *x* ]] || { times=${entry##*x}; times=${times%)}; }
    [ "$place" -ge "$times" ] || break
    place=$((place - times))
  done
  echo "${entry%%(*}"
}

verify_cores() {
  local allowed planned
  read -ra planned <<<"${LUMIPIPE_CORES:-}"
  [ ${#planned[@]} -gt 0 ] || return 0
  allowed=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
  [ "$allowed" = "${planned[rank]:-none}" ] || {
    echo "bind.sh: local rank $rank has cores $allowed on $node, planned are" \
      "${planned[rank]:-none}; binding needs a whole node and --cpu-bind" >&2
    exit 2
  }
}

select_device() { # leaves each rank one visible device; sets `devices`, those of this node
  local variable=ROCR_VISIBLE_DEVICES shown ranks
  [ ! -e /dev/nvidiactl ] || variable=CUDA_VISIBLE_DEVICES
  IFS=, read -ra shown <<<"${!variable:-}"
  devices=${SLURM_GPUS_ON_NODE:-${#shown[@]}}
  # A Slurm that confines nothing may also name nothing: then the node's devices count from 0.
  [ ${#shown[@]} -gt 0 ] || for ((i = 0; i < devices; i++)); do shown+=("$i"); done
  [ "${LUMIPIPE_DEVICES:-$devices}" -eq "$devices" ] ||
    refuse "$(counted "$LUMIPIPE_DEVICES" device) planned, $devices shown on $node"
  [ "$devices" -gt 0 ] || return 0
  ranks=$(ranks_here)
  [ "$ranks" -le "$devices" ] ||
    refuse "$(counted "$ranks" rank), $(counted "$devices" device) on $node; ask for as many"
  # Fewer shown than there are: Slurm gave this rank its own (--gpus-per-task, --gpu-bind).
  if [ ${#shown[@]} -eq "$devices" ]; then
    export "$variable=${shown[rank]}"
  fi
  # HIP applies its own and CUDA's list after ROCr's, and would look for number 3 among one.
  [ "$variable" != ROCR_VISIBLE_DEVICES ] || [[ ${!variable} == *,* ]] ||
    unset CUDA_VISIBLE_DEVICES HIP_VISIBLE_DEVICES GPU_DEVICE_ORDINAL
}

is_ours() { [ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ]; } # anybody may put names into /tmp

hold_folder() { # make a folder that only we can enter, and lock it until this rank ends
  folder=$1
  for _ in {1..20}; do # an earlier step's last rank may be removing it
    mkdir -m 700 "$folder" 2>/dev/null || is_ours "$folder" || [ ! -e "$folder" ] || return 1
    if chmod 700 "$folder" && exec {held}>"$folder/lock"; then
      flock --shared "$held"
      [ ! "$folder/lock" -ef "/proc/self/fd/$held" ] || return 0
      exec {held}>&-
    fi 2>/dev/null
  done
  return 1
}

remove_after_last_rank() { # also what killed steps of earlier jobs have left on this node
  local left
  for left in "${1%-*}"-*; do
    (
      exec </dev/null >/dev/null 2>&1 {held}>&-
      [[ ! ${PMI_FD:-} =~ ^[0-9]+$ ]] || eval "exec $PMI_FD>&-" # the launcher watches it
      is_ours "$left" && exec {alone}>"$left/lock" || exit 0
      [ "$left" = "$1" ] || flock --nonblock "$alone" || exit 0
      flock "$alone" && [ "$left/lock" -ef "/proc/self/fd/$alone" ] || exit 0
      # In one step, so that who comes now makes a new one.
      mv -T "$left" "$left.$BASHPID" && rm -rf "$left.$BASHPID"
    ) &
  done
}

# Own places of these are in the home folder: slow, soon full, all ranks at once. CuPy (CP), what
# compiles for it (ROCm/llvm-project amd/comgr/README, 2025), and older rocFFT; newer ones cache
# only in a file that is named (rocFFT runtime-compilation, 2025).
cache_kernels() {
  local name=lumipipe-kernels-$UID-${SLURM_JOB_ID:-none} root
  for root in /tmp "${TMPDIR:-/tmp}"; do
    hold_folder "$root/$name" || continue
    [ "$root" = /tmp ] || echo "bind.sh: kernel cache in $folder on $node" >&2
    export CUPY_CACHE_DIR=$folder/cupy AMD_COMGR_CACHE_DIR=$folder/comgr
    export ROCFFT_RTC_CACHE_PATH=$folder/rocfft.db
    (umask 077 && mkdir -p "$CUPY_CACHE_DIR")
    [ "$rank" -ne 0 ] || remove_after_last_rank "$folder"
    return 0
  done
  echo "bind.sh: no folder for the kernel cache on $node; each rank compiles its own" >&2
  export CUPY_CACHE_IN_MEMORY=1 AMD_COMGR_CACHE=0 ROCFFT_RTC_CACHE_PATH=/dev/null
}

choose_network() { # of Cray MPICH; other libraries ignore it
  if [ "${LUMIPIPE_GPU_AWARE:-0}" = 1 ]; then
    export MPICH_GPU_SUPPORT_ENABLED=1 MPICH_OFI_NIC_POLICY=GPU # TM 202-Binding
    return 0
  fi
  # A program that is not linked to the GTL must not ask for it (UG, TM 102-CPE).
  export MPICH_GPU_SUPPORT_ENABLED=0
  # The default, BLOCK, is wrong for LUMI-G (TM 202-Binding). Cray MPICH ends ranks under NUMA
  # whose cores span NUMA nodes, so only where masks were given.
  case ${SLURM_CPU_BIND_TYPE:-} in
    mask_cpu:* | map_cpu:*) export MPICH_OFI_NIC_POLICY=NUMA ;;
    *) unset MPICH_OFI_NIC_POLICY ;;
  esac
}

# Sums inside BLAS depend on its number of threads; a rank has one.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

devices=0
if [ -n "${SLURM_LOCALID:-}" ] && [ -n "${SLURM_STEP_TASKS_PER_NODE:-}" ]; then
  # MPICH's UCX part tells other nodes 4 KiB of memory behind its address (mpidi_ucx addrexch, 5.0),
  # in lines that Slurm's PMI-1 cuts at 1,024 bytes: then all ranks wait for ever.
  export MPIR_CVAR_CH4_NETMOD="${MPIR_CVAR_CH4_NETMOD:-ofi}"
  verify_cores
  select_device
fi
if [ "$devices" -gt 0 ]; then
  cache_kernels
  choose_network
fi
if [ "${LUMIPIPE_GPU_AWARE:-0}" = 1 ] && [ -n "${LUMIPIPE_GTL:-}" ]; then
  exec env LD_PRELOAD="$LUMIPIPE_GTL${LD_PRELOAD:+:$LD_PRELOAD}" "$@"
fi
exec "$@"
