#!/bin/bash
# Software: gearmand 1.1.20+ds-1 (Debian 12) with --queue-type=libsqlite3.
#
# A handle identifies a job, and a durable queue keeps jobs over a restart. One
# would expect that a handle is still the job's afterwards, or unknown. Handles are
# not stored: the queue is numbered from 1 again. Who asks for the status of a job
# that ended before the restart is told of another job, and who cancels by a handle
# that was noted down cancels another one.
#
# Seen:
#   handle 1 was "first", which has ended: unknown
#   after the restart: known, queued
#   cancelled by handle 1: "second" is gone, and run is: third
. "$(dirname "$0")/common.bash"
debian gearman-tools=1.1.20+ds-1 gearman-job-server=1.1.20+ds-1 libgearman8=1.1.20+ds-1
flags=(--queue-type=libsqlite3 --libsqlite3-db="$work/queue.db" --job-handle-prefix=H:x)
cli() { gearman -h 127.0.0.1 -p "$port" "$@"; }
state() {
	perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die "no connection";
		syswrite $s, pack("a4 N N a*", "\0REQ", 15, 5, "H:x:1");
		sysread $s, my $answer, 200;
		my (undef, $known, $running) = split /\0/, substr $answer, 12;
		print $known ? "known, " . ($running ? "running" : "queued") : "unknown";
	' "$port"
}
job_server "${flags[@]}"
cli -b -f f -u u1 first
cli -w -c 1 -f f -- true
cli -b -f f -u u2 second
cli -b -f f -u u3 third
observed 'handle 1 was "first", which has ended' unknown "$(state)"
stop "$job_server"
job_server "${flags[@]}"
observed "after the restart" "known, queued" "$(state)"
gearadmin -h 127.0.0.1 -p "$port" --cancel-job H:x:1 >/dev/null
cli -w -c 1 -f f -- tee -a "$work/ran"
observed 'cancelled by handle 1: "second" is gone, and run is' third "$(cat ran)"
