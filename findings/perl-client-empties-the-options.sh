#!/bin/bash
# Software: libgearman-client-perl 2.004.015-1 (Gearman::Client), gearmand
# 1.1.20+ds-1 (Debian 12).
#
# dispatch_background($function, $payload, \%options) looks as if it read the
# options. One would expect that the same hash, kept in a constant or a default,
# serves for several calls. The library deletes the keys that it takes out of the
# caller's hash: from the second call on there is no unique, no priority and no
# callback, without a word. Jobs that were to be one are queued several times.
#
# Seen:
#   3 calls with one hash: 3 queued, keys left: 0
#   3 calls with a copy each: 1 queued, keys left: 1
. "$(dirname "$0")/common.bash"
debian libgearman-client-perl=2.004.015-1 gearman-job-server=1.1.20+ds-1
job_server
cat >client.pl <<'P'
use strict;
use warnings;
use Gearman::Client;
my $client = Gearman::Client->new(job_servers => [$ARGV[0]]);
my %options = (uniq => "nightly");
for (1 .. 3) {
    $client->dispatch_background($ARGV[1], "x", $ARGV[1] eq "shared" ? \%options : {%options}) or die "not taken";
}
print scalar(keys %options);
P
for how in shared copied; do
	left=$(perl client.pl "127.0.0.1:$port" "$how")
	queued=$(admin $'status\n' | awk -v f="$how" '$1 == f {print $2}')
	if [ "$how" = shared ]; then
		observed "3 calls with one hash" "3 queued, keys left: 0" "$queued queued, keys left: $left"
	else
		observed "3 calls with a copy each" "1 queued, keys left: 1" "$queued queued, keys left: $left"
	fi
done
