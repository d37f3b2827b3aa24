package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A server is a durable geargate that is killed and started again.
type server struct {
	t       *testing.T
	address string
	args    []string
	command *exec.Cmd
	stderr  *logText
}

// A logText is what a process that runs has logged so far.
type logText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newServer returns a server on a unix socket; flags come behind its own.
func newServer(t *testing.T, flags ...string) *server {
	s := &server{t: t, address: filepath.Join(t.TempDir(), "s")}
	s.args = append([]string{"--listen", "unix://" + s.address, "--admin", ""}, flags...)
	t.Cleanup(s.kill)
	return s
}

// start returns when the server answers.
func (s *server) start() {
	s.t.Helper()
	s.stderr = &logText{}
	s.command = exec.Command(binary, s.args...)
	s.command.Stderr = s.stderr
	if err := s.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	for deadline := time.Now().Add(3 * time.Minute); !s.answers(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("no answer within three minutes, and in the log %s", s.stderr)
		}
	}
}

func (s *server) answers() bool {
	p, err := dialPeer(s.address)
	if err != nil {
		return false
	}
	defer p.Close()
	p.SetDeadline(time.Now().Add(3 * time.Minute)) // it listens before it has read its store
	_, err = p.ask(protocol.EchoReq, "x")
	return err == nil
}

// kill ends the server at once, wherever it is.
func (s *server) kill() {
	if s.command != nil {
		s.command.Process.Kill()
		s.command.Wait()
		s.command = nil
	}
}

// mostMemory returns the most memory that the server has had, in bytes.
func (s *server) mostMemory() int {
	s.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.command.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kib int
	if _, err := fmt.Sscan(after, &kib); err != nil {
		s.t.Fatal(err)
	}
	return kib << 10
}

// A peer is a client or worker. Packets that it is sent are valid until the
// next.
type peer struct {
	net.Conn
	in     *bufio.Scanner
	packet protocol.Packet
}

func dialPeer(address string) (*peer, error) {
	conn, err := net.Dial("unix", address)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(time.Minute))
	p := &peer{Conn: conn, in: bufio.NewScanner(conn)}
	p.in.Buffer(nil, 1<<20)
	p.in.Split(func(data []byte, _ bool) (int, []byte, error) {
		frame, err := protocol.Split(data, math.MaxInt32)
		return len(frame), frame, err
	})
	return p, nil
}

func (p *peer) say(kind protocol.Type, args ...string) error {
	parts := make([][]byte, len(args))
	for i := range args {
		parts[i] = []byte(args[i])
	}
	_, err := p.Write(protocol.AppendFrame(nil, protocol.Request, kind, parts...))
	return err
}

func (p *peer) hear() (*protocol.Packet, error) {
	if !p.in.Scan() {
		if err := p.in.Err(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	return &p.packet, p.packet.Parse(p.in.Bytes())
}

func (p *peer) ask(kind protocol.Type, args ...string) (*protocol.Packet, error) {
	if err := p.say(kind, args...); err != nil {
		return nil, err
	}
	return p.hear()
}

// A ledger knows of every background job what was promised and what was done.
type ledger struct {
	mu        sync.Mutex
	submitted int
	promised  map[string]string // handles by unique
	runs      map[string]int    // how often a worker was given each
	unsure    map[string]bool   // running at a kill, or done so shortly before that nobody was told
	wrong     []string
}

func newLedger() *ledger {
	return &ledger{promised: map[string]string{}, runs: map[string]int{}, unsure: map[string]bool{}}
}

// next returns the unique of a new job.
func (l *ledger) next() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.submitted++
	return uniqueOf(l.submitted)
}

// uniqueOf returns the unique of the n-th job.
func uniqueOf(n int) string { return fmt.Sprintf("job-%08d", n) }

func (l *ledger) promise(unique, handle string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.promised[unique] = handle
}

// run takes note that a worker is given a job.
func (l *ledger) run(unique, workload string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if want := workloadOf(unique); workload != want {
		l.wrong = append(l.wrong, fmt.Sprintf("%s: expected workload %.40q, got %.40q", unique, want, workload))
	}
	if l.runs[unique]++; l.runs[unique] > 1 && !l.unsure[unique] {
		l.wrong = append(l.wrong, fmt.Sprintf("%s: run %d times, and was not running at a kill", unique, l.runs[unique]))
	}
}

func (l *ledger) setUnsure(uniques ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, unique := range uniques {
		l.unsure[unique] = true
	}
}

// lost returns the promised jobs that never ran.
func (l *ledger) lost() (lost []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for unique := range l.promised {
		if l.runs[unique] == 0 {
			lost = append(lost, unique)
		}
	}
	return lost
}

// again returns how many jobs were run more than once.
func (l *ledger) again() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, runs := range l.runs {
		if runs > 1 {
			n++
		}
	}
	return n
}

func workloadOf(unique string) string { return unique + strings.Repeat(".", 90) }

// client submits background jobs, several at once, until the server goes.
func (l *ledger) client(address string) {
	p, err := dialPeer(address)
	if err != nil {
		return
	}
	defer p.Close()
	const together = 4
	for {
		var uniques []string
		for range together {
			unique := l.next()
			uniques = append(uniques, unique)
			if p.say(protocol.SubmitJobBg, "f", unique, workloadOf(unique)) != nil {
				return
			}
		}
		for _, unique := range uniques {
			answer, err := p.hear()
			if err != nil || answer.Type != protocol.JobCreated {
				return
			}
			l.promise(unique, string(answer.Arg(0)))
		}
	}
}

// worker does jobs until the server goes or, where idle is set, until there is
// none. A job counts as done when its worker has been answered something later:
// the server took note of its end by then.
func (l *ledger) worker(address string, idle bool) {
	p, err := dialPeer(address)
	if err != nil {
		return
	}
	defer p.Close()
	_ = p.say(protocol.CanDo, "f")
	var recent []string // the end of these may not be on disk yet
	defer func() { l.setUnsure(recent...) }()
	for {
		answer, err := p.ask(protocol.GrabJobUniq)
		if err != nil {
			return
		}
		switch answer.Type {
		case protocol.JobAssignUniq:
			p.SetDeadline(time.Now().Add(time.Minute))
			unique := string(answer.Arg(2))
			l.run(unique, string(answer.Arg(3)))
			recent = append(recent[max(0, len(recent)-recentJobs):], unique)
			if p.say(protocol.WorkComplete, string(answer.Arg(0)), "") != nil {
				return
			}
		case protocol.NoJob:
			if idle {
				p.SetDeadline(time.Now().Add(idleAfter))
			}
			if answer, err = p.ask(protocol.PreSleep); err != nil || answer.Type != protocol.Noop {
				if idle {
					recent = nil
				}
				return
			}
		}
	}
}

// idleAfter is how long a worker is not woken that gives up.
const idleAfter = 2 * time.Second

// recentJobs is how many ends of jobs may be on their way to the disk, for one
// worker.
const recentJobs = 20
