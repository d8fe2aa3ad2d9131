# shellcheck shell=bash
# The processes of lab.sh, which sources this file: how they start, are known again, and end.

fail() { # fail MESSAGE [STATUS]: one line, then the end
  printf 'lab.sh: %s\n' "$1" >&2
  exit "${2:-1}"
}

wait_for() { # wait_for SECONDS COMMAND...
  local until=$((SECONDS + $1))
  until "${@:2}" >/dev/null 2>&1; do
    ((SECONDS < until)) || return 1
    sleep 0.05
  done
}

path_without_clusters() { # PATH, with the folders of daemons, without the commands of lab.sh
  local entry kept=
  while read -rd: entry; do
    # Those beside the file with the ports call Slurm's true commands; they shall not be taken
    # for them, be they of this cluster or of another one.
    [[ -e $entry/../first-port ]] || kept+=$entry:
  done <<<"$PATH:"
  printf '%s\n' "$kept/usr/sbin:/sbin"
}

started() { # started PID: ticks from boot to its start; fails where it ended (a zombie has)
  local stat fields
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  read -ra fields <<<"${stat##*) }"
  [[ ${fields[0]} != [ZX] ]] && printf '%s\n' "${fields[19]}"
}

# A daemon is known by its id and the time of its start: ids are given again.

is_running() { # is_running NAME
  local pid ticks
  [[ -s $FOLDER/pids/$1 ]] && read -r pid ticks <"$FOLDER/pids/$1" &&
    [[ $(started "$pid") == "$ticks" ]]
}

has_ended() { ! is_running "$1"; }

any_running() {
  local file
  for file in "$FOLDER"/pids/*; do
    [[ ${file##*/} != owner ]] && is_running "${file##*/}" && return
  done
  return 1
}

launch() { # launch NAME [VARIABLE=VALUE...] COMMAND...: in a session of its own
  local name=$1 pid
  shift
  # setsid does not fork here, so $! is the daemon. Its environment is bare: nothing of the
  # caller's may reach a job but through sbatch.
  setsid env -i PATH="$PATH" HOME="${HOME:-/}" SLURM_CONF="$CONF" \
    MYSQL_UNIX_PORT="$FOLDER/mysql/socket" "$@" \
    </dev/null >>"$FOLDER/log/$name.out" 2>&1 9>&- &
  pid=$!
  printf '%s %s\n' "$pid" "$(started "$pid")" >"$FOLDER/pids/$name"
}

answers() { # answers NAME COMMAND...: waits until it succeeds or the daemon ended
  local name=$1 until=$((SECONDS + 30))
  shift
  until "$@" >/dev/null 2>&1; do
    is_running "$name" && ((SECONDS < until)) || return 1
    sleep 0.05
  done
}

signal() { # signal SIGNAL NAME
  local pid ticks
  is_running "$2" || return 0
  read -r pid ticks <"$FOLDER/pids/$2"
  kill "-$1" "$pid" 2>/dev/null || true
}

kill_daemon() { # kill_daemon NAME
  signal KILL "$1"
  wait_for 5 has_ended "$1"
}

end_daemons() { # end_daemons NAME...: at the same time; SIGKILL after ten seconds
  local name
  for name in "$@"; do signal TERM "$name"; done
  for name in "$@"; do
    wait_for 10 has_ended "$name" || kill_daemon "$name"
    rm -f "$FOLDER/pids/$name"
  done
}

restart_slurmd() { # restart_slurmd NODE
  end_daemons "$1"
  start_daemon "$1"
}

job_processes() { # job_processes [NODE]: ids of its slurmd, slurmstepd and all that jobs run there
  local environments=(/proc/[0-9]*/environ)
  # All of them have both variables: slurmd from `launch`, its children from slurmd.
  grep -lzxF "SLURM_CONF=$CONF" "${environments[@]}" 2>/dev/null |
    xargs -r grep -lzxE "SLURMD_NODENAME=${1:-.*}" 2>/dev/null | cut -d/ -f3
}

kill_jobs() { # kill_jobs [NODE]: all job_processes and what they started without those variables
  local pid stat fields groups=() pids=()
  mapfile -t pids < <(job_processes "${1:-}")
  for pid in "${pids[@]}"; do
    { stat=$(<"/proc/$pid/stat"); } 2>/dev/null || continue
    read -ra fields <<<"${stat##*) }"
    # A whole group only where its leader is one of them: a caller's group is not ours to kill.
    [[ " ${pids[*]} " != *" ${fields[2]} "* ]] || groups+=("-${fields[2]}")
  done
  ((${#pids[@]} == 0)) || kill -KILL -- "${groups[@]}" "${pids[@]}" 2>/dev/null || true
}

kill_node() { # kill_node NODE
  kill_jobs "$1"
  wait_for 5 has_ended "$1"
}
