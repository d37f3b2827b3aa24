package access

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// grants is one of each kind, by what is written in the tables below.
var grants = map[string]Rule{
	"nothing":      {},
	"submit f":     {Submit: []string{"f"}},
	"submit r":     {Submit: []string{"r"}},
	"submit f, r":  {Submit: []string{"f", "r"}},
	"submit all":   {Submit: []string{"*"}},
	"work on f":    {Work: []string{"f"}},
	"work on r":    {Work: []string{"r"}},
	"work on all":  {Work: []string{"*"}},
	"admin: read":  {Admin: "read"},
	"admin: write": {Admin: "write"},
}

// A kind of decision is which of the grants will do for a packet that names the
// function f and the reducer r, and how docs/operations.md has it.
type kind struct {
	documented string
	grants     []string
}

var (
	forAnybody     = &kind{"nothing", slices.Sorted(maps.Keys(grants))}
	forSubmitters  = &kind{"`submit`, of the function", []string{"submit all", "submit f", "submit f, r"}}
	forReducers    = &kind{"`submit`, of the function and of the reducer", []string{"submit all", "submit f, r"}}
	forWhoAsks     = &kind{"`submit` of any function, or `admin: read`", []string{"admin: read", "admin: write", "submit all", "submit f", "submit f, r", "submit r"}}
	forWorkersOnIt = &kind{"`work`, on the function", []string{"work on all", "work on f"}}
	forWorkers     = &kind{"`work`, on any function", []string{"work on all", "work on f", "work on r"}}
	forReaders     = &kind{"`admin: read`", []string{"admin: read", "admin: write"}}
	forWriters     = &kind{"`admin: write`", []string{"admin: write"}}
)

var (
	decidedOnPacket = map[string]*kind{
		"CAN_DO": forWorkersOnIt, "CAN_DO_TIMEOUT": forWorkersOnIt,
		"CANT_DO": forWorkers, "RESET_ABILITIES": forWorkers, "ALL_YOURS": forWorkers,
		"PRE_SLEEP": forWorkers, "GRAB_JOB": forWorkers, "GRAB_JOB_UNIQ": forWorkers, "GRAB_JOB_ALL": forWorkers,
		"WORK_STATUS": forWorkers, "WORK_DATA": forWorkers, "WORK_WARNING": forWorkers,
		"WORK_COMPLETE": forWorkers, "WORK_FAIL": forWorkers, "WORK_EXCEPTION": forWorkers,
		"SUBMIT_JOB": forSubmitters, "SUBMIT_JOB_HIGH": forSubmitters, "SUBMIT_JOB_LOW": forSubmitters,
		"SUBMIT_JOB_BG": forSubmitters, "SUBMIT_JOB_HIGH_BG": forSubmitters, "SUBMIT_JOB_LOW_BG": forSubmitters,
		"SUBMIT_JOB_EPOCH": forSubmitters, "SUBMIT_JOB_SCHED": forSubmitters,
		"SUBMIT_REDUCE_JOB": forReducers, "SUBMIT_REDUCE_JOB_BACKGROUND": forReducers,
		"GET_STATUS": forWhoAsks, "GET_STATUS_UNIQUE": forWhoAsks,
		"ECHO_REQ": forAnybody, "OPTION_REQ": forAnybody, "SET_CLIENT_ID": forAnybody,
		// of job servers, or of nobody
		"UNUSED": forAnybody, "NOOP": forAnybody, "JOB_CREATED": forAnybody, "NO_JOB": forAnybody,
		"JOB_ASSIGN": forAnybody, "JOB_ASSIGN_UNIQ": forAnybody, "JOB_ASSIGN_ALL": forAnybody,
		"ECHO_RES": forAnybody, "ERROR": forAnybody, "OPTION_RES": forAnybody,
		"STATUS_RES": forAnybody, "STATUS_RES_UNIQUE": forAnybody,
	}
	decidedOnLine = map[string]*kind{
		"status": forReaders, "prioritystatus": forReaders, "workers": forReaders,
		"show jobs": forReaders, "show unique jobs": forReaders,
		"version": forReaders, "getpid": forReaders, "verbose": forReaders,
		"maxqueue f": forWriters, "cancel job f": forWriters, "create function f": forWriters, "drop function f": forWriters,
	}
	noCommands = []string{"shutdown", "", "maxqueue", "cancel", "drop f", "six words are not a line"}
)

// packetOf returns a packet of a type that names f and r wherever it can.
func packetOf(t *testing.T, kind protocol.Type) *protocol.Packet {
	t.Helper()
	var arguments [][]byte
	for _, name := range kind.Info().Args {
		word := map[string]string{"function": "f", "reducer": "r"}[name]
		if word == "" {
			word = "0"
		}
		arguments = append(arguments, []byte(word))
	}
	p := &protocol.Packet{}
	if err := p.Parse(protocol.AppendFrame(nil, protocol.Request, kind, arguments...)); err != nil {
		t.Fatal(err)
	}
	return p
}

// enough returns the grants that refuse nothing.
func enough(lacks func(*Grant) Right) (names []string) {
	for name, r := range grants {
		if lacks(New([]Rule{r}).Of(Peer{})) == None {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Every packet type and every admin verb has been decided on, here and in
// decisions.go.
func TestDecisions(t *testing.T) {
	for of := protocol.Type(1); of.Known(); of++ {
		p := packetOf(t, of)
		want := decidedOnPacket[of.String()]
		if want == nil {
			t.Fatalf("no decision on %v", of)
		}
		if got := enough(func(g *Grant) Right { return g.Packet(p) }); !slices.Equal(got, want.grants) {
			t.Errorf("%v: %q will do, expected %q", of, got, want.grants)
		}
		if lacks := Everything.Packet(p); lacks != None {
			t.Errorf("%v: who may do everything lacks %v", of, lacks)
		}
	}
	for verb := protocol.Verb(1); verb < protocol.Verbs; verb++ {
		decided := func(line string) bool { return strings.TrimSuffix(line, " f") == verb.String() }
		if !slices.ContainsFunc(slices.Collect(maps.Keys(decidedOnLine)), decided) {
			t.Errorf("no decision on %q", verb)
		}
	}
	for line, want := range decidedOnLine {
		if got := enough(func(g *Grant) Right { return g.Line([]byte(line)) }); !slices.Equal(got, want.grants) {
			t.Errorf("%q: %q will do, expected %q", line, got, want.grants)
		}
	}
	for _, line := range noCommands {
		if got := enough(func(g *Grant) Right { return g.Line([]byte(line)) }); !slices.Equal(got, forAnybody.grants) {
			t.Errorf("%q, which is no command: %q will do, expected anybody", line, got)
		}
	}
}

// What is refused names the right that lacks.
func TestRightThatLacks(t *testing.T) {
	nothing := New([]Rule{{}}).Of(Peer{})
	for kind, want := range map[protocol.Type]Right{
		protocol.CanDo: Work, protocol.GrabJob: Work, protocol.SubmitJob: Submit, protocol.GetStatus: Submit,
	} {
		if got := nothing.Packet(packetOf(t, kind)); got != want {
			t.Errorf("%v lacks %v, expected %v", kind, got, want)
		}
	}
	if got := nothing.Line([]byte("workers")); got != AdminRead {
		t.Errorf("workers lacks %v", got)
	}
	if got := New([]Rule{{Admin: "read"}}).Of(Peer{}).Line([]byte("drop function f")); got != AdminWrite {
		t.Errorf("drop function lacks %v", got)
	}
	other := New([]Rule{{Submit: []string{"g"}, Work: []string{"g"}}}).Of(Peer{})
	for kind, want := range map[protocol.Type]Right{protocol.SubmitJob: Submit, protocol.CanDo: Work} {
		if got := other.Packet(packetOf(t, kind)); got != want {
			t.Errorf("%v of another function lacks %v, expected %v", kind, got, want)
		}
	}
}

// The reducer is asked about where there is one.
func TestReducerThatIsNone(t *testing.T) {
	p := &protocol.Packet{}
	if err := p.Parse(protocol.AppendFrame(nil, protocol.Request, protocol.SubmitReduceJob, []byte("f"), nil, nil, nil, nil)); err != nil {
		t.Fatal(err)
	}
	if lacks := New([]Rule{{Submit: []string{"f"}}}).Of(Peer{}).Packet(p); lacks != None {
		t.Errorf("it lacks %v", lacks)
	}
}

var (
	row  = regexp.MustCompile(`(?m)^\| ([^|]+) \| (.+) \|$`)
	name = regexp.MustCompile("`([^`]+)`")
)

// Operations says the same as the tables.
func TestDecisionsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Who may do what\n")
	section, _, _ = strings.Cut(section, "\n## ")
	documented := map[string]string{}
	for _, r := range row.FindAllStringSubmatch(section, -1) {
		for _, n := range name.FindAllStringSubmatch(r[2], -1) {
			documented[n[1]] = r[1]
		}
	}
	check := func(what string, is *kind) {
		if got := documented[what]; got != is.documented {
			t.Errorf("docs/operations.md says that %s needs %q, expected %q", what, got, is.documented)
		}
	}
	for what, is := range decidedOnPacket {
		if is != forAnybody {
			check(what, is)
		}
	}
	for _, what := range []string{"ECHO_REQ", "OPTION_REQ", "SET_CLIENT_ID"} {
		check(what, forAnybody)
	}
	for line, is := range decidedOnLine {
		check(strings.TrimSuffix(line, " f"), is)
	}
}
