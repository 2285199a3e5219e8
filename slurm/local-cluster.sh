#!/usr/bin/env bash
# A real Slurm cluster on this machine, for tests, thrown away afterwards.
#
#   local-cluster.sh up [--nodes N] [--cpus C] [--set KEY=VALUE]...
#                             C per node, may exceed what is there; --set edits
#                             slurm.conf; prints the file to source, and no more
#   local-cluster.sh crash NODE   cut its power: all its processes are killed
#   local-cluster.sh boot NODE    start it again
#   local-cluster.sh down         cancel jobs, end the daemons, remove all
#
#   . "$(slurm/local-cluster.sh up)"; sbatch ...; slurm/local-cluster.sh down
#
# Its state is in $LOCAL_CLUSTER (default: a new folder below /tmp; keep it
# short, Unix sockets take about 100 characters).  Needs Debian's packages
# slurm-wlm and munge; no systemd, cgroups or DNS.  Each node has a host name
# and processes of its own where the kernel lets us; where not, keep Open MPI's
# jobs on one node.
set -euo pipefail

say() { echo "local-cluster: $*" >&2; }
die() {
  say "$*"
  exit 1
}
usage() {
  sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

# ---------------------------------------------------------------- processes
# Known by number and time of start: a recycled number is never signalled.

start_time() {
  sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
}

is_alive() { # NAME
  local pid began
  read -r pid began 2>/dev/null <"$dir/run/$1.pid" || return 1
  [ -n "$began" ] && [ "$(start_time "$pid")" = "$began" ] &&
    ! grep -q '^State:[[:space:]]*Z' "/proc/$pid/status" 2>/dev/null
}

# spawn NAME COMMAND... : a daemon that stays in the foreground of its process.
spawn() {
  local name=$1
  shift
  setsid "$@" </dev/null >>"$dir/log/$name.out" 2>&1 &
  echo "$! $(start_time $!)" >"$dir/run/$name.pid"
}

end_process() { # NAME SIGNAL
  local pid
  if is_alive "$1"; then
    read -r pid _ <"$dir/run/$1.pid"
    kill "-$2" "$pid" 2>/dev/null || true
    for _ in $(seq 50); do
      is_alive "$1" || break
      sleep 0.1
    done
    ! is_alive "$1" || kill -KILL "$pid" 2>/dev/null || true
  fi
  rm -f "$dir/run/$1.pid"
}

# Kill what has outlived its slurmd, where nodes have no processes of their own.
sweep() { # [NODE]
  local p environment
  for p in /proc/[0-9]*; do
    environment=$(tr '\0' '\n' 2>/dev/null <"$p/environ") || continue
    grep -qxF "SLURM_CONF=$SLURM_CONF" <<<"$environment" || continue
    grep -qE "^(LOCAL_CLUSTER_NODE|SLURMD_NODENAME)=${1:-.*}$" \
      <<<"$environment" || continue
    [ "${p#/proc/}" = $$ ] || kill -KILL "${p#/proc/}" 2>/dev/null || true
  done
}

# wait_for DAEMON CONDITION... : at most 30 s.
wait_for() {
  local name=$1
  shift
  for _ in $(seq 300); do
    if "$@"; then return; fi
    is_alive "$name" || break
    sleep 0.1
  done
  tail -n 5 "$dir/log/$name.out" >&2 || true
  die "$name did not come up"
}

# -------------------------------------------------------------------- nodes

node_names() { seq -f 'node%.0f' "$nodes"; }

# Print the words of `unshare` that give a node its own host name and
# processes, or nothing.
find_isolation() {
  local words='--uts --pid --fork --mount-proc --propagation slave'
  [ "$(id -u)" -eq 0 ] ||
    words="--user --map-current-user --keep-caps $words"
  # shellcheck disable=SC2086 # a list of words
  if unshare $words hostname node1 2>/dev/null; then
    echo "$words"
  else
    say "no namespaces here: keep MPI jobs on one node"
  fi
}

spawn_node() { # NODE
  if [ -n "$isolation" ]; then
    # The shell is the node's first process: all others die with it.
    # shellcheck disable=SC2086 # a list of words
    spawn "$1" env LOCAL_CLUSTER_NODE="$1" unshare $isolation --kill-child \
      bash -c "hostname $1; slurmd -D -N $1 -f '$SLURM_CONF' & wait \$!"
  else
    spawn "$1" env LOCAL_CLUSTER_NODE="$1" slurmd -D -N "$1" -f "$SLURM_CONF"
  fi
}

all_idle() {
  [ "$(timeout 5 sinfo -h -N -o '%T' 2>/dev/null | grep -cx idle)" = "$nodes" ]
}

is_port_used() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A free run of ports below those that the kernel gives away.
find_port() {
  local first n
  for first in $(seq 17000 100 30000); do
    for ((n = 0; n <= nodes; n++)); do
      ! is_port_used $((first + n)) || continue 2
    done
    echo "$first"
    return
  done
  die "no free ports"
}

# ------------------------------------------------------------ configuration

write_configuration() {
  local port user setting memory_mib
  port=$(find_port)
  user=$(id -un)
  memory_mib=$(awk '/^MemTotal/ {print int($2 / 1024)}' /proc/meminfo)
  # cred_expire is also how long a requeued job waits.  TmpFS: the steps of two
  # nodes would meet in one folder.
  cat >"$SLURM_CONF" <<END
ClusterName=local
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$dir/munge/sock,cred_expire=5
StateSaveLocation=$dir/ctld
SlurmdSpoolDir=$dir/spool/%n
TmpFS=$dir/tmp/%n
SlurmctldPidFile=$dir/run/slurmctld.own
SlurmdPidFile=$dir/run/%n.own
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/%n.log
MailProg=/bin/true
MpiDefault=pmix
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
PriorityType=priority/basic
ReturnToService=2
SlurmdParameters=config_overrides
SlurmctldTimeout=30
SlurmdTimeout=30
KillWait=5
InactiveLimit=0
MinJobAge=300
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
END
  for setting in ${settings[@]+"${settings[@]}"}; do
    sed -i "/^${setting%%=*}=/Id" "$SLURM_CONF"
    echo "$setting" >>"$SLURM_CONF"
  done
  cat >>"$SLURM_CONF" <<END
NodeName=node[1-$nodes] NodeHostname=localhost NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + nodes))] CPUs=$cpus RealMemory=$memory_mib State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
  # Nodes reach one another over loopback only; CPUs outnumber the real ones.
  cat >"$dir/env" <<END
export LOCAL_CLUSTER='$dir' SLURM_CONF='$SLURM_CONF'
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_oob_tcp_if_include=lo OMPI_MCA_btl_tcp_if_include=lo
export OMPI_MCA_hwloc_base_binding_policy=none
END
  # With one host name for all, their shared memory would have the same name.
  [ -n "$isolation" ] || echo 'export OMPI_MCA_btl=self,tcp' >>"$dir/env"
}

# ----------------------------------------------------------------- commands

up() {
  local name
  nodes=2 cpus=4 settings=()
  while [ $# -gt 0 ]; do
    case $1 in
    --nodes) nodes=$2 ;;
    --cpus) cpus=$2 ;;
    --set) settings+=("$2") ;;
    *) usage ;;
    esac
    shift 2
  done
  for name in munged slurmctld slurmd sinfo; do
    command -v "$name" >/dev/null ||
      die "$name is not here: apt-get install slurm-wlm munge"
  done
  # Slurm does not listen on a machine that has no address but 127.0.0.1.
  [ -n "$(hostname -I)" ] || ip addr add 192.0.2.254/32 dev lo 2>/dev/null ||
    die "give this machine an address other than 127.0.0.1"
  isolation=$(find_isolation)
  dir=${LOCAL_CLUSTER:-$(mktemp -d /tmp/cluster.XXXXXX)}
  [ "${#dir}" -le 60 ] || die "too long for Unix sockets: $dir"
  mkdir -p "$dir"
  [ -z "$(ls -A "$dir")" ] || die "$dir is not empty"
  SLURM_CONF=$dir/slurm.conf
  export SLURM_CONF
  chmod 755 "$dir" # munge: all must reach its socket
  mkdir -p "$dir"/{ctld,spool,tmp,run,log,munge}
  for name in $(node_names); do mkdir -p "$dir/spool/$name" "$dir/tmp/$name"; done
  printf "nodes=%s\nisolation='%s'\n" "$nodes" "$isolation" >"$dir/state"
  write_configuration
  trap down EXIT # until all is up

  (umask 077 && head -c 128 /dev/urandom >"$dir/munge/key")
  spawn munged munged --foreground --num-threads=2 \
    --key-file="$dir/munge/key" --socket="$dir/munge/sock" \
    --pid-file="$dir/munge/pid" --seed-file="$dir/munge/seed"
  wait_for munged test -S "$dir/munge/sock"
  spawn slurmctld slurmctld -D -f "$SLURM_CONF"
  for name in $(node_names); do spawn_node "$name"; done
  wait_for slurmctld all_idle
  trap - EXIT
  say "$nodes nodes of $cpus CPUs in $dir"
  echo "$dir/env"
}

find_cluster() {
  dir=${LOCAL_CLUSTER:-}
  [ -f "$dir/state" ] || die "no cluster in '$dir'"
  SLURM_CONF=$dir/slurm.conf
  export SLURM_CONF
  # shellcheck source=/dev/null
  . "$dir/state"
}

down() {
  local name
  if is_alive slurmctld; then
    timeout 10 scancel -u "$(id -un)" 2>/dev/null || true
    for _ in $(seq 80); do
      [ -n "$(timeout 5 squeue -h 2>/dev/null)" ] || break
      sleep 0.1
    done
  fi
  for name in $(node_names); do
    end_process "$name" "$([ -n "$isolation" ] && echo KILL || echo TERM)"
  done
  sweep
  end_process slurmctld TERM
  end_process munged TERM
  rm -rf "$dir"
}

PATH=$PATH:/usr/sbin:/sbin
case ${1-} in
up)
  shift
  up "$@"
  ;;
down)
  find_cluster
  down
  ;;
crash)
  [ $# -eq 2 ] || usage
  find_cluster
  end_process "$2" KILL
  sweep "$2"
  ;;
boot)
  [ $# -eq 2 ] || usage
  find_cluster
  ! is_alive "$2" || die "$2 is running"
  # What a machine loses with its power: where PMIx finds its old folders and
  # sockets, no step of a requeued job starts again.
  rm -rf "$dir/spool/$2"/*pmix* "$dir/tmp/${2:?}"/*
  spawn_node "$2"
  ;;
*)
  usage
  ;;
esac
