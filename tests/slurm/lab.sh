#!/usr/bin/env bash
# A Slurm cluster on this one machine, for tests and for trying things out.
#
#   lab.sh install [none|dbd]      install Debian's packages where they are missing (root only)
#   lab.sh start [none|dbd]        start it, or what is missing of it; prints the lines that make
#                                  a shell use it. dbd: with accounting
#   lab.sh stop                    cancel its jobs and stop all that it started
#   lab.sh remove                  stop, then delete its folder
#   lab.sh status                  partitions, nodes and jobs; fails where no cluster answers
#   lab.sh kill-slurmd NODE        SIGKILL for the daemon of a node; its jobs go on
#   lab.sh kill-node NODE          SIGKILL for it and all that jobs run there, like a power cut
#   lab.sh restart-slurmd NODE
#   lab.sh kill-slurmctld          `start` starts it again
#   lab.sh stop-dbd, start-dbd     the accounting daemon; its database stays
#
# Daemons: munged, slurmctld, four slurmd (nid001001 nid001002 nid005001 nid005002, the last two
# with eight pretended GPUs each), with dbd also mariadbd and slurmdbd. Everything lies in
# LAB_FOLDER (default: below /tmp, named after user and checkout). Ports are chosen anew at each
# start, so clusters of several folders run side by side. No systemd; nothing is written to /etc
# or /run. Any user can have a cluster; its jobs run as that user.
#
# LAB_ACCOUNT  the account that dbd accepts jobs for (needed there)
# LAB_OWNER    id of a process; when it ends, however it ends, the cluster is removed
#
# Measured in November 2026 on 2 busy cores (none, dbd): start 0.25 s, 9 s; stop of an idle
# cluster 0.2 s, 2 s; memory of all daemons 38 MB, 157 MB; folder 0.5 MB, 101 MB.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CHECKOUT=$(cd "$HERE/../.." && pwd)
DEFAULT=/tmp/lumipipe-slurm-$(id -u)-$(basename "$CHECKOUT")-$(cksum <<<"$CHECKOUT" | cut -c1-6)
FOLDER=${LAB_FOLDER:-$DEFAULT}
CONF=$FOLDER/slurm.conf
COMMANDS=(sacct sacctmgr salloc sbatch scancel scontrol sinfo squeue srun)
NODES=(nid001001 nid001002 nid005001 nid005002)
export SLURM_CONF=$CONF
# shellcheck source=tests/slurm/lab_processes.sh
source "$HERE/lab_processes.sh"
# shellcheck source=tests/slurm/lab_accounting.sh
source "$HERE/lab_accounting.sh"
PATH=$(path_without_clusters)

# --- installing ---------------------------------------------------------------------------------

require() { # require none|dbd: the packages are there, or a line says which are not
  local pair missing=()
  local needed=(slurmctld:slurmctld slurmd:slurmd sbatch:slurm-client munged:munge)
  [[ $1 == none ]] || needed+=(slurmdbd:slurmdbd mariadbd:mariadb-server)
  for pair in "${needed[@]}"; do
    command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  ((${#missing[@]})) || return 0
  if [[ ${2:-} == install && $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    local apt=(apt-get -qq -y -o DPkg::Lock::Timeout=120 --no-install-recommends)
    export DEBIAN_FRONTEND=noninteractive
    "${apt[@]}" install "${missing[@]}" >&2 ||
      { "${apt[@]}" update >&2 && "${apt[@]}" install "${missing[@]}" >&2; } ||
      fail "apt-get could not install ${missing[*]}" 77
    return
  fi
  fail "missing: ${missing[*]}; as root on Debian: apt-get install ${missing[*]}" 77
}

# --- starting -----------------------------------------------------------------------------------

is_free() { # is_free PORT: nobody listens there
  ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

choose_ports() { # the first of six in a row, below the range of outgoing connections
  local first i
  while :; do
    first=$((20000 + RANDOM % 12000))
    for i in 0 1 2 3 4 5; do is_free $((first + i)) || continue 2; done
    printf '%s\n' "$first" >"$FOLDER/first-port"
    return
  done
}

first_job() { # an id above all that this folder's clusters gave
  local next=0 first=$(($(date +%s) / 30)) # stays below Slurm's limit of 67 million until 2033
  [[ ! -s $FOLDER/next-job ]] || next=$(<"$FOLDER/next-job")
  ((first > next)) || first=$next
  # `stop` writes the true one; this is for a cluster that ends without it.
  printf '%s\n' $((first + 1000)) >"$FOLDER/next-job"
  printf '%s\n' "$first"
}

write_configuration() { # write_configuration none|dbd
  local port
  port=$(<"$FOLDER/first-port")
  sed -e "s|@FOLDER@|$FOLDER|g" -e "s|@HOST@|$(hostname -s)|g" -e "s|@USER@|$(id -un)|g" \
    -e "s|@PORT_SLURMCTLD@|$port|" -e "s|@PORT_SLURMDBD@|$((port + 5))|" \
    -e "s|@PORTS_CPU@|[$((port + 1))-$((port + 2))]|" \
    -e "s|@PORTS_GPU@|[$((port + 3))-$((port + 4))]|" \
    -e "s|@FIRST_JOB@|$(first_job)|" -e "s|^@$1@||" -e '/^@/d' "$HERE/slurm.conf.in" >"$CONF"
  [[ $1 == dbd ]] || sed -i 's/ QOS=[^ ]*//' "$CONF"
  echo "NodeName=nid00500[1-2] Name=gpu File=$FOLDER/gpu[0-7]" >"$FOLDER/gres.conf"
}

make_folder() { # make_folder none|dbd: all that a fresh cluster needs; an earlier one's is removed
  local i
  ((${#FOLDER} < 60)) || fail "$FOLDER is too long a path for sockets; set LAB_FOLDER" 2
  rm -rf "$FOLDER"/{slurmctld,spool,tmp,munge,mysql,pids,log,gpu?}
  mkdir -p "$FOLDER"/{slurmctld,munge,pids,log} \
    "${NODES[@]/#/$FOLDER/spool/}" "${NODES[@]/#/$FOLDER/tmp/}"
  chmod 755 "$FOLDER" "$FOLDER/munge"
  # Slurm wants a character device for each GPU and looks at nothing but the kind of the file.
  for i in 0 1 2 3 4 5 6 7; do ln -s /dev/null "$FOLDER/gpu$i"; done
  (umask 077 && head -c 128 /dev/urandom >"$FOLDER/munge/key")
  choose_ports
  write_configuration "$1"
  write_commands
  printf '%s\n' "$1" >"$FOLDER/mode"
}

write_commands() { # Slurm's commands for this cluster, also where SLURM_CONF is not set
  local name
  # At a real site /etc tells them what SLURM_CONF tells here, and Snakemake's jobs take every
  # variable of Slurm out of the environment of a rule (slurm-jobstep 0.6).
  mkdir -p "$FOLDER/bin"
  for name in "${COMMANDS[@]}"; do
    printf "#!/bin/sh\nSLURM_CONF=\${SLURM_CONF:-%s} exec %s \"\$@\"\n" \
      "$CONF" "$(command -v "$name")" >"$FOLDER/bin/$name"
    chmod 755 "$FOLDER/bin/$name"
  done
}

start_daemon() { # start_daemon NAME: unless it runs; returns when it answers
  is_running "$1" && return
  case $1 in
    munged)
      launch munged munged --foreground --socket="$FOLDER/munge/socket" \
        --key-file="$FOLDER/munge/key" --pid-file="$FOLDER/munge/pid" \
        --seed-file="$FOLDER/munge/seed" --log-file="$FOLDER/munge/log" --num-threads=2
      answers munged munge --socket="$FOLDER/munge/socket" --no-input
      ;;
    slurmctld)
      launch slurmctld slurmctld -D -f "$CONF"
      answers slurmctld scontrol ping
      ;;
    mariadbd) start_database ;;
    slurmdbd) start_slurmdbd ;;
    *) launch "$1" SLURMD_NODENAME="$1" slurmd -D -N "$1" -f "$CONF" ;;
  esac || fail "$1 does not answer; read $FOLDER/log/$1.out"
}

are_ready() { # all nodes can take jobs; one that was set down or drained is taken back
  local node state ready=0
  while read -r node state; do
    case $state in
      idle | mixed | allocated | completing) ready=$((ready + 1)) ;;
      down | drain* | fail*) scontrol update nodename="$node" state=resume ;;
    esac
  done < <(sinfo -h -N -o '%N %T' | sort -u)
  ((ready == ${#NODES[@]}))
}

start() { # start [none|dbd]: of one that runs, what is missing
  local name mode=${1:-none}
  if [[ -z ${1:-} ]] && any_running; then mode=$(<"$FOLDER/mode"); fi
  [[ $mode == none || $mode == dbd ]] || fail "accounting is none or dbd, not '$mode'" 2
  require "$mode"
  mkdir -p "$FOLDER"
  [[ -O $FOLDER ]] || fail "$FOLDER belongs to somebody else; set LAB_FOLDER" 2
  if any_running && [[ $(<"$FOLDER/mode") != "$mode" ]]; then stop; fi
  if ! any_running; then
    make_folder "$mode"
    trap '[[ $? == 0 ]] || stop' EXIT # a first start that fails leaves nothing behind
  fi
  start_daemon munged
  [[ $mode == none ]] || start_accounting
  for name in slurmctld "${NODES[@]}"; do start_daemon "$name"; done
  wait_for 20 are_ready || fail "not all nodes are ready; read $FOLDER/log"
  [[ -z ${LAB_OWNER:-} ]] || is_running owner || launch owner LAB_FOLDER="$FOLDER" \
    "$HERE/lab.sh" remove-after "$LAB_OWNER"
  printf "export SLURM_CONF=%s\nexport PATH=%s/bin:\"\$PATH\"\n" "$CONF" "$FOLDER"
}

# --- stopping -----------------------------------------------------------------------------------

has_no_jobs() { [[ -z $(squeue -h) ]]; }

stop() {
  [[ -d $FOLDER/pids ]] || return 0
  if is_running slurmctld && is_running munged; then
    scontrol show config | sed -n 's/^NEXT_JOB_ID *= //p' >"$FOLDER/next-job" || true
    squeue -h -o %A | sort -u | xargs -r scancel 2>/dev/null || true
    wait_for 4 has_no_jobs || true # in vain where the slurmd of a job is dead
  fi
  end_daemons owner "${NODES[@]}"
  end_daemons slurmctld
  end_daemons slurmdbd
  end_daemons mariadbd munged
  kill_jobs
}

remove() {
  stop
  [[ ! -e $CONF ]] || rm -rf "$FOLDER"
}

remove_after() { # remove_after PID
  local ticks never
  ticks=$(started "$1") || ticks=
  exec {never}<> <(:) # `sleep` would be a process that outlives this one
  while [[ -n $ticks && $(started "$1") == "$ticks" ]]; do read -rt 1 -u "$never" || true; done
  rm -f "$FOLDER/pids/owner" # `stop` shall not stop this process
  remove
}

is_node() { [[ " ${NODES[*]} " == *" ${1:-} "* ]] || fail "no node is called '${1:-}'" 2; }

locked() { # locked COMMAND...: not at the same time as another that changes this cluster
  mkdir -p "$FOLDER"
  exec 9>"$FOLDER/lock"
  flock 9
  "$@"
}

usage() { sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; }

case ${1:-} in
  install) require "${2:-none}" install ;;
  start) locked start "${2:-}" ;;
  stop) locked stop ;;
  remove) locked remove ;;
  remove-after) remove_after "$2" ;;
  status) sinfo -o '%P %a %l %D %t %c %m %G %N' && squeue ;;
  kill-slurmd) is_node "${2:-}" && locked kill_daemon "$2" ;;
  kill-node) is_node "${2:-}" && locked kill_node "$2" ;;
  restart-slurmd) is_node "${2:-}" && locked restart_slurmd "$2" ;;
  kill-slurmctld) locked kill_daemon slurmctld ;;
  stop-dbd) locked end_daemons slurmdbd ;;
  start-dbd) locked start_daemon slurmdbd ;;
  processes) job_processes ;;
  help | --help) usage ;;
  *) usage >&2 && exit 2 ;;
esac
