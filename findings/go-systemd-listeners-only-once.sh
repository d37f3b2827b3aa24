#!/bin/bash
# Software: github.com/coreos/go-systemd/v22 v22.7.0 (Go), systemd's socket
# activation (the variables are set as systemd sets them).
#
# activation.Listeners() returns the sockets that systemd has passed on. One would
# expect it to be a question that can be asked twice, by two packages of a program,
# or first to see whether there are any. The first call unsets the variables: the
# second returns no listeners and no error, and a program that then listens on its
# own finds the address in use by itself.
#
# Seen:
#   first call: 1 listeners, error <nil>
#   second call: 0 listeners, error <nil>
. "$(dirname "$0")/common.bash"
go_modules github.com/coreos/go-systemd/v22@v22.7.0
cat >main.go <<'G'
package main

import (
	"fmt"

	"github.com/coreos/go-systemd/v22/activation"
)

func main() {
	for range 2 {
		listeners, err := activation.Listeners()
		fmt.Printf("%d listeners, error %v\n", len(listeners), err)
	}
}
G
go build -o program .
# Descriptor 3 is a listening socket, as systemd would pass it.
perl -MIO::Socket::INET -MPOSIX=dup2 -e '
	my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die;
	dup2(fileno $s, 3) if fileno $s != 3;
	$^F = 3;
	POSIX::dup2(fileno($s), 3);
	require Fcntl;
	open my $three, ">&=", 3;
	fcntl($three, Fcntl::F_SETFD(), 0);
	@ENV{qw(LISTEN_FDS LISTEN_PID)} = (1, $$);
	exec "./program";
' >seen
observed "first call" "1 listeners, error <nil>" "$(sed -n 1p seen)"
observed "second call" "0 listeners, error <nil>" "$(sed -n 2p seen)"
