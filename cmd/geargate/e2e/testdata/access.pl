# A client that submits a function it may not and one it may, and a worker that
# registers one it may not: perl access.pl HOST:PORT
use strict;
use warnings;
use Gearman::Client;
use Gearman::Worker;

$| = 1;
my $client = Gearman::Client->new(job_servers => [$ARGV[0]]);
for my $function ("other", "mail") {
    my $result = eval { $client->do_task($function, "abc", { timeout => 30 }) };
    my $text = $result ? $$result : "undef";
    $text =~ s/\s+$//;
    print "$function: $text\n";
}
my $worker = Gearman::Worker->new(job_servers => [$ARGV[0]]);
$worker->register_function("forbidden", sub { 1 });
my $calls = 0;
eval { $worker->work(stop_if => sub { $calls++ > 2 }) };
print $@;
