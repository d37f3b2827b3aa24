#!/bin/bash
# Software: libgearman-client-perl 2.004.015-1 (Gearman::Client), gearmand
# 1.1.20+ds-1 (Debian 12).
#
# Gearman::Client takes a list of job servers, and a task without a unique goes to
# another server when one is down. One would expect the same of a task with a
# unique. That one belongs to the server that the unique hashes to, whether it is
# there or not: with one of two servers down, about half of the uniques fail, and
# always the same ones, while the other server idles.
#
# Seen:
#   20 background tasks without unique, one of two servers down: 20 taken
#   20 with uniques: between 5 and 15 taken
#   the refused ones again: 0 taken
. "$(dirname "$0")/common.bash"
debian libgearman-client-perl=2.004.015-1 gearman-job-server=1.1.20+ds-1
job_server
cat >client.pl <<'P'
use strict;
use warnings;
use Gearman::Client;
my $client = Gearman::Client->new(job_servers => [@ARGV]);
# An options hash for each call: Gearman::Task empties the one it is given.
sub taken { scalar grep { defined eval { $client->dispatch_background("f", "x", {@$_}) } } @_ }
my @uniques = map { [ uniq => "unique-$_" ] } 1 .. 20;
print taken(map { [] } 1 .. 20), "\n";
my @refused = grep { !taken($_) } @uniques;
print 20 - @refused, "\n", taken(@refused), "\n";
P
perl client.pl "127.0.0.1:$port" "127.0.0.1:$(free_port)" >seen 2>/dev/null
observed "20 background tasks without unique, one of two servers down" "20 taken" "$(sed -n 1p seen) taken"
with=$(sed -n 2p seen)
echo "20 with uniques: $with taken"
observed "between 5 and 15" "yes" "$([ "$with" -ge 5 ] && [ "$with" -le 15 ] && echo yes || echo no)"
observed "the refused ones again" "0 taken" "$(sed -n 3p seen) taken"
