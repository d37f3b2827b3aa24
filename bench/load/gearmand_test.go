package load

import (
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"
)

// startGearmand runs the real job server on a free port until the test ends.
func startGearmand(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().(*net.TCPAddr)
	listener.Close()
	server := exec.Command("gearmand", "-L", "127.0.0.1", "-p", fmt.Sprint(address.Port), "-l", "stderr")
	if err := server.Start(); err != nil {
		t.Fatalf("gearmand is needed (gearman-job-server): %v", err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
	})
	for deadline := time.Now().Add(10 * time.Second); ; {
		conn, err := net.Dial("tcp", address.String())
		if err == nil {
			conn.Close()
			return address.String()
		}
		if time.Now().After(deadline) {
			t.Fatalf("gearmand does not listen: %v", err)
		}
	}
}

// Every kind of load ends clean against the real job server, and does what it
// says: each row's check tells from the result that the key had an effect, and
// asks for no speed, since the machine may be a busy one.
func TestLoadsAgainstGearmand(t *testing.T) {
	address := startGearmand(t)
	tests := map[string]struct {
		change func(*Load)
		check  func(*Result) bool
	}{
		"closed loop": {func(l *Load) { l.Loops, l.Jobs = 2, 2001 },
			func(r *Result) bool { return r.Jobs == 2001 && r.Runs == 2001 }},
		"pipelined": {func(l *Load) { l.Outstanding, l.Grabs, l.Jobs = 50, 25, 2000 },
			func(r *Result) bool { return r.Jobs == 2000 && r.Runs == 2000 }},
		"at a given rate": {func(l *Load) { l.Rate, l.Outstanding = 1000, 1000 },
			func(r *Result) bool { return r.Jobs > 0 && r.Jobs <= 600 }},
		"one job at a time": {func(l *Load) { l.Clients, l.Workers, l.Jobs = 1, 1, 100 },
			func(r *Result) bool { return r.Jobs == 100 && r.Runs == 100 && r.Connections == 2 && r.Noops > 0 }},
		"payloads and functions": {func(l *Load) {
			l.Payload.UnmarshalText([]byte("mix(90% 10, 10% 3MiB)"))
			l.Functions, l.FunctionsPerWorker, l.Jobs = 10, 3, 200
		}, func(r *Result) bool { return r.Jobs == 200 }},
		"all kinds": {func(l *Load) {
			l.Kinds.UnmarshalText([]byte("mix(20% foreground, 20% high, 15% low, 15% background, 15% high_background, 15% low_background)"))
			l.Unique, l.Jobs = UniqueOwn, 2000
		}, func(r *Result) bool { return r.Jobs == 2000 && r.Runs == 2000 }},
		"shared uniques": {func(l *Load) {
			l.Unique, l.HitRate, l.Jobs, l.Outstanding = UniqueShared, 0.8, 2000, 10
			l.WorkTime.UnmarshalText([]byte("1ms"))
		}, func(r *Result) bool { return r.Jobs == 2000 && r.Runs < 1500 }},
		"queue first": {func(l *Load) {
			l.Kinds.UnmarshalText([]byte("background"))
			l.QueueFirst, l.Unique, l.Jobs, l.Outstanding = true, UniqueOwn, 5000, 50
		}, func(r *Result) bool { return r.Jobs == 5000 && r.Runs == 0 && r.DrainPerSecond > 0 }},
		"work takes time": {func(l *Load) {
			l.Clients, l.Workers = 4, 2
			l.WorkTime.UnmarshalText([]byte("uniform(5ms, 15ms)"))
		}, func(r *Result) bool { return r.Jobs > 0 && r.Jobs < 150 && r.Latency.P50 > 10_000 }},
		"idle connections": {func(l *Load) { l.IdleClients, l.IdleWorkers, l.Jobs = 20, 20, 2000 },
			func(r *Result) bool { return r.Connections == 50 && r.Jobs == 2000 }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			load := Default()
			load.Clients, load.Workers, load.Warmup, load.Duration = 6, 4, 100*time.Millisecond, 500*time.Millisecond
			test.change(&load)
			got, err := Run(t.Context(), address, load, silent)
			if err != nil {
				t.Fatal(err)
			}
			got.Latency.Curve = nil
			if got.Bad() != 0 || !test.check(got) {
				t.Errorf("not as expected: %+v", got)
			}
		})
	}
}
