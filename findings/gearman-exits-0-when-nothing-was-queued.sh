#!/bin/bash
# Software: gearman-tools 1.1.20+ds-1 (Debian 12), the command `gearman`.
#
# One would expect that `gearman -b -f f job && echo queued` prints "queued" only
# if a job server has taken the job. The command exits with 0 whatever happens to
# a background job: with no job server at all, and with one whose queue is full.
# It only writes a line to standard error. In the foreground the same command
# exits with 1 when its job fails, which makes one trust the status.
#
# Seen:
#   background job, no job server: exit 0
#   background job, queue full: exit 0, 1 of 3 jobs queued
#   foreground job that fails: exit 1
. "$(dirname "$0")/common.bash"
debian gearman-tools=1.1.20+ds-1 gearman-job-server=1.1.20+ds-1 libgearman8=1.1.20+ds-1

status=0
gearman -h 127.0.0.1 -p "$(free_port)" -b -f f job || status=$?
observed "background job, no job server" "exit 0" "exit $status"

job_server
admin $'create function f\r\n' >/dev/null
admin $'maxqueue f 1\r\n' >/dev/null
status=0
for i in 1 2 3; do gearman -h 127.0.0.1 -p "$port" -b -f f "job $i" || status=$?; done
queued=$(admin $'status\n' | awk '$1 == "f" {print $2}')
observed "background job, queue full" "exit 0, 1 of 3 jobs queued" "exit $status, $queued of 3 jobs queued"

start gearman -h 127.0.0.1 -p "$port" -w -f fails -- false
status=0
gearman -h 127.0.0.1 -p "$port" -f fails x >/dev/null || status=$?
observed "foreground job that fails" "exit 1" "exit $status"
