#!/bin/bash
# Software: github.com/mikespook/gearman-go v0.0.0-20220520031403-2a518e866145 (Go),
# gearmand 1.1.20+ds-1 (Debian 12).
#
# AddFunc(name, f, 5) gives the worker five seconds for a job: it waits for f that
# long. It tells the server "5" as well, and gearmand takes that for milliseconds,
# and for a second at least. So one would expect that a job of two seconds is
# within its limit, and it is for the worker; the server takes it away after one
# second and has it run again by the next worker. With 1000 in place of 5 the
# server is content, and the worker would wait for 17 minutes.
#
# Seen:
#   a job of 2 s with the limit 5, run more than once: yes
. "$(dirname "$0")/common.bash"
debian gearman-tools=1.1.20+ds-1 gearman-job-server=1.1.20+ds-1 libgearman8=1.1.20+ds-1
go_modules github.com/mikespook/gearman-go@v0.0.0-20220520031403-2a518e866145
cat >worker.go <<'G'
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/mikespook/gearman-go/worker"
)

func main() {
	w := worker.New(worker.OneByOne)
	if err := w.AddServer("tcp4", os.Args[1]); err != nil {
		panic(err)
	}
	err := w.AddFunc("f", func(job worker.Job) ([]byte, error) {
		fmt.Println("run")
		time.Sleep(2 * time.Second)
		return []byte("done"), nil
	}, 5)
	if err == nil {
		err = w.Ready()
	}
	if err != nil {
		panic(err)
	}
	w.Work()
}
G
go build -o worker .
job_server
: >runs
for i in 1 2; do start ./worker "127.0.0.1:$port" >>runs; done
two() { admin $'status\n' | grep -q '^f	0	0	2'; }
until_so two
gearman -h 127.0.0.1 -p "$port" -b -f f x
sleep 4
observed "a job of 2 s with the limit 5, run more than once" yes "$([ "$(grep -c run runs)" -gt 1 ] && echo yes || echo no)"
