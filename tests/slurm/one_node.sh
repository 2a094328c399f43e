#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A Slurm of one node on 127.0.0.1, with ports and folders of its own, for tests. Needs root and Debian's slurm-wlm and munge.
# Usage: one_node.sh start FOLDER   starts it and prints the environment that its clients need, as NAME=VALUE lines
#        one_node.sh stop FOLDER
set -euo pipefail

fail() { echo "one_node.sh: $*" >&2; exit 1; }
(($# == 2)) || fail "expected start or stop, and a folder"
folder="$2"

stop() {
    for name in slurmd slurmctld munged; do
        if [[ -s $folder/$name.pid ]]; then kill "$(cat "$folder/$name.pid")" 2>/dev/null || true; fi
    done
    for _ in $(seq 50); do
        alive=false
        for name in slurmd slurmctld munged; do
            if [[ -s $folder/$name.pid ]] && kill -0 "$(cat "$folder/$name.pid")" 2>/dev/null; then alive=true; fi
        done
        if ! $alive; then return; fi
        sleep 0.1
    done
    for name in slurmd slurmctld munged; do
        if [[ -s $folder/$name.pid ]]; then kill -9 "$(cat "$folder/$name.pid")" 2>/dev/null || true; fi
    done
}

if [[ $1 == stop ]]; then
    stop
    exit 0
fi
[[ $1 == start ]] || fail "expected start or stop, got $1"
((EUID == 0)) || fail "needs root: slurmctld runs as the user who starts it, and jobs as the one who submits them"
for program in slurmctld slurmd munged sbatch; do
    command -v "$program" >/dev/null || PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null ||
        fail "$program is missing; install the Debian packages slurm-wlm and munge"
done
export PATH="$PATH:/usr/sbin:/sbin"

mkdir -p "$folder"/{state,spool,log}
chmod 755 "$folder" "$folder"/*
folder="$(cd "$folder" && pwd)"

# munged wants its key and socket in folders that others cannot write.
if [[ ! -s $folder/munge.key ]]; then
    (umask 077 && dd if=/dev/urandom of="$folder/munge.key" bs=1024 count=1 status=none)
fi
munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
    --log-file="$folder/log/munged.log" --seed-file="$folder/munge.seed" || fail "munged does not start; see $folder/log/munged.log"

# Two free ports.
read -r controller daemon < <(
    for port in $(shuf -i 20000-39999 -n 200); do
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; fi
    done | head -2 | xargs
)
host="$(hostname -s)"
cat >"$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$controller
SlurmdPort=$daemon
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=2,bf_interval=2,sched_min_interval=100000,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
KillWait=10
MinJobAge=300
JobRequeue=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=normal Nodes=$host Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=5
PartitionName=urgent Nodes=$host MaxTime=INFINITE State=UP PriorityTier=10
CONF
export SLURM_CONF="$folder/slurm.conf"
slurmctld -c >/dev/null 2>&1 || { stop; fail "slurmctld does not start; see $folder/log/slurmctld.log"; }
slurmd >/dev/null 2>&1 || { stop; fail "slurmd does not start; see $folder/log/slurmd.log"; }
for _ in $(seq 100); do
    if [[ $(sinfo -h -o %T 2>/dev/null | head -1) == idle ]]; then
        echo "SLURM_CONF=$folder/slurm.conf"
        exit 0
    fi
    sleep 0.2
done
stop
fail "the node does not become idle; see $folder/log"
