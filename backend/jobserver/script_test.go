package jobserver

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// TestScripts runs every script in testdata. A script is a conversation with a
// fresh job server: an event on one line, and on the next lines exactly the
// actions that follow, in order. # starts a comment.
//
//	config retries=1 round-robin=off   before anything else; see configure
//	c1> SUBMIT_JOB f u data            connection c1 sends a packet
//	c1< JOB_CREATED #1                 c1 is sent a packet; #1 is the handle H:t:0000000001
//	c1>> show jobs                     c1 sends a line of text
//	c1<< "OK\r\n"                      c1 is sent text
//	c1> raw:SUBMIT_JOB "f\x00u"        a request with this body, well formed or not
//	c1> res:NOOP                       a packet with the magic of a response
//	c1 opens / c1 closes               it opens by itself when first named
//	c1 is cut off                      c1 must be closed
//	disk< store 1 #1 NORMAL f u data   a job is to be stored, under ticket 1; see diskWords
//	disk> stored 1                     it is on disk; see disk for what else there is
//	restore #1 NORMAL f u data         a job comes back, before anything else;
//	not restored                       but not this one
//	wait 5s                            time passes; what is due happens
//	due 3s / due never                 when Next asks for a tick
//	idle                               nothing may be left but functions and connections
//
// Words are separated by spaces; one in double quotes is a Go string.
func TestScripts(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("expected scripts in testdata, found %d: %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			runScript(t, string(text))
		})
	}
}

// A play is a script being run.
type play struct {
	t      *testing.T
	line   int
	server *Server
	now    time.Time
	conns  map[string]ConnID
	names  map[ConnID]string
	said   []string // actions that the script has not named yet
}

func runScript(t *testing.T, text string) {
	config := DefaultConfig()
	config.HandlePrefix = "H:t"
	config.PID = 4711
	p := &play{t: t, now: time.Unix(1_000_000_000, 0), conns: map[string]ConnID{}, names: map[ConnID]string{}}
	for i, line := range strings.Split(text, "\n") {
		p.line = i + 1
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		words := p.words(line)
		if words[0] == "config" {
			p.configure(&config, words[1:])
			continue
		}
		if p.server == nil {
			p.server = New(config)
		}
		p.play(line, words)
	}
	p.settled()
}

func (p *play) fail(format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("line %d: %s", p.line, fmt.Sprintf(format, args...))
}

func (p *play) configure(config *Config, settings []string) {
	for _, setting := range settings {
		key, value, _ := strings.Cut(setting, "=")
		n, _ := strconv.Atoi(value)
		switch key {
		case "retries":
			config.JobRetries = n
		case "round-robin":
			config.RoundRobin = value == "on"
		case "worker-wakeup":
			config.WorkerWakeup = n
		case "durable":
			config.Durable = value == "on"
		case "memory":
			config.Memory = n
		case "exceptions":
			config.Exceptions = value == "on"
		case "queue-limit":
			config.QueueLimits = [protocol.Priorities]int{n, n, n}
		case "max-function":
			config.MaxFunction = n
		case "max-functions":
			config.MaxFunctions = n
		case "max-abilities":
			config.MaxAbilities = n
		default:
			p.fail("unknown setting %q", setting)
		}
	}
}

// play runs one line.
func (p *play) play(line string, words []string) {
	p.t.Helper()
	switch subject, verb := words[0], words[len(words)-1]; {
	case strings.HasSuffix(subject, "<<"):
		p.expect(subject[:len(subject)-2] + "<< " + strconv.Quote(words[1]))
	case strings.HasSuffix(subject, "<"):
		p.expect(strings.TrimSuffix(subject, "<") + "< " + show(p.expand(words[1:])))
	case line == "not restored":
		p.expect(line)
	case strings.HasSuffix(line, " is cut off"):
		p.expect(subject + " is cut off")
	default:
		p.settled()
		p.event(line, words, subject, verb)
	}
}

func (p *play) event(line string, words []string, subject, verb string) {
	p.t.Helper()
	switch {
	case strings.HasSuffix(subject, ">>"):
		_, text, _ := strings.Cut(line, ">>")
		text = strings.ReplaceAll(strings.TrimPrefix(text, " "), "#", "H:t:000000000")
		p.step(&Event{Kind: Line, Conn: p.conn(subject[:len(subject)-2]), Line: []byte(text)})
	case subject == "disk>":
		p.disk(words[1:])
	case subject == "restore":
		p.restore(words[1:])
	case strings.HasSuffix(subject, ">"):
		p.packet(p.conn(subject[:len(subject)-1]), p.expand(words[1:]))
	case verb == "opens":
		p.conn(subject)
	case verb == "closes":
		p.step(&Event{Kind: Closed, Conn: p.conn(subject)})
		delete(p.conns, subject)
	case subject == "wait":
		p.wait(p.duration(words[1]))
	case subject == "due":
		at, ok := p.server.Next()
		got := "never"
		if ok {
			got = at.Sub(p.now).String()
		}
		if got != words[1] {
			p.fail("expected a tick to be due %s, got %s", words[1], got)
		}
	case subject == "idle":
		if err := idle(p.server); err != nil {
			p.fail("%v", err)
		}
	default:
		p.fail("cannot read %q", line)
	}
}

// conn returns the connection of that name and opens it where it is new.
func (p *play) conn(name string) ConnID {
	id, ok := p.conns[name]
	if !ok {
		id = ConnID(len(p.names) + 1)
		p.conns[name], p.names[id] = id, name
		p.step(&Event{Kind: Opened, Conn: id, Peer: "127.0.0.1", Number: 30 + int(id)})
	}
	return id
}

func (p *play) packet(id ConnID, words []string) {
	p.t.Helper()
	magic, name := protocol.Request, words[0]
	var args [][]byte
	for _, word := range words[1:] {
		args = append(args, []byte(word))
	}
	if bare, ok := strings.CutPrefix(name, "res:"); ok {
		magic, name = protocol.Response, bare
	}
	name, raw := strings.CutPrefix(name, "raw:")
	kind, ok := typeNamed(name)
	if !ok {
		p.fail("no packet is called %q", name)
	}
	if want := len(kind.Info().Args); !raw && len(args) != want {
		p.fail("%s has %d arguments, expected %d: use raw:", name, len(args), want)
	}
	var packet protocol.Packet
	frame := protocol.AppendFrame(nil, magic, kind, args...)
	malformed := packet.Parse(frame)
	p.step(&Event{Kind: Packet, Conn: id, Packet: &packet, Malformed: malformed})
	clear(frame) // it was borrowed
}

func (p *play) wait(d time.Duration) {
	p.now = p.now.Add(d)
	for {
		at, ok := p.server.Next()
		if !ok || at.After(p.now) {
			return
		}
		p.step(&Event{Kind: Tick})
	}
}

// step runs one event and notes what is said.
func (p *play) step(ev *Event) {
	p.t.Helper()
	for _, action := range p.server.Step(p.now, ev, nil) {
		name := p.names[action.Conn]
		switch action.Kind {
		case Send:
			p.said = append(p.said, name+"< "+show(draftWords(&action.Draft)))
		case SendText:
			p.said = append(p.said, name+"<< "+strconv.Quote(string(action.Text)))
		case Close:
			p.said = append(p.said, name+" is cut off")
		case SendHeld:
			p.held(name, action.Text)
		default:
			p.said = append(p.said, "disk< "+show(diskWords(&action, name)))
		}
	}
	if err := check(p.server); err != nil {
		p.fail("%v", err)
	}
}

func (p *play) expect(want string) {
	p.t.Helper()
	if len(p.said) == 0 {
		p.fail("expected %s, got nothing", want)
	}
	if p.said[0] != want {
		p.fail("expected %s, got %s", want, strings.Join(p.said, "\n    then "))
	}
	p.said = p.said[1:]
}

func (p *play) settled() {
	p.t.Helper()
	if len(p.said) > 0 {
		p.fail("expected nothing more, got %s", strings.Join(p.said, "\n    then "))
	}
}

func (p *play) duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		p.fail("%v", err)
	}
	return d
}
