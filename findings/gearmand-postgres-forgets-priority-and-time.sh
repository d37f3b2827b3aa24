#!/bin/bash
# Software: gearmand 1.1.20+ds-1 with --queue-type=Postgres, postgresql-15 (Debian 12).
#
# The table has columns for priority and for the second of an epoch job, and they
# are filled. One would expect both to hold after a restart. gearmand does not read
# them back right: all jobs come back with the same priority, and a job that was to run
# in an hour runs at once.
#
# Seen:
#   before the restart, high, normal, low: 1 2 1
#   stored priorities: 0 1 1 2, jobs for later: 1
#   after the restart, high, normal, low: 4 0 0
#   the job of in an hour has run: yes
. "$(dirname "$0")/common.bash"
debian postgresql-15 gearman-tools=1.1.20+ds-1 gearman-job-server=1.1.20+ds-1 libgearman8=1.1.20+ds-1
bin=$work/root/usr/lib/postgresql/15/bin
export PATH=$PATH:$bin:/usr/lib/postgresql/15/bin # psql is in another package
as=()
if [ "$(id -u)" = 0 ]; then
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	chmod 755 "$work"
fi
mkdir data
chown "$(${as[@]+"${as[@]}"} id -u)" data
db=$(free_port)
${as[@]+"${as[@]}"} "$bin/initdb" -D data -U q --auth=trust -L "$work/root/usr/share/postgresql/15" >/dev/null
start ${as[@]+"${as[@]}"} "$bin/postgres" -D data -h 127.0.0.1 -p "$db" -k '' -c fsync=off
answers "$db"
sql() { psql -h 127.0.0.1 -p "$db" -U q -Atc "$1" postgres; }
ready() { sql 'select 1' >/dev/null 2>&1; }
until_so ready
flags=(--queue-type=Postgres --libpq-conninfo="host=127.0.0.1 port=$db user=q dbname=postgres" --libpq-table=queue)
job_server "${flags[@]}"
cli() { gearman -h 127.0.0.1 -p "$port" "$@"; }
cli -b -f f -L low
cli -b -f f normal
cli -b -f f -I high
perl -MIO::Socket::INET -e '
	my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die "no connection";
	my $body = join "\0", "f", "u", time + 3600, "in an hour\n";
	syswrite $s, pack("a4 N N a*", "\0REQ", 36, length $body, $body);
	sysread $s, my $answer, 100;
' "$port"
observed "before the restart, high, normal, low" "1 2 1" "$(admin $'prioritystatus\n' | awk '$1 == "f" {print $2, $3, $4}')"
observed "stored priorities" "0 1 1 2, jobs for later: 1" \
	"$(echo $(sql 'select priority from queue order by 1')), jobs for later: $(sql 'select count(*) from queue where when_to_run > 0')"
stop "$job_server"
job_server "${flags[@]}"
observed "after the restart, high, normal, low" "4 0 0" "$(admin $'prioritystatus\n' | awk '$1 == "f" {print $2, $3, $4}')"
start gearman -h 127.0.0.1 -p "$port" -w -f f -- sh -c "cat >>$work/ran"
later() { grep -q 'in an hour' ran 2>/dev/null; }
until_so later
observed "the job of in an hour has run" yes yes
