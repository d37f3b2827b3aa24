#!/bin/bash
# Software: php8.2-gearman 2.1.0+1.1.2-12 on libgearman 1.1.20+ds-1, before
# gearmand 1.1.20+ds-1 (Debian 12).
#
# Two tasks of one runTasks() with the same unique are one job, and gearmand sends
# the client each packet twice, once for each task. One would expect that each task
# gets it once. libgearman gives a packet to the first task that has its handle, and
# a task is taken out only by WORK_COMPLETE: so one task gets each piece of data
# twice, the other gets none, and both complete. Data that is put together in a
# callback is doubled in one task and empty in the other.
#
# Seen:
#   data of task one: ""
#   data of task two: "AABB"
#   completed: one two
. "$(dirname "$0")/common.bash"
debian php8.2-gearman=2.1.0+1.1.2-12 php8.2-cli libgearman8=1.1.20+ds-1 gearman-job-server=1.1.20+ds-1
php=(php8.2 -n -d extension="$work/root/usr/lib/php/20220829/gearman.so")
job_server
cat >worker.php <<'P'
<?php
$worker = new GearmanWorker();
$worker->addServer('127.0.0.1', (int) $argv[1]);
$worker->addFunction('f', function ($job) {
    usleep(500000); // both tasks are there by then
    $job->sendData('A');
    $job->sendData('B');
    return 'done';
});
while ($worker->work());
P
cat >client.php <<'P'
<?php
$client = new GearmanClient();
$client->addServer('127.0.0.1', (int) $argv[1]);
$client->setTimeout(20000);
$data = ['one' => '', 'two' => ''];
$completed = [];
$client->setDataCallback(function ($task, $name) use (&$data) { $data[$name] .= $task->data(); });
$client->setCompleteCallback(function ($task, $name) use (&$completed) { $completed[] = $name; });
foreach (['one', 'two'] as $name) {
    $client->addTask('f', 'x', $name, 'same unique');
}
$client->runTasks();
sort($completed);
echo $data['one'], "\n", $data['two'], "\n", implode(' ', $completed), "\n";
P
start "${php[@]}" worker.php "$port"
"${php[@]}" client.php "$port" >seen
observed "data of task one" '""' "\"$(sed -n 1p seen)\""
observed "data of task two" '"AABB"' "\"$(sed -n 2p seen)\""
observed "completed" "one two" "$(sed -n 3p seen)"
