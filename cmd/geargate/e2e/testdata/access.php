<?php
// A worker that registers a function it may not, and a client that submits one
// it may not and one it may: php access.php HOST PORT

$worker = new GearmanWorker();
$worker->addServer($argv[1], (int) $argv[2]);
$worker->addFunction("forbidden", fn($job) => "x");
$worker->setTimeout(30000);
echo "work: ", json_encode(@$worker->work()), "\n";

$client = new GearmanClient();
$client->addServer($argv[1], (int) $argv[2]);
$client->setTimeout(30000);
@$client->doNormal("other", "abc");
echo "other: ", preg_match("/NOT_ALLOWED/", $client->error(), $found) ? $found[0] : $client->error(), "\n";
echo "mail: ", trim($client->doNormal("mail", "abc")), "\n";
