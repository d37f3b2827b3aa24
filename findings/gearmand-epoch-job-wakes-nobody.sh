#!/bin/bash
# Software: gearmand 1.1.20+ds-1 (Debian 12).
#
# SUBMIT_JOB_EPOCH queues a job for a second in the future. One would expect that
# a sleeping worker is woken in that second, as for any job. gearmand wakes it
# when the job is submitted, which is of no use, and does nothing when the job
# falls due. It runs when something else wakes a worker of the function: the next
# submission, or the worker's own timeout.
#
# Seen:
#   three seconds after it was due: not run
#   another job is submitted: the epoch job runs too
. "$(dirname "$0")/common.bash"
debian gearman-tools=1.1.20+ds-1 gearman-job-server=1.1.20+ds-1 libgearman8=1.1.20+ds-1
job_server
: >ran
start gearman -h 127.0.0.1 -p "$port" -w -f f -- sh -c "cat >>$work/ran"
has_worker() { admin $'status\n' | grep -q '^f	0	0	1'; }
until_so has_worker
sleep 0.5

due=$(($(date +%s) + 2))
perl -MIO::Socket::INET -e '
	my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die "no connection";
	my $body = join "\0", "f", "u", $ARGV[1], "epoch job\n";
	syswrite $s, pack("a4 N N a*", "\0REQ", 36, length $body, $body);
	sysread $s, my $answer, 100;
	exit(unpack("x4 N", $answer) == 8 ? 0 : 1); # JOB_CREATED
' "$port" "$due"
sleep 5
observed "three seconds after it was due" "not run" "$([ -s ran ] && echo run || echo not run)"
gearman -h 127.0.0.1 -p "$port" -b -f f "other job"
both() { [ "$(grep -o job ran | wc -l)" = 2 ]; }
until_so both
observed "another job is submitted" "the epoch job runs too" "$(grep -q 'epoch job' ran && echo the epoch job runs too)"
