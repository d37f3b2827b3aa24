<?php
// A worker on libgearman: php worker.php HOST PORT

$worker = new GearmanWorker();
$worker->setId('php-worker');
$worker->addServer($argv[1], (int) $argv[2]);
$worker->addFunction('upper', fn (GearmanJob $job) => strtoupper($job->workload()));
$worker->addFunction('length', fn (GearmanJob $job) => (string) $job->workloadSize());
$worker->addFunction('progress', function (GearmanJob $job) {
    for ($i = 1; $i <= 3; $i++) {
        $job->sendStatus($i, 3);
        $job->sendData("part $i");
    }
    $job->sendWarning('nearly there');
    return $job->unique();
});
$worker->addFunction('fail', function (GearmanJob $job) {
    $job->sendFail();
});
$worker->addFunction('exception', function (GearmanJob $job) {
    $job->sendException('it broke');
});
$worker->addFunction('append', function (GearmanJob $job) {
    [$file, $text] = explode(' ', $job->workload(), 2);
    file_put_contents($file, $text . "\n", FILE_APPEND);
});
// A job that waits until its file is there, so that it can be asked about.
$worker->addFunction('hold', function (GearmanJob $job) {
    $job->sendStatus(1, 2);
    for ($i = 0; $i < 3000 && !file_exists($job->workload()); $i++) {
        usleep(10000);
        clearstatcache();
    }
    return 'held';
});
// A job that takes three times as long as it may. What it returns is late.
$worker->addFunction('overdue', function (GearmanJob $job) {
    sleep(3);
    return 'late';
}, null, 1000);
while (true) {
    if (!@$worker->work()) {
        fwrite(STDERR, 'work: ' . $worker->error() . ' (' . $worker->returnCode() . ")\n");
        exit(1);
    }
}
