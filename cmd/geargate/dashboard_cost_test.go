package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// costWindow is how long BenchmarkIdleDashboard measures with nobody who looks,
// and then with somebody.
const costWindow = time.Minute

// BenchmarkIdleDashboard measures how much of one processor a process takes
// that has nothing to do, and how much more when one dashboard is open:
//
//	go test ./cmd/geargate -run '^$' -bench IdleDashboard -benchtime 1x
func BenchmarkIdleDashboard(b *testing.B) {
	for _, workers := range []int{0, 1000} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			socket := filepath.Join(b.TempDir(), "admin")
			command, dial := startServe(b, "--pool", "3", "--admin", socket)
			for i := range workers {
				sleepAsWorker(b, dial(), i)
			}
			for b.Loop() {
				idle := cpuShare(b, command.Process.Pid, costWindow)
				stop := watch(b, socket)
				looked := cpuShare(b, command.Process.Pid, costWindow)
				events, size := stop()
				b.ReportMetric(100*idle, "%cpu-idle")
				b.ReportMetric(100*looked, "%cpu-watched")
				b.ReportMetric(float64(events)/costWindow.Seconds(), "events/s")
				b.ReportMetric(float64(size)/float64(max(events, 1)), "B/event")
			}
		})
	}
}

// sleepAsWorker makes a connection a worker that waits for a job: one of ten
// kinds of them.
func sleepAsWorker(b *testing.B, conn net.Conn, i int) {
	b.Helper()
	conn.SetDeadline(time.Time{})
	out := protocol.AppendFrame(nil, protocol.Request, protocol.CanDo, []byte("function-"+strconv.Itoa(i%10)))
	out = protocol.AppendFrame(out, protocol.Request, protocol.PreSleep)
	out = protocol.AppendFrame(out, protocol.Request, protocol.EchoReq, nil)
	if _, err := conn.Write(out); err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, protocol.HeaderSize)); err != nil {
		b.Fatal(err)
	}
}

// watch listens to the live stream until stop, which returns how much came.
func watch(b *testing.B, socket string) (stop func() (events, size int)) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://geargate/api/v1/live", nil)
	if err != nil {
		b.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	type count struct{ events, size int }
	done := make(chan count)
	go func() {
		var n count
		for in := bufio.NewReader(response.Body); ; {
			line, err := in.ReadString('\n')
			if err != nil {
				done <- n
				return
			}
			n.size += len(line)
			if strings.HasPrefix(line, "data: ") {
				n.events++
			}
		}
	}()
	return func() (int, int) {
		cancel()
		n := <-done
		response.Body.Close()
		return n.events, n.size
	}
}

// cpuShare returns how much of one processor a process takes meanwhile.
func cpuShare(b *testing.B, pid int, window time.Duration) float64 {
	b.Helper()
	before, began := cpuTime(b, pid), time.Now()
	time.Sleep(window)
	return (cpuTime(b, pid) - before).Seconds() / time.Since(began).Seconds()
}

// cpuTime returns the processor time that a process has taken so far.
func cpuTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	var ticks int64
	for _, field := range fields[11:13] { // utime and stime, in hundredths of a second
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
