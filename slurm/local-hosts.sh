#!/usr/bin/env bash
# local-hosts.sh - pretend hosts h1..hN on one machine, for a real multi-host mpirun without ssh (root only).
# Each host is a network namespace on a common bridge; what runs in it sees its own hostname.
#
#   local-hosts.sh up [N]             create h1..hN (default 2), addresses 10.77.0.1..N, ours 10.77.0.254
#   local-hosts.sh down               kill what runs in them, remove them
#   local-hosts.sh status             list hosts, addresses, link state, number of processes
#   local-hosts.sh agent HOST CMD...  what ssh would do; for mpirun's plm_rsh_agent
#   local-hosts.sh env                print settings to eval, after which a plain `mpirun` uses the hosts
#   local-hosts.sh cut|heal HOST      pull / plug the network cable
#   local-hosts.sh crash HOST         SIGKILL everything on the host
#   local-hosts.sh rate HOST RATE     limit the link, e.g. 1gbit; `off` lifts it (needs the tbf qdisc)
#
# LOCAL_HOSTS_PRIVATE=h2:DIR gives h2 an empty DIR of its own: what is there elsewhere, it does not see.
#
#   ./local-hosts.sh up 2; eval "$(./local-hosts.sh env)"; mpirun -H h1:2,h2:2 ./a.out; ./local-hosts.sh down
set -euo pipefail

NET=${LOCAL_HOSTS_NET:-10.77.0}   # first three octets of a free /24
BRIDGE=${LOCAL_HOSTS_BRIDGE:-mpibr} # at most 10 characters; the cable of h1 is $BRIDGE.h1
PATH=$PATH:/usr/sbin:/sbin

die() { echo "local-hosts: $*" >&2; exit 1; }
hosts() { ip -o link show master "$BRIDGE" 2>/dev/null | sed -n "s/^[0-9]*: $BRIDGE\.\(h[0-9]*\)@.*/\1/p"; }
need() { hosts | grep -x "$1" >/dev/null || die "no host $1"; }

cmd_up() {
    local n=${1:-2} i j h
    [ "$(id -u)" = 0 ] || die "must be root"
    ! ip link show "$BRIDGE" >/dev/null 2>&1 || die "$BRIDGE exists, already up?"
    for ((i = 1; i <= n; i++)); do
        ! ip netns list | grep -E "^h$i( |$)" >/dev/null || die "network namespace h$i exists and is not ours"
    done
    trap cmd_down EXIT # until all is up
    ip link add "$BRIDGE" type bridge
    ip addr add "$NET.254/24" dev "$BRIDGE"
    ip link set "$BRIDGE" up
    for ((i = 1; i <= n; i++)); do
        h=h$i
        ip netns add "$h"
        ip link add "$BRIDGE.$h" type veth peer name eth0 netns "$h"
        ip link set "$BRIDGE.$h" master "$BRIDGE" up
        ip netns exec "$h" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 2>/dev/null || true
        ip -n "$h" link set lo up
        ip -n "$h" addr add "$NET.$i/24" dev eth0
        ip -n "$h" link set eth0 up
        ip -n "$h" route add default via "$NET.254"
        mkdir -p "/etc/netns/$h" # `ip netns exec` shows these files as /etc/*
        { echo "127.0.0.1 localhost"; for ((j = 1; j <= n; j++)); do echo "$NET.$j h$j"; done; } >"/etc/netns/$h/hosts"
    done
    trap - EXIT
}
cmd_down() {
    local h
    for h in $(hosts); do
        ip netns pids "$h" | xargs -r kill -KILL 2>/dev/null || true
        ip link del "$BRIDGE.$h" 2>/dev/null || true
        ip netns del "$h" 2>/dev/null || true
        rm -f "/etc/netns/$h/hosts"
        rmdir "/etc/netns/$h" 2>/dev/null || true
    done
    ip link del "$BRIDGE" 2>/dev/null || true
}
cmd_status() {
    local h
    for h in $(hosts); do
        echo "$h $(ip -n "$h" -o -4 addr show dev eth0 | awk '{print $4}')" \
            "$(ip -o link show "$BRIDGE.$h" | grep -o 'state [A-Z]*')" "$(ip netns pids "$h" | wc -l) processes"
    done
    [ -n "$(hosts)" ] || exit 3
}
cmd_agent() { # like ssh: skip options, forget the environment, start at home, let a shell parse the command
    while [ "${1#-}" != "$1" ]; do shift; done
    local host=$1; shift
    local private=
    case ${LOCAL_HOSTS_PRIVATE-} in "$host":*) private=${LOCAL_HOSTS_PRIVATE#*:} ;; esac
    cd ~
    # `ip netns exec` has made mounts of its own already
    # shellcheck disable=SC2016
    exec ip netns exec "$host" sh -c '[ -z "$0" ] || mount -t tmpfs none "$0" || exit 1; exec "$@"' "$private" \
        unshare --uts env -i HOME="$HOME" USER="$(id -un)" SHELL=/bin/sh \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        sh -c 'hostname "$0" && exec sh -c "$1"' "$host" "$*"
}
cmd_env() {
    cat <<EOF
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_plm_rsh_agent='$(readlink -f "$0") agent'
export OMPI_MCA_oob_tcp_if_include=$NET.0/24 OMPI_MCA_btl_tcp_if_include=$NET.0/24
export OMPI_MCA_btl=self,vader,tcp OMPI_MCA_pml=ob1
export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
EOF
}
cmd_cut() { need "$1"; ip link set "$BRIDGE.$1" down; }
cmd_heal() { # and addresses that were asked for in vain are forgotten
    local h
    need "$1"; ip link set "$BRIDGE.$1" up
    for h in $(hosts); do ip -n "$h" neigh flush dev eth0 || true; done
    ip neigh flush dev "$BRIDGE" || true
}
cmd_crash() { need "$1"; ip netns pids "$1" | xargs -r kill -KILL || true; } # some have just ended
cmd_rate() { # both directions
    need "$1"
    if [ "$2" = off ]; then
        tc qdisc del dev "$BRIDGE.$1" root
        tc -n "$1" qdisc del dev eth0 root
    else
        tc qdisc replace dev "$BRIDGE.$1" root tbf rate "$2" burst 256kb latency 50ms
        tc -n "$1" qdisc replace dev eth0 root tbf rate "$2" burst 256kb latency 50ms
    fi
}

verb=${1:-}; shift || true
case $verb in
    up | down | status | env) "cmd_$verb" "$@" ;;
    agent) [ $# -ge 2 ] || die "agent HOST CMD..."; cmd_agent "$@" ;;
    cut | heal | crash) [ $# = 1 ] || die "$verb HOST"; "cmd_$verb" "$@" ;;
    rate) [ $# = 2 ] || die "rate HOST RATE"; cmd_rate "$@" ;;
    *) sed -n '2,18s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
