#!/bin/bash
# Software: gearmand 1.1.20+ds-1 (Debian 12) with --protocol=http.
#
# The HTTP module runs a job for each request. One would expect a status of 4xx or
# 5xx for a job that fails, for retries, monitoring and caches go by it. The
# answer is "200 OK" with an empty body, as for a job with an empty result. Only
# the header X-Gearman-Command tells them apart.
#
# Seen:
#   POST /works: HTTP/1.0 200 OK, X-Gearman-Command: WORK_COMPLETE, body "abc"
#   POST /fails: HTTP/1.0 200 OK, X-Gearman-Command: WORK_FAIL, body ""
. "$(dirname "$0")/common.bash"
debian gearman-tools=1.1.20+ds-1 gearman-job-server=1.1.20+ds-1 libgearman8=1.1.20+ds-1
http=$(free_port)
job_server --protocol=http --http-port="$http"
answers "$http"
start gearman -h 127.0.0.1 -p "$port" -w -f works -- cat
start gearman -h 127.0.0.1 -p "$port" -w -f fails -- false
have_workers() { [ "$(admin $'status\n' | grep -c $'\t1$')" = 2 ]; }
until_so have_workers

# posted FUNCTION: status line, X-Gearman-Command and body of the answer.
posted() {
	perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die "no connection";
		print $s "POST /$ARGV[1] HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"; $s->flush;
		my $answer = do { local $/; <$s> };
		my ($head, $body) = split /\r\n\r\n/, $answer, 2;
		my ($status) = split /\r\n/, $head;
		my ($command) = $head =~ /(X-Gearman-Command: \w+)/;
		print "$status, $command, body \"$body\"";
	' "$http" "$1"
}
observed "POST /works" 'HTTP/1.0 200 OK, X-Gearman-Command: WORK_COMPLETE, body "abc"' "$(posted works)"
observed "POST /fails" 'HTTP/1.0 200 OK, X-Gearman-Command: WORK_FAIL, body ""' "$(posted fails)"
