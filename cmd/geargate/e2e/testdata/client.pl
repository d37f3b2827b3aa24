# A client on Gearman::Client: perl client.pl HOST:PORT DIRECTORY [empty]
# With "empty" it also asks for empty results, which gearmand never delivers.
# It dies as soon as something is not as it should be.
use strict;
use warnings;
use Gearman::Client;
use Gearman::Task;

$| = 1;
my ($server, $directory, $empty) = @ARGV;

sub same {
    my ($got, $want, $what) = @_;
    $got = "undef" unless defined $got;
    die "$what: got '$got', expected '$want'\n" if $got ne $want;
    print "$what: as expected\n";
}

sub until_so {
    my ($what, $done) = @_;
    for (1 .. 3000) {
        if ($done->()) { print "$what: as expected\n"; return }
        select undef, undef, undef, 0.01;
    }
    die "$what: not in 30 seconds\n";
}

sub result { my $ref = shift; return defined $ref ? $$ref : "undef" }

my $client = Gearman::Client->new(job_servers => [$server]);
same(result($client->do_task(upper => "abc")), "ABC", "do_task");
same(result($client->do_task(upper => "abc", { uniq => "u" })), "ABC", "do_task with a unique");
same(result($client->do_task(upper => "abc", { uniq => "-" })), "ABC", "do_task with the workload as unique");
same(result($client->do_task(upper => "abc", { priority => "high" })), "ABC", "do_task of high priority");
same(result($client->do_task(upper => "n\0n")), "N\0N", "do_task with a NUL");
same(result($client->do_task(failing => "")), "undef", "do_task of a failing job");
for (1 .. ($empty ? 3 : 0)) {
    same(result($client->do_task(nothing => "")), "", "do_task of an empty result");
    # The worker's library takes a zero for nothing and does not send it.
    same(result($client->do_task(zero => "")), "", "do_task of a zero");
}

# Background jobs, asked about while they run and after.
my $handle = $client->dispatch_background(hold => "$directory/release");
until_so("get_status of a running job", sub {
    my $status = $client->get_status($handle);
    $status && $status->known && $status->running && join("/", @{ $status->progress || [] }) eq "1/2";
});
open my $file, ">", "$directory/release" or die $!;
until_so("get_status of a finished job", sub {
    my $status = $client->get_status($handle);
    $status && !$status->known;
});

# A task set: many jobs at once, two of them coalesced, with callbacks.
my (%got, @status, @data, @warnings, $failed);
my $set = $client->new_task_set;
for my $i (1 .. 20) {
    $set->add_task(upper => "task $i", { on_complete => sub { $got{$i} = ${ $_[0] } } });
}
for my $i (21, 22) {
    $set->add_task(upper => "shared", { uniq => "shared", on_complete => sub { $got{$i} = ${ $_[0] } } });
}
$set->add_task(progress => "", {
    on_status   => sub { push @status, "$_[0]/$_[1]" },
    on_data     => sub { push @data, ${ $_[0] } },
    on_warning  => sub { push @warnings, ${ $_[0] } },
    on_complete => sub { $got{progress} = ${ $_[0] } },
});
$set->add_task(failing => "", { on_fail => sub { $failed++ } });
$set->wait(timeout => 30);
same($got{$_}, "TASK $_", "task $_") for 1 .. 20;
same($got{$_}, "SHARED", "coalesced task $_") for 21, 22;
same($got{progress}, "done", "task with progress");
same("@status", "1/3 2/3 3/3", "status callbacks");
same("@data", "part 1 part 2", "data callbacks");
same("@warnings", "nearly there", "warning callbacks");
same($failed, 1, "fail callbacks");

# Exceptions: with the option the client hears what the worker died of.
my $asking = Gearman::Client->new(job_servers => [$server], exceptions => 1);
my $heard = "";
$asking->do_task(broken => "", { on_exception => sub { $heard = $_[0] } });
die "on_exception heard '$heard'\n" unless $heard =~ /it broke/;
print "exception: as expected\n";
same(result($client->do_task(upper => "still there")), "STILL THERE", "do_task behind the exception");
