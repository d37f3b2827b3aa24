<?php
// A client on libgearman: php client.php HOST PORT DIRECTORY
// It ends with 1 and says why as soon as something is not as it should be.

[, $host, $port, $directory] = $argv;

function same($got, $want, string $what): void
{
    if ($got !== $want) {
        fwrite(STDERR, "$what: got " . var_export($got, true) . ', expected ' . var_export($want, true) . "\n");
        exit(1);
    }
    echo "$what: as expected\n";
}

function connected(string $host, string $port): GearmanClient
{
    $client = new GearmanClient();
    $client->addServer($host, (int) $port);
    $client->setTimeout(30000);
    return $client;
}

/** Waits until a job is as wanted, asking again and again. */
function until(callable $done, string $what): void
{
    for ($i = 0; $i < 3000; $i++) {
        if ($done()) {
            echo "$what: as expected\n";
            return;
        }
        usleep(10000);
    }
    same(false, true, $what);
}

$client = connected($host, $port);
same($client->doNormal('upper', 'abc'), 'ABC', 'doNormal');
same($client->doHigh('upper', 'high', 'unique-1'), 'HIGH', 'doHigh');
same($client->doLow('upper', "nul\0nul"), "NUL\0NUL", 'doLow');
same($client->doNormal('length', str_repeat('x', 1 << 20)), '1048576', 'doNormal with 1 MiB');
same(@$client->doNormal('fail', 'x'), '', 'doNormal of a failing job');
same($client->returnCode(), GEARMAN_WORK_FAIL, 'its return code');
same($client->ping('hello'), true, 'ping');

// Background jobs, asked about while they run and after.
$handle = $client->doBackground('hold', "$directory/release");
until(fn () => $client->jobStatus($handle) === [true, true, 1, 2], 'jobStatus of a running job');
touch("$directory/release");
until(fn () => $client->jobStatus($handle) === [false, false, 0, 0], 'jobStatus of a finished job');
$client->doHighBackground('append', "$directory/log high");
$client->doLowBackground('append', "$directory/log low");
until(fn () => substr_count((string) @file_get_contents("$directory/log"), "\n") === 2, 'two background jobs');

// Many tasks in one run, with every callback.
$client = connected($host, $port);
$seen = ['created' => 0, 'status' => [], 'data' => '', 'warning' => '', 'complete' => [], 'fail' => [], 'exception' => ''];
$client->setCreatedCallback(function () use (&$seen) { $seen['created']++; });
$client->setStatusCallback(function ($task) use (&$seen) { $seen['status'][] = $task->taskNumerator() . '/' . $task->taskDenominator(); });
$client->setDataCallback(function ($task) use (&$seen) { $seen['data'] .= $task->data(); });
$client->setWarningCallback(function ($task) use (&$seen) { $seen['warning'] .= $task->data(); });
$client->setCompleteCallback(function ($task) use (&$seen) { $seen['complete'][$task->unique()] = $task->data(); });
$client->setFailCallback(function ($task) use (&$seen) { $seen['fail'][] = $task->unique(); });
$client->setExceptionCallback(function ($task) use (&$seen) { $seen['exception'] .= $task->data(); });
for ($i = 0; $i < 20; $i++) {
    $client->addTask('upper', "task $i", null, "task-$i");
    $want["task-$i"] = "TASK $i";
}
$client->addTaskHigh('progress', 'x', null, 'progress-unique');
$want['progress-unique'] = 'progress-unique';
$client->addTaskLow('fail', 'x', null, 'fail-unique');
$client->addTask('exception', 'x', null, 'exception-unique');
$client->addTaskBackground('append', "$directory/log task");
same($client->runTasks(), true, 'runTasks');
ksort($seen['complete']);
ksort($want);
same($seen['complete'], $want, 'results of the tasks');
same($seen['created'], 24, 'created tasks');
same($seen['status'], ['1/3', '2/3', '3/3'], 'status callbacks');
same($seen['data'], 'part 1part 2part 3', 'data callbacks');
same($seen['warning'], 'nearly there', 'warning callbacks');
same($seen['fail'], ['fail-unique'], 'fail callbacks');
same($seen['exception'], 'it broke', 'exception callbacks');
until(fn () => substr_count((string) @file_get_contents("$directory/log"), "\n") === 3, 'the background task');
