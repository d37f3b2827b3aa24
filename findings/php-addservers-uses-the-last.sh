#!/bin/bash
# Software: php8.2-gearman 2.1.0+1.1.2-12 on libgearman 1.1.20+ds-1, before
# gearmand 1.1.20+ds-1 (Debian 12).
#
# addServers("A,B,C") looks like a list over which jobs are spread, or of which the
# first is preferred. All jobs go to the server that was added last; the others
# are for when it cannot be reached. A unique makes no difference. And the tasks
# of one runTasks() are sent in the reverse order of addTask().
#
# Seen:
#   20 jobs with uniques, queued at A, B and C: 0 0 20
#   order in the queue of C: task 20 first, task 1 last
. "$(dirname "$0")/common.bash"
debian php8.2-gearman=2.1.0+1.1.2-12 php8.2-cli libgearman8=1.1.20+ds-1 \
	gearman-tools=1.1.20+ds-1 gearman-job-server=1.1.20+ds-1
php=(php8.2 -n -d extension="$work/root/usr/lib/php/20220829/gearman.so")
ports=()
for i in 1 2 3; do
	port=
	job_server
	ports+=("$port")
done
"${php[@]}" -r '
	$client = new GearmanClient();
	$client->addServers($argv[1]);
	for ($i = 1; $i <= 20; $i++) $client->addTaskBackground("f", "task $i\n", null, "unique-$i");
	$client->runTasks();
' "127.0.0.1:${ports[0]},127.0.0.1:${ports[1]},127.0.0.1:${ports[2]}"

queued=()
for port in "${ports[@]}"; do queued+=("$(admin $'status\n' | awk '$1 == "f" {n = $2} END {print n + 0}')"); done
observed "20 jobs with uniques, queued at A, B and C" "0 0 20" "${queued[*]}"
start gearman -h 127.0.0.1 -p "$port" -w -f f -- tee -a "$work/ran"
all() { [ "$(cat ran 2>/dev/null | wc -l)" = 20 ]; }
until_so all
observed "order in the queue of C" "task 20 first, task 1 last" "$(head -1 ran) first, $(tail -1 ran) last"
