#!/usr/bin/env bash
# envs/unpacked.sh IMAGE PROGRAM [ARGUMENT ...]
# Runs PROGRAM, a path inside the SquashFS file IMAGE, from a copy of the image in the memory of
# this node. All processes of a user on a node share one copy: the first unpacks it, the others
# wait for it, the last removes it. What a killed process left is used by the next one.
#
# Not mounted by squashfuse_ll: its one process would serve the imports of all ranks, and a mount
# whose process was killed with its job step stays behind (UG docs/storage/formats/FUSE.md, 2026).
set -euo pipefail
if (($# < 2)); then
  sed -n '2,5s/^# //p' "$0" >&2
  exit 2
fi
image=$(realpath -e "$1") program=$2
shift 2

place=${LUMIPIPE_UNPACK:-/tmp}/lumipipe-$UID # LUMI's /tmp is memory (UG docs/hardware, 2024-10)
# By what the file is: an image that was built anew is another one.
copy=$place/$(stat -c '%d-%i-%s-%Y' "$image")
(umask 077 && mkdir -p "$place")
[[ -O $place && ! -L $place ]] || { echo "$0: $place belongs to somebody else" >&2; exit 2; }
exec {using}>>"$copy.using" {unpacking}>>"$copy.unpacking"

unpack() { # whole or not at all
  rm -rf "$copy.part"
  unsquashfs -quiet -no-progress -no-xattrs -dest "$copy.part" "$image" >"$copy.log" 2>&1 || {
    echo "$0: $image cannot be unpacked into $place:" >&2
    cat "$copy.log" >&2
    rm -rf "$copy.part"
    exit 2
  }
  mv -T "$copy.part" "$copy"
}

# Who uses the copy holds one lock shared. The other is for taking turns: if users waited for the
# first one alone to unpack, one that came late would wait until all others had ended.
flock --exclusive "$unpacking"
flock --shared "$using" # waits only while a last user removes the copy
[[ -d $copy ]] || unpack
exec {unpacking}>&-

# shellcheck disable=SC2329 # the trap calls it
release() { # the lock is free for us alone when nobody else uses the copy
  if flock --exclusive --nonblock "$using"; then
    mv -T "$copy" "$copy.part" && rm -rf "$copy.part" "$copy.log"
  fi
}
trap release EXIT

# The program inherits the lock: the copy stays while it lives, even if this script is killed.
# Job control gives it a group of its own. Ctrl-C and the end of a session go to the whole group, as
# from a terminal; what is sent to one process goes to the program alone.
set -m
child="" early=()
hand_on() { # hand_on SIGNAL: to the program, or kept until it has started
  case $1:$child in
    *:) early+=("$1") ;;
    INT:* | HUP:*) kill "-$1" -- "-$child" 2>/dev/null || true ;;
    *) kill "-$1" "$child" 2>/dev/null || true ;;
  esac
}
for signal in HUP INT TERM USR1 USR2; do
  # shellcheck disable=SC2064 # the words of now
  trap "hand_on $signal" "$signal"
done
"$copy/$program" "$@" <&0 &
child=$!
for signal in "${early[@]}"; do
  hand_on "$signal"
done
code=0
wait "$child" || code=$?
while kill -0 "$child" 2>/dev/null; do # a signal that is handed on ends `wait`, not the program
  code=0
  wait "$child" || code=$?
done
last=0
wait "$child" || last=$? # 127: its exit code was told already
((last == 127)) || code=$last
exit "$code"
