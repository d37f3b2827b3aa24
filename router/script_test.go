package router

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
//	                      options, such as retries=2 or lanes=2; spool is one
//	                      more backend, the spool; a+disk is one that stores, with
//	                      a second submit link; with ghosts, backends may
//	                      have jobs from before, and join submissions to those
//	                      that they have let go of
//	s1 opens              a session connects; s1:1 for lane 1; behind it, forwards
//	s1> SUBMIT_JOB f u x  it sends a packet: arguments as words or quoted
//	s1> "status"          it sends an admin line
//	s1 may f g            it may work on these functions only, or on none
//	s1 denied PRE_SLEEP   it sends what it may not ask, a packet or a line
//	s1 leaves
//	a#2 up                a link comes up; the number is the one Dial showed
//	a#2< NO_JOB           a backend sends a packet on a link
//	a#2< "f\t0\t0\t1"     or a line of text
//	a#2 flows             bytes of something incomplete go over a link
//	a#2 down
//	wait 400ms            time passes, and the deadlines in it fire
//	drain a               no new jobs to a; undrain a ends that
//	reload a=2 c          another configuration, written as behind farm;
//	                      c@new is c at another address
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
		allows := func(function []byte) bool { return slices.Contains(words[2:], string(function)) }
		return p.step(&Event{Kind: Restrict, Session: session1(t, words[0]), Allows: allows})
	case words[1] == "denied":
		ev := &Event{Session: session1(t, words[0]), Kind: SessionLine, Refused: &protocol.RefuseAccess}
		return p.receive(t, ev, SessionPacket, protocol.Request, strings.Replace(line, "denied", ">", 1), words[2:])
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

// acquaint has a job be known that each backend has made: most tests are not
// about the first.
func (r *Router) acquaint() {
	for _, b := range r.backends {
		b.unsettled = false
	}
}

func (p *player) farm(t *testing.T, words []string) []string {
	t.Helper()
	cfg := config(words)
	p.r, p.now = New(cfg), time.Unix(1_000_000_000, 0)
	if !slices.Contains(words, "ghosts") {
		p.r.acquaint()
	}
	for _, a := range p.r.Start(p.now, nil) {
		asked := p.r.Step(p.now, &Event{Kind: LinkUp, Link: a.Link}, nil)
		p.receive(t, &Event{Link: a.Link}, LinkPacket, protocol.Response, "", []string{"OPTION_RES", "exceptions"})
		for _, q := range asked {
			if q.Link != a.Link { // the one that is to answer for it
				p.receive(t, &Event{Link: q.Link}, LinkPacket, protocol.Response, "", []string{"ECHO_RES"})
			}
		}
	}
	return nil
}

// report writes what is known of each backend as a script has it.
func (p *player) report() []string {
	var all []string
	for _, b := range p.r.Report().Backends {
		text := fmt.Sprintf("%s up=%t drained=%t leaving=%t foreground=%d held=%d", b.Name, b.Up, b.Drained, b.Leaving, b.Foreground, b.Held)
		if !b.Counted.IsZero() {
			text += fmt.Sprintf(" queued=%d running=%d strays=%d", b.Queued, b.Running, b.Strays)
		}
		if b.Empty {
			text += " empty"
		}
		if !b.GivenUp.IsZero() {
			text += " given up in " + b.GivenUp.Sub(p.now).String()
		}
		all = append(all, text)
	}
	return all
}

// config reads the words of a farm.
func config(words []string) (cfg Config) {
	cfg = DefaultConfig(nil, 1)
	cfg.HealthInterval = 0
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		n, _ := strconv.Atoi(value)
		switch name {
		case "spool":
			cfg.Spool = name
			readMember(&cfg, name, "", 0)
		case "ghosts":
			defer func() {
				for i := range cfg.Backends {
					cfg.Backends[i].Sound = false
				}
			}()
		case "retries":
			cfg.JobRetries = n
		case "lanes":
			cfg.Lanes = n
		case "links":
			cfg.GroupLinks = n
		case "health":
			cfg.HealthInterval, _ = time.ParseDuration(value)
			cfg.HealthTimeout = cfg.HealthInterval
		case "hold":
			cfg.HoldTimeout, _ = time.ParseDuration(value)
		case "held":
			cfg.MaxHeld = n
		case "heldbytes":
			cfg.MaxHeldBytes = n
		case "plain":
			cfg.PlainHandles = true
		case "seconds":
			cfg.TimeoutSeconds = true
		case "exceptions":
			cfg.Exceptions = true
		case "functions":
			cfg.MaxFunctions = n
		case "ready":
			cfg.MaxReady = n
		default:
			readMember(&cfg, name, value, n)
		}
	}
	cfg.Version, cfg.PID = "2.0.0", 4730
	return cfg
}

// readMember takes in a backend, a pool or a route.
func readMember(c *Config, name, value string, weight int) {
	if pool, ok := strings.CutPrefix(name, "pool:"); ok {
		c.Pools = append(c.Pools, Pool{pool, strings.Split(value, ",")})
		return
	}
	if function, ok := strings.CutPrefix(name, "route:"); ok {
		c.Routes = append(c.Routes, Route{function, value})
		return
	}
	name, stores := strings.CutSuffix(name, "+disk")
	name, address, _ := strings.Cut(name, "@")
	c.Backends = append(c.Backends, Backend{Name: name, Weight: weight, Address: address, Stores: stores, Sound: true})
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

func (p *player) step(ev *Event) []string {
	var all []string
	for _, a := range p.r.Step(p.now, ev, nil) {
		all = append(all, p.show(&a))
	}
	return all
}

// show writes an action as a script has it.
func (p *player) show(a *Action) string {
	linkName := func() string {
		if l := p.r.links[a.Link]; l != nil {
			return fmt.Sprintf("%s#%d", l.backend.name, a.Link)
		}
		return fmt.Sprintf("#%d", a.Link)
	}
	switch a.Kind {
	case Send:
		return fmt.Sprintf("s%d< %s", a.Session, showDraft(&a.Draft))
	case SendText:
		return fmt.Sprintf("s%d< %s", a.Session, showText(a.Text))
	case CloseSession:
		return fmt.Sprintf("s%d closed: %s", a.Session, a.Reason)
	case SendLink:
		return fmt.Sprintf("%s> %s", linkName(), showDraft(&a.Draft))
	case SendLinkText:
		return fmt.Sprintf("%s> %q", linkName(), a.Text)
	case Dial:
		return fmt.Sprintf("dial %s lane %d", linkName(), a.Lane)
	case CloseLink:
		return fmt.Sprintf("%s closed", linkName())
	case Surveyed:
		return fmt.Sprintf("surveyed %d", a.Survey)
	case Retain:
		return fmt.Sprintf("retain %d bytes", len(a.Text))
	case Release:
		return fmt.Sprintf("release %d bytes", len(a.Text))
	}
	return fmt.Sprintf("note %s: %s", a.Event, a.Reason)
}

// showText shows held replies as the packets they are, and admin text quoted.
func showText(text []byte) string {
	var parts []string
	for len(text) > 0 {
		if text[0] != 0 {
			return strings.Join(append(parts, strconv.Quote(string(text))), " + ")
		}
		frame, err := protocol.Split(text, 1<<20)
		if err != nil || frame == nil {
			return fmt.Sprintf("%q", text)
		}
		parts = append(parts, showFrame(frame))
		text = text[len(frame):]
	}
	return strings.Join(parts, " + ")
}

func showDraft(d *protocol.Draft) string { return showFrame(d.AppendTo(nil)) }

func showFrame(frame []byte) string {
	var p protocol.Packet
	if err := p.Parse(frame); err != nil {
		return err.Error()
	}
	text := p.Type.String()
	for i := range p.Args() {
		text += " " + showWord(string(p.Arg(i)))
	}
	return text
}

func showWord(word string) string {
	if q := strconv.Quote(word); word == "" || strings.ContainsRune(word, ' ') || len(q) != len(word)+2 {
		return q
	}
	return word
}

// fields splits a line into words; quoted ones may hold anything.
func fields(t *testing.T, line string) []string {
	t.Helper()
	var words []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if line[0] != '"' {
			word, rest, _ := strings.Cut(line, " ")
			words, line = append(words, word), rest
			continue
		}
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		word, _ := strconv.Unquote(quoted)
		words, line = append(words, word), line[len(quoted):]
	}
	return words
}

func session1(t *testing.T, name string) SessionID {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimPrefix(name, "s"))
	if err != nil {
		t.Fatalf("%q is no session: %v", name, err)
	}
	return SessionID(n)
}

func link1(t *testing.T, name string) LinkID {
	t.Helper()
	_, digits, _ := strings.Cut(name, "#")
	n, err := strconv.Atoi(digits)
	if err != nil {
		t.Fatalf("%q is no link: %v", name, err)
	}
	return LinkID(n)
}

func typeNamed(t *testing.T, name string) protocol.Type {
	t.Helper()
	for kind := protocol.Type(1); kind.Known(); kind++ {
		if kind.String() == name {
			return kind
		}
	}
	t.Fatalf("no packet type %q", name)
	return 0
}
