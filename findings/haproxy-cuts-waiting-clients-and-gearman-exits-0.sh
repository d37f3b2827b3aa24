#!/bin/bash
# Software: haproxy 2.6.12-1+deb12u4, gearmand and gearman-tools 1.1.20+ds-1
# (Debian 12).
#
# A foreground client that waits for its job says nothing meanwhile, and neither
# does gearmand. HAProxy's `timeout client` and `timeout server` (2 s here, 50 s in
# many examples) end such a connection; keepalives of TCP do not count. One would
# expect that the job then fails for the client. `gearman` prints nothing to
# standard output and exits with 0, as after a job with an empty result. The job
# runs to its end, and its result goes nowhere. A sleeping worker notices the cut
# and comes back by itself.
#
# Seen:
#   job of 4 s behind a timeout of 2 s: exit 0, result ""
#   the job ran to its end: yes
#   another job, for a worker that slept over the timeout: result "abc"
. "$(dirname "$0")/common.bash"
debian haproxy=2.6.12-1+deb12u4 gearman-tools=1.1.20+ds-1 gearman-job-server=1.1.20+ds-1 libgearman8=1.1.20+ds-1
job_server
front=$(free_port)
cat >haproxy.cfg <<H
defaults
  mode tcp
  timeout connect 1s
  timeout client 2s
  timeout server 2s
listen gearman
  bind 127.0.0.1:$front
  server jobs 127.0.0.1:$port
H
start haproxy -f haproxy.cfg
answers "$front"
start gearman -h 127.0.0.1 -p "$front" -w -f sleeper -- cat
# This worker is connected to the server itself, so that it keeps its job.
start gearman -h 127.0.0.1 -p "$port" -w -f slow -- sh -c "sleep 4; echo done | tee '$work/ran'"
status=0
gearman -h 127.0.0.1 -p "$front" -f slow x >result 2>/dev/null || status=$?
observed "job of 4 s behind a timeout of 2 s" 'exit 0, result ""' "exit $status, result \"$(cat result)\""
ran() { [ -s ran ]; }
until_so ran
observed "the job ran to its end" yes yes
result=$(gearman -h 127.0.0.1 -p "$front" -f sleeper abc 2>/dev/null)
observed "another job, for a worker that slept over the timeout" 'result "abc"' "result \"$result\""
