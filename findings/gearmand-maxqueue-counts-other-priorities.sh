#!/bin/bash
# Software: gearmand 1.1.20+ds-1 (Debian 12).
#
# `maxqueue FUNCTION HIGH NORMAL LOW` takes a limit for each priority. One would
# expect that each is compared with the jobs of its priority. It is compared with
# all jobs of the function, running ones too. So where LOW may have 10 and HIGH 2,
# two low jobs are enough for the first high job to be refused, while low ones
# go on being taken: the important jobs are turned away first.
#
# Seen:
#   limits 2 2 10, queued 3 low jobs: 0 0 3 (high, normal, low)
#   then 1 high job: QUEUE_ERROR, 0 0 3
#   then 1 low job: 0 0 4
. "$(dirname "$0")/common.bash"
debian gearman-tools=1.1.20+ds-1 gearman-job-server=1.1.20+ds-1 libgearman8=1.1.20+ds-1
job_server
cli=(gearman -h 127.0.0.1 -p "$port" -b -f f)
# A function that is not there yet has no limits, though the answer is OK.
admin $'create function f\r\nmaxqueue f 2 2 10\r\n' >/dev/null
queued() { admin $'prioritystatus\n' | awk '$1 == "f" {print $2, $3, $4}'; }

for i in 1 2 3; do "${cli[@]}" -L "low $i"; done
observed "limits 2 2 10, queued 3 low jobs" "0 0 3 (high, normal, low)" "$(queued) (high, normal, low)"
"${cli[@]}" -I "high 1" 2>refused || true
observed "then 1 high job" "QUEUE_ERROR, 0 0 3" "$(grep -o QUEUE_ERROR refused | sort -u), $(queued)"
"${cli[@]}" -L "low 4"
observed "then 1 low job" "0 0 4" "$(queued)"
