#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A Slurm of one node on 127.0.0.1, with ports, folders and sockets of its own, for tests. Needs root and Debian's slurm-wlm
# and munge; neither a running munged nor systemd, control groups or a resolver that knows the host.
# Usage: one_node.sh start FOLDER   starts it and prints the environment that its clients need, as NAME=VALUE lines;
#                                   it ends with the process that called this, or by
#        one_node.sh stop FOLDER    which also ends its jobs
set -euo pipefail

daemons=(slurmd slurmctld munged)

say() { echo "one_node.sh: $*" >&2; }
fail() { say "$@"; exit 1; }
(($# == 2)) || fail "expected start or stop, and a folder"
action="$1"
folder="$2"
export PATH="$PATH:/usr/sbin:/sbin"
# Of another cluster, in one of whose jobs this may be running.
for name in "${!SLURM@}" "${!SBATCH@}" "${!SQUEUE@}" "${!SINFO@}"; do unset "$name"; done

# The process of a daemon, if that is what the number in its file belongs to.
process_of() {
    local number
    number="$(cat "$folder/$1.pid" 2>/dev/null)" && [[ $number =~ ^[0-9]+$ ]] || return 1
    [[ $(cat "/proc/$number/comm" 2>/dev/null) == "$1" ]] || return 1
    # Where nobody collects them, those that have ended are still listed.
    ! grep -q '^State:[[:space:]]*Z' "/proc/$number/status" 2>/dev/null && echo "$number"
}

# waits SECONDS COMMAND...: until the command holds, but not for longer
waits() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        if ((SECONDS >= end)); then return 1; fi
        sleep 0.1
    done
}

no_jobs() { [[ -z $(timeout 20 squeue -h 2>/dev/null) ]]; }
all_ended() { local name; for name in "${daemons[@]}"; do if process_of "$name" >/dev/null; then return 1; fi; done; }
signal_all() {
    local name number
    for name in "${daemons[@]}"; do
        if number="$(process_of "$name")"; then kill "-$1" "$number" 2>/dev/null || true; fi
    done
}

stop() {
    if [[ -s $folder/slurm.conf ]] && process_of slurmctld >/dev/null && process_of slurmd >/dev/null; then
        export SLURM_CONF="$folder/slurm.conf"
        timeout 20 scancel --full --signal=KILL --user="$(id -un)" >/dev/null 2>&1 || true
        timeout 20 scancel --user="$(id -un)" >/dev/null 2>&1 || true
        waits 20 no_jobs || say "jobs of $folder do not end"
    fi
    signal_all TERM
    waits 10 all_ended || signal_all KILL
    if [[ -s $folder/sockets ]]; then
        local sockets
        sockets="$(cat "$folder/sockets")"
        if [[ $sockets == /tmp/raphe-munge.* && -d $sockets ]]; then rm -rf -- "$sockets"; fi
        rm -f "$folder/sockets"
    fi
}

# What the daemons said last.
tell_logs() {
    local log
    for log in "$folder"/log/*; do
        if [[ ! -s $log ]]; then continue; fi
        echo "--- the end of $(basename "$log"):" >&2
        tail -n 12 "$log" >&2
    done
    if [[ -s $folder/slurm.conf ]] && process_of slurmctld >/dev/null; then
        echo "--- the node:" >&2
        timeout 10 scontrol show node 2>&1 | grep -E 'State=|Reason=' >&2 || true
    fi
}

free_port() {
    local port
    for _ in $(seq 200); do
        port=$((20000 + RANDOM % 12000))
        if [[ $port != "${1:-}" ]] && ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
    return 1
}

configure() {
    local controller daemon
    controller="$(free_port)" && daemon="$(free_port "$controller")" || fail "there is no free port"
    cat >"$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$controller
SlurmdPort=$daemon
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$sockets/munge
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
MessageTimeout=60
BatchStartTimeout=120
UnkillableStepTimeout=300
SchedulerParameters=sched_interval=2,bf_interval=2,sched_min_interval=100000,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
KillWait=30
MinJobAge=300
JobRequeue=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=normal Nodes=$host Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=20
PartitionName=urgent Nodes=$host MaxTime=INFINITE State=UP PriorityTier=10
CONF
    export SLURM_CONF="$folder/slurm.conf"
}

# Idle, or else one of the daemons is gone.
idle_or_gone() {
    state="$(timeout 20 sinfo -h -o %T 2>/dev/null | head -1)"
    if [[ $state == idle ]]; then return 0; fi
    # A node that was too slow to answer once stays out otherwise.
    if [[ $state == down || $state == drained ]]; then
        timeout 20 scontrol update NodeName="$host" State=RESUME 2>/dev/null || true
    fi
    ! { process_of slurmctld && process_of slurmd; } >/dev/null
}
has_process() { process_of "$1" >/dev/null; }

# One attempt. Its ports may be taken by others between the choice and the start, so there are several.
start() {
    state="unknown"
    sockets="$(mktemp -d /tmp/raphe-munge.XXXXXX)" # short: names of sockets have at most 107 characters
    chmod 755 "$sockets"
    echo "$sockets" >"$folder/sockets"
    munged --force --origin=127.0.0.1 --key-file="$folder/munge.key" --socket="$sockets/munge" \
        --pid-file="$folder/munged.pid" --seed-file="$folder/munge.seed" --log-file="$folder/log/munged.log" \
        >>"$folder/log/start.log" 2>&1 </dev/null || { say "munged does not start"; return 1; }
    configure
    slurmctld -c >>"$folder/log/start.log" 2>&1 </dev/null || { say "slurmctld does not start"; return 1; }
    waits 30 has_process slurmctld || { say "slurmctld ended at once"; return 1; }
    slurmd >>"$folder/log/start.log" 2>&1 </dev/null || { say "slurmd does not start"; return 1; }
    waits 30 has_process slurmd || { say "slurmd ended at once"; return 1; }
    waits 180 idle_or_gone || true
    if [[ $state == idle ]]; then return 0; fi
    say "the node does not become idle: it is ${state:-not there}"
    return 1
}

if [[ $action == stop ]]; then
    stop
    exit 0
fi
[[ $action == start ]] || fail "expected start or stop, got $action"
((EUID == 0)) || fail "needs root: slurmctld runs as the user who starts it, and jobs as the one who submits them"
for program in slurmctld slurmd munged sbatch; do
    command -v "$program" >/dev/null || fail "$program is missing; install the Debian packages slurm-wlm and munge"
done
host="$(uname -n)"
host="${host%%.*}"
[[ $host =~ ^[A-Za-z0-9_-]+$ ]] || fail "this machine has no name that Slurm could use (uname -n: \"$(uname -n)\")"

mkdir -p "$folder"
folder="$(cd "$folder" && pwd)"
[[ $folder != *[[:space:]\#]* ]] || fail "$folder: slurm.conf takes no such folder; choose one without spaces and #"
stop # what is left over from before
mkdir -p "$folder"/{state,spool,log}
chmod 755 "$folder" "$folder"/{state,spool,log}
if [[ ! -s $folder/munge.key ]]; then
    (umask 077 && dd if=/dev/urandom of="$folder/munge.key" bs=1024 count=1 status=none)
fi

caller=$PPID
trap stop EXIT
for attempt in 1 2 3; do
    if start; then
        trap - EXIT
        # A test that is killed stops nothing.
        (
            exec </dev/null >/dev/null 2>&1
            while [[ -d /proc/$caller ]] && process_of slurmctld; do sleep 1; done
            if process_of slurmctld; then stop; fi
        ) &
        echo "SLURM_CONF=$folder/slurm.conf"
        exit 0
    fi
    say "attempt $attempt of 3 failed"
    tell_logs
    stop
done
fail "Slurm could not be started"
