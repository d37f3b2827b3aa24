# A worker on Gearman::Worker: perl worker.pl HOST:PORT
use strict;
use warnings;
use Gearman::Worker;

my $worker = Gearman::Worker->new(job_servers => [$ARGV[0]]);
$worker->register_function(upper   => sub { uc $_[0]->arg });
$worker->register_function(nothing => sub { "" });
$worker->register_function(zero    => sub { 0 });
$worker->register_function(broken  => sub { die "it broke\n" });
$worker->register_function(failing => sub { undef });
$worker->register_function(
    progress => sub {
        my $job = shift;
        $job->set_status($_, 3) for 1 .. 3;
        $worker->send_work_data($job, "part $_") for 1 .. 2;
        $worker->send_work_warning($job, "nearly there");
        return "done";
    }
);
# A job that waits until its file is there, so that it can be asked about.
$worker->register_function(
    hold => sub {
        my $job = shift;
        $job->set_status(1, 2);
        for (1 .. 3000) {
            last if -e $job->arg;
            select undef, undef, undef, 0.01;
        }
        return "held";
    }
);
$worker->work while 1;
