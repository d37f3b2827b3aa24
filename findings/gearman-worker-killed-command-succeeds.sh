#!/bin/bash
# Software: gearman-tools 1.1.20+ds-1 (Debian 12), `gearman -w`.
#
# `gearman -w -f NAME -- COMMAND` runs a command for each job. One would expect
# that a job fails when its command fails. It does when the command exits with
# another status than 0. When the command is killed by a signal, by the kernel's
# memory killer for example, the job is completed with what was printed so far.
#
# Seen:
#   command exits with 3: job failed, exit 1
#   command is killed by SIGKILL: half a result, exit 0
. "$(dirname "$0")/common.bash"
debian gearman-tools=1.1.20+ds-1 gearman-job-server=1.1.20+ds-1 libgearman8=1.1.20+ds-1
job_server
start gearman -h 127.0.0.1 -p "$port" -w -f exits -- sh -c 'printf "half a result"; exit 3'
start gearman -h 127.0.0.1 -p "$port" -w -f killed -- sh -c 'printf "half a result"; kill -KILL $$'

status=0
gearman -h 127.0.0.1 -p "$port" -f exits x >exits 2>&1 || status=$?
observed "command exits with 3" "job failed, exit 1" "$(grep -q 'Job failed' exits && echo job failed), exit $status"
status=0
gearman -h 127.0.0.1 -p "$port" -f killed x >killed 2>&1 || status=$?
observed "command is killed by SIGKILL" "half a result, exit 0" "$(cat killed), exit $status"
