# shellcheck shell=bash
# The accounting of lab.sh, which sources this file: MariaDB and slurmdbd with LUMI's limits.

start_database() {
  local data=$FOLDER/mysql/data user
  user=--user=$(id -un)
  if [[ ! -d $data/mysql ]]; then
    (umask 077 && mkdir -p "$FOLDER/mysql")
    mariadb-install-db --no-defaults "$user" --datadir="$data" --skip-test-db \
      --auth-root-authentication-method=normal --innodb-log-file-size=16M \
      </dev/null >"$FOLDER/log/mariadb-install.out" 2>&1
  fi
  # No network and no passwords: whoever may enter the folder (mode 700) may do anything.
  launch mariadbd mariadbd --no-defaults "$user" --datadir="$data" --skip-networking \
    --socket="$FOLDER/mysql/socket" --pid-file="$FOLDER/mysql/pid" --skip-grant-tables \
    --innodb-buffer-pool-size=64M --innodb-log-file-size=16M --innodb-lock-wait-timeout=900 \
    --innodb-flush-log-at-trx-commit=0 --performance-schema=OFF --skip-log-bin
  answers mariadbd mariadb --no-defaults --socket="$FOLDER/mysql/socket" -e 'select 1'
}

write_slurmdbd_configuration() {
  (umask 077 && cat >"$FOLDER/slurmdbd.conf") <<END
AuthType=auth/munge
AuthInfo=socket=$FOLDER/munge/socket
DbdHost=$(hostname -s)
DbdAddr=127.0.0.1
DbdPort=$(($(<"$FOLDER/first-port") + 5))
SlurmUser=$(id -un)
PidFile=$FOLDER/slurmdbd.pid
LogFile=$FOLDER/log/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=$(id -un)
StorageLoc=lab
END
}

start_slurmdbd() {
  write_slurmdbd_configuration
  launch slurmdbd slurmdbd -D
  answers slurmdbd sacctmgr -n -i list cluster
}

add_accounts() { # what a new database must know before slurmctld asks it
  local partitions running queued user
  user=$(id -un)
  sacctmgr -i -Q add cluster lab
  # Jobs per user: lumi-userguide, docs/compute/scheduled-jobs/partitions.md, 2025; the running
  # ones for debug and dev-g: sinfo of April 2026 in LUMI-training-materials.
  while read -r partitions running queued; do
    sacctmgr -i -Q add qos "$partitions" MaxJobsPU="$running" MaxSubmitJobsPU="$queued"
  done <<<'limits-standard 100 120
limits-small 200 220
limits-standard-g,limits-small-g 200 210
limits-debug,limits-dev-g 2 2'
  # As on LUMI a job without an account is refused: the default account may submit none. Only a
  # limit of the group stands beside those of the partitions, which would replace the user's.
  sacctmgr -i -Q add account unnamed "${LAB_ACCOUNT}" cluster=lab
  sacctmgr -i -Q add user "$user" account="unnamed,$LAB_ACCOUNT"
  sacctmgr -i -Q modify user "$user" set DefaultAccount=unnamed
  sacctmgr -i -Q modify account unnamed set GrpSubmitJobs=0
}

start_accounting() {
  local fresh=
  if [[ ! -d $FOLDER/mysql/data/lab ]]; then
    fresh=yes
    [[ -n ${LAB_ACCOUNT:-} ]] || fail 'dbd needs LAB_ACCOUNT, the account that jobs may use' 2
  fi
  start_daemon mariadbd
  start_daemon slurmdbd
  [[ -z $fresh ]] || add_accounts >"$FOLDER/log/accounts.out" 2>&1 ||
    fail "slurmdbd did not take the accounts; read $FOLDER/log/accounts.out"
}
