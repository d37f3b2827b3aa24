#!/bin/bash
# Software: gearmand 1.1.20+ds-1 (Debian 12) with --queue-type=libsqlite3.
#
# Each background job is acknowledged when it is stored. One would expect that all
# acknowledged jobs are there after a restart. A row's key is unique and function,
# and an empty unique is a value like any other: each job without a unique
# overwrites the row of the one before. In memory all are there, so nobody
# notices before the restart. libgearman's clients make up a unique and are safe;
# Perl's client and others send none.
#
# Seen:
#   jobs acknowledged without a unique: 3, 3 queued
#   after a restart: 1 queued
. "$(dirname "$0")/common.bash"
debian gearman-job-server=1.1.20+ds-1 libgearman-client-perl=2.004.015-1
job_server --queue-type=libsqlite3 --libsqlite3-db="$work/queue.db"
queued() { admin $'status\n' | awk '$1 == "f" {print $2}'; }

acknowledged=$(perl -MGearman::Client -e '
	my $client = Gearman::Client->new(job_servers => [$ARGV[0]]);
	my $n = 0;
	for (1 .. 3) { $n++ if $client->dispatch_background("f", "job $_", {}) }
	print $n;
' "127.0.0.1:$port")
observed "jobs acknowledged without a unique" "3, 3 queued" "$acknowledged, $(queued) queued"
stop "$job_server"
job_server --queue-type=libsqlite3 --libsqlite3-db="$work/queue.db"
observed "after a restart" "1 queued" "$(queued) queued"
