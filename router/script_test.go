package router

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A script is a text file of events, each followed by the actions it must
// cause, indented:
//
//	farm a b              a router with these backends (name or name=weight),
//	                      its submit links up; the rest of the line sets
//	                      options, such as retries=2 or lanes=2; a+disk is a
//	                      backend that stores, with a second submit link; spool is
//	                      one more of these, the spool; with ghosts, the others may
//	                      have jobs from before, and join submissions to those
//	                      that they have let go of
//	s1 opens              a session connects; s1:1 for lane 1; behind it, forwards
//	s1> SUBMIT_JOB f u x  it sends a packet: arguments as words or quoted
//	s1> "status"          it sends an admin line
//	s1 may f g*           it may work on these functions only, or on none
//	s1 denied PRE_SLEEP   it sends what it may not ask, a packet or a line
//	s1 has read           all that it was sent is written
//	s1 is deaf            its connection has ended, and more of what it sent comes
//	s1 leaves
//	a#2 up                a link comes up; the number is the one Dial showed
//	a#2< NO_JOB           a backend sends a packet on a link
//	a#2< "f\t0\t0\t1"     or a line of text
//	a#2 flows             bytes of something incomplete go over a link
//	a#2 down
//	wait 400ms            time passes, and the deadlines in it fire; after 0s, what
//	                      is due at once
//	drain a               no new jobs to a; undrain a ends that
//	reload a=2 c          another configuration, written as behind farm;
//	                      c@new is c at another address
//	restart a c           the router is killed, with all connections, and another
//	                      begins, with a configuration as behind farm; its first
//	                      link has the number that comes next
//	lameduck 10s          a successor serves from now on; behind it, last: workers
//	                      stay for as long as a client waits for a job
//	forwarded H:s~h:1 H:a~h:2 a job has left the spool; without the second it has ended
//	survey 7              the backends are asked how many jobs they have
//	report                shows what is known of each backend
//
// In farm and reload, pool:images=a,b is a pool and route:resize_*=images a
// route to it.
//
// Run the tests with -update to write what the router does now into the
// scripts; look at every changed line before you keep it.
var update = flag.Bool("update", false, "rewrite the scripts' expected actions")

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			runScript(t, file)
		})
	}
}

func runScript(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	p := &player{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "  ") {
			continue
		}
		fmt.Fprintln(&out, line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		for _, action := range p.play(t, line) {
			fmt.Fprintln(&out, "  "+action)
		}
	}
	if *update {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want, got := string(text), out.String(); want != got {
		t.Errorf("%s: first difference:\n%s", file, firstDifference(want, got))
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := lineAt(w, i), lineAt(g, i)
		if a != b {
			return fmt.Sprintf("line %d, after %q\nwant %s\ngot  %s", i+1, lineAt(w, i-1), a, b)
		}
	}
	return ""
}

func lineAt(lines []string, i int) string {
	if i < 0 || i >= len(lines) {
		return "(end)"
	}
	return lines[i]
}

// player plays one script.
type player struct {
	r   *Router
	now time.Time
}

func (p *player) play(t *testing.T, line string) []string {
	t.Helper()
	words := fields(t, line)
	switch {
	case words[0] == "farm":
		return p.farm(t, words[1:])
	case words[0] == "wait":
		return p.wait(t, words[1])
	case words[0] == "drain", words[0] == "undrain":
		kind := map[string]EventKind{"drain": Drain, "undrain": Undrain}[words[0]]
		return p.step(&Event{Kind: kind, Backend: p.r.named(words[1]).id})
	case words[0] == "reload":
		cfg := config(words[1:])
		return p.step(&Event{Kind: Reload, Config: &cfg})
	case words[0] == "restart":
		last := p.r.lastLink
		p.r = New(config(words[1:]))
		p.r.lastLink = last
		return p.shown(p.r.Start(p.now, nil))
	case words[0] == "lameduck":
		within, err := time.ParseDuration(words[1])
		if err != nil {
			t.Fatal(err)
		}
		return p.step(&Event{Kind: LameDuck, Within: within, WorkersLast: len(words) > 2})
	case words[0] == "survey":
		id, _ := strconv.ParseUint(words[1], 10, 64)
		return p.step(&Event{Kind: Survey, Survey: id})
	case words[0] == "forwarded":
		ev := &Event{Kind: Forwarded, From: []byte(words[1])}
		if len(words) > 2 {
			ev.To = []byte(words[2])
		}
		return p.step(ev)
	case words[0] == "report":
		return p.report()
	case words[1] == "opens":
		name, lane, _ := strings.Cut(words[0], ":")
		n, _ := strconv.Atoi(lane)
		return p.step(&Event{Kind: SessionOpened, Session: session1(t, name), Lane: n, Peer: "10.0.0.1", Number: int(session1(t, name)), Forwards: len(words) > 2})
	case words[1] == "may":
		allows := func(function []byte) bool { return matchesAny(words[2:], function) }
		return p.step(&Event{Kind: Restrict, Session: session1(t, words[0]), Allows: allows})
	case words[1] == "denied":
		ev := &Event{Session: session1(t, words[0]), Kind: SessionLine, Refused: &protocol.RefuseAccess}
		return p.receive(t, ev, SessionPacket, protocol.Request, strings.Replace(line, "denied", ">", 1), words[2:])
	case words[1] == "has":
		return p.step(&Event{Kind: SessionWritable, Session: session1(t, words[0])})
	case words[1] == "is":
		return p.step(&Event{Kind: SessionDeaf, Session: session1(t, words[0])})
	case words[1] == "leaves":
		return p.step(&Event{Kind: SessionClosed, Session: session1(t, words[0])})
	case words[1] == "up":
		return p.step(&Event{Kind: LinkUp, Link: link1(t, words[0])})
	case words[1] == "flows":
		return p.step(&Event{Kind: LinkFlow, Link: link1(t, words[0])})
	case words[1] == "down":
		return p.step(&Event{Kind: LinkDown, Link: link1(t, words[0]), Reason: "gone"})
	case strings.HasSuffix(words[0], ">"):
		ev := &Event{Session: session1(t, strings.TrimSuffix(words[0], ">")), Kind: SessionLine}
		return p.receive(t, ev, SessionPacket, protocol.Request, line, words[1:])
	case strings.HasSuffix(words[0], "<"):
		ev := &Event{Link: link1(t, strings.TrimSuffix(words[0], "<")), Kind: LinkLine}
		return p.receive(t, ev, LinkPacket, protocol.Response, line, words[1:])
	}
	t.Fatalf("cannot read %q", line)
	return nil
}

func (p *player) receive(t *testing.T, ev *Event, packet EventKind, m protocol.Magic, line string, words []string) []string {
	t.Helper()
	if strings.Contains(line, `> "`) || strings.Contains(line, `< "`) {
		ev.Line = []byte(words[0])
		return p.step(ev)
	}
	ev.Kind, ev.Packet = packet, &protocol.Packet{}
	if words[0] == "WRONG_MAGIC" {
		m, words = protocol.Response, words[1:]
	}
	var body []byte
	for i, word := range words[1:] {
		if i > 0 {
			body = append(body, 0)
		}
		body = append(body, word...)
	}
	frame := protocol.AppendHeader(nil, m, typeNamed(t, words[0]), len(body))
	ev.Malformed = ev.Packet.Parse(append(frame, body...))
	return p.step(ev)
}

func (p *player) wait(t *testing.T, text string) []string {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	end := p.now.Add(d)
	for {
		at, ok := p.r.Next()
		if !ok || at.After(end) {
			break
		}
		p.now = at
		all = append(all, p.step(&Event{Kind: Tick})...)
	}
	p.now = end
	return all
}

func (p *player) step(ev *Event) []string { return p.shown(p.r.Step(p.now, ev, nil)) }

func (p *player) shown(acts []Action) []string {
	var all []string
	for i := range acts {
		all = append(all, p.show(&acts[i]))
	}
	return all
}
