#!/bin/bash
# Software: github.com/mikespook/gearman-go v0.0.0-20220520031403-2a518e866145 (Go),
# gearmand 1.1.20+ds-1 (Debian 12).
#
# When the server refuses a job, because its queue is full, one would expect DoBg
# to return that error. It goes to the client's ErrorHandler only, nil unless set.
# DoBg waits for a second and then says that the connection is lost. It is not: the
# next call on it succeeds. Who dials again at that error makes a full server's
# day worse.
#
# Seen:
#   job refused with QUEUE_ERROR: Lost connection with Gearmand, after 1 s
#   next job, on the same connection: taken
. "$(dirname "$0")/common.bash"
debian gearman-job-server=1.1.20+ds-1
go_modules github.com/mikespook/gearman-go@v0.0.0-20220520031403-2a518e866145
cat >client.go <<'G'
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/mikespook/gearman-go/client"
)

func main() {
	c, err := client.New("tcp4", os.Args[1])
	if err != nil {
		panic(err)
	}
	c.DoBg("full", []byte("takes the place"), client.JobNormal)
	from := time.Now()
	_, err = c.DoBg("full", []byte("refused"), client.JobNormal)
	fmt.Printf("%v, after %d s\n", err, int(time.Since(from).Seconds()))
	if _, err = c.DoBg("other", []byte("x"), client.JobNormal); err == nil {
		fmt.Println("taken")
	}
}
G
go build -o client .
job_server
admin $'create function full\r\nmaxqueue full 1\r\n' >/dev/null
./client "127.0.0.1:$port" >seen
observed "job refused with QUEUE_ERROR" "Lost connection with Gearmand, after 1 s" "$(sed -n 1p seen)"
observed "next job, on the same connection" "taken" "$(sed -n 2p seen)"
