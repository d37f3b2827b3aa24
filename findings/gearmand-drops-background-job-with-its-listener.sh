#!/bin/bash
# Software: gearmand 1.1.20+ds-1 (Debian 12).
#
# A background job is queued for good: one would expect that it runs, whoever
# asks for it besides. A foreground client that submits the same function and
# unique is joined to it, as it should be. When that client leaves before a
# worker has come, the background job is marked as abandoned, and the next worker
# is told that there is no job. The client that queued it had its handle, and
# nobody is told.
#
# Seen:
#   queued in the background, and joined: 1 job
#   the listener has gone, then a worker comes: 0 runs, 0 jobs
. "$(dirname "$0")/common.bash"
debian gearman-tools=1.1.20+ds-1 gearman-job-server=1.1.20+ds-1 libgearman8=1.1.20+ds-1
job_server
cli=(gearman -h 127.0.0.1 -p "$port")
jobs_of_f() { admin $'status\n' | awk '$1 == "f" {print $2}'; }
connections() { admin $'workers\n' | grep -c '127.0.0.1'; }

"${cli[@]}" -b -f f -u report-7 "the report"
start "${cli[@]}" -f f -u report-7 "the report"
listener=$!
joined() { [ "$(connections)" = 2 ]; } # the listener, and who asks
until_so joined
observed "queued in the background, and joined" "1 job" "$(jobs_of_f) job"

stop "$listener"
left() { [ "$(connections)" = 1 ]; }
until_so left
: >ran
start "${cli[@]}" -w -f f -- tee -a "$work/ran"
empty() { [ "$(jobs_of_f)" = 0 ]; }
until_so empty
observed "the listener has gone, then a worker comes" "0 runs, 0 jobs" "$(grep -c report ran || true) runs, $(jobs_of_f) jobs"
