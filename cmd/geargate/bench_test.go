package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/proxy/tlstest"
	"github.com/geargate/geargate/router"
)

// A subject is a geargate that is measured: with its built-in pool, and
// listening with TLS and without.
type subject struct {
	b          *testing.B
	command    *exec.Cmd
	plain, tls string // addresses
	admin      string // address
	trust      *tls.Config
}

// startSubject starts one whose environment is set as well.
func startSubject(b *testing.B, environment ...string) *subject {
	ca := tlstest.New(b)
	cert, key := ca.Issue(b, "front")
	return startSubjectWith(b, ca, cert, key, environment...)
}

// startSubjectWith starts one with a certificate of ca and its key, in files.
func startSubjectWith(b *testing.B, ca *tlstest.Authority, cert, key string, environment ...string) *subject {
	dir := b.TempDir()
	s := &subject{b: b, plain: freeLoopback(b), tls: freeLoopback(b), admin: freeLoopback(b), trust: &tls.Config{RootCAs: ca.Pool}}
	config := filepath.Join(dir, "geargate.yaml")
	text := fmt.Sprintf("listen:\n  - {address: %q}\n  - {address: %q, tls: {cert: %q, key: %q}}\nadmin: {socket: \"\", listen: %q}\n", s.plain, s.tls, cert, key, s.admin)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	s.command = exec.Command(binary, "serve", "--config", config)
	s.command.Env = append(os.Environ(), environment...)
	if err := s.command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		s.command.Process.Kill()
		s.command.Wait()
	})
	for deadline := time.Now().Add(runTimeout); ; time.Sleep(10 * time.Millisecond) {
		if nc, err := s.dial(true); err == nil {
			nc.Close()
			return s
		}
		if time.Now().After(deadline) {
			b.Fatal("it does not listen")
		}
	}
}

// freeLoopback returns a loopback address that nobody listens at.
func freeLoopback(b testing.TB) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func (s *subject) dial(secure bool) (net.Conn, error) {
	if secure {
		return tls.Dial("tcp", s.tls, s.trust)
	}
	return net.Dial("tcp", s.plain)
}

// peer connects a client or worker.
func (s *subject) peer(secure bool) *peer {
	nc, err := s.dial(secure)
	if err != nil {
		s.b.Fatal(err)
	}
	s.b.Cleanup(func() { nc.Close() })
	p := &peer{Conn: nc, in: bufio.NewScanner(nc)}
	p.in.Split(func(data []byte, _ bool) (int, []byte, error) {
		frame, err := protocol.Split(data, math.MaxInt32)
		return len(frame), frame, err
	})
	return p
}

// resident returns the memory that the process has.
func (s *subject) resident() int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.command.Process.Pid))
	if err != nil {
		s.b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	var kib int
	if _, err := fmt.Sscan(after, &kib); err != nil {
		s.b.Fatal(err)
	}
	return kib << 10
}

// BenchmarkScrape: what the process spends on each reading of its metrics, with
// one function and with as many as are told apart.
func BenchmarkScrape(b *testing.B) {
	for _, functions := range []int{1, router.MaxCounted} {
		b.Run(fmt.Sprint("functions=", functions), func(b *testing.B) {
			s := startSubject(b)
			client := s.peer(false)
			for n := range functions {
				if _, err := client.ask(protocol.SubmitJobBg, fmt.Sprint("f", n), "", "x"); err != nil {
					b.Fatal(err)
				}
			}
			before := s.used()
			for b.Loop() {
				answer, err := http.Get("http://" + s.admin + "/metrics")
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
			b.ReportMetric(float64((s.used()-before).Microseconds())/float64(b.N), "CPU-us/scrape")
		})
	}
}

// BenchmarkIdleMemory: what a connection that has said something and is silent
// takes of memory, by 1000 of them.
func BenchmarkIdleMemory(b *testing.B) {
	const connections = 1000
	for name, secure := range map[string]bool{"plain": false, "tls": true} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				s := startSubject(b)
				before := s.resident()
				for range connections {
					if _, err := s.peer(secure).ask(protocol.EchoReq, "x"); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(s.resident()-before)/connections, "B/connection")
			}
		})
	}
}

// serve does jobs until the connection ends.
func (p *peer) serve() {
	for {
		packet, err := p.ask(protocol.GrabJob)
		for err == nil && packet.Type == protocol.NoJob {
			if packet, err = p.ask(protocol.PreSleep); err == nil {
				packet, err = p.ask(protocol.GrabJob) // that was NOOP
			}
		}
		if err != nil || p.say(protocol.WorkComplete, string(packet.Arg(0)), "result") != nil {
			return
		}
	}
}

// run has one job run.
func (p *peer) run(function string) error {
	if err := p.say(protocol.SubmitJob, function, "", "workload"); err != nil {
		return err
	}
	for {
		packet, err := p.hear()
		if err != nil {
			return err
		}
		if packet.Type == protocol.WorkComplete {
			return nil
		}
	}
}
