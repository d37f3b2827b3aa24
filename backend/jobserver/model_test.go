package jobserver

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// TestModel lets random connections do random things and checks after each
// that the server is sound inside and keeps its promises outside.
func TestModel(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(strconv.Itoa(int(seed)), func(t *testing.T) {
			config := DefaultConfig()
			config.HandlePrefix = "H:t"
			config.JobRetries = int(seed % 3)
			config.RoundRobin = seed%2 == 0
			config.WorkerWakeup = int(seed / 6)
			config.QueueLimits[protocol.Low] = 40
			config.Durable = seed%4 > 1
			config.Memory = int(seed % 3 * 1000)
			m := &model{
				t:       t,
				random:  rand.New(rand.NewPCG(seed, 4730)),
				server:  New(config),
				now:     time.Unix(1_000_000_000, 0),
				conns:   map[ConnID]*actor{},
				workers: map[string]ConnID{},
				disk:    newModelDisk(),
			}
			m.server.Resume(0, Reserved)
			m.disk.reserved = Reserved
			for range 2500 {
				m.anything()
			}
			m.finish()
		})
	}
}

// A model is what the outside knows of a server.
type model struct {
	t       *testing.T
	random  *rand.Rand
	server  *Server
	now     time.Time
	conns   map[ConnID]*actor
	order   []ConnID
	last    ConnID
	workers map[string]ConnID // who runs a job, by its handle
	handles []string          // all that were given out
	history []string
	disk    *modelDisk
}

// An actor is one connection, seen from outside.
type actor struct {
	waits  map[string]int    // foreground submissions without a final packet, by handle
	jobs   map[string]string // functions of the jobs it runs, by handle
	owed   []request         // what has not been answered, the oldest first
	asleep bool              // sent PRE_SLEEP and has had no NOOP since
	blind  bool              // registered for something while asleep

	crossed int // NOOPs that were held when it went on without them
}

// held returns the handles of the jobs that a runs, in an order that a seed
// repeats.
func (a *actor) held() []string { return slices.Sorted(maps.Keys(a.jobs)) }

// A request is one that must be answered.
type request uint8

const (
	silent        request = iota // not this one
	foregroundJob                // of a foreground job
	backgroundJob
	aGrab
	anythingElse
)

var modelFunctions = []string{"f", "g", "h", "i"}

// anything does one random thing.
func (m *model) anything() {
	choice := m.random.IntN(100)
	switch {
	case len(m.order) < 3 || choice < 4 && len(m.order) < 30:
		m.open()
	case choice < 7:
		m.close(m.someone())
	case choice < 12:
		m.pass(time.Duration(m.random.IntN(900)) * time.Millisecond)
	case choice < 14:
		m.say(m.someone(), &Event{Kind: Line, Line: []byte("cancel job " + m.someHandle())})
	case choice < 24 && m.server.config.Durable:
		m.answer(m.random.IntN(4) > 0)
	case choice == 25 && m.server.config.Durable && m.random.IntN(8) == 0:
		m.crash()
	case choice < 45:
		m.submit(m.someone())
	default:
		m.work(m.someone())
	}
}

func (m *model) open() {
	m.last++
	m.order = append(m.order, m.last)
	m.conns[m.last] = &actor{waits: map[string]int{}, jobs: map[string]string{}}
	m.say(m.last, &Event{Kind: Opened})
}

func (m *model) close(id ConnID) {
	for handle := range m.conns[id].jobs {
		delete(m.workers, handle)
	}
	delete(m.conns, id)
	for i := range m.order {
		if m.order[i] == id {
			m.order = append(m.order[:i], m.order[i+1:]...)
			break
		}
	}
	m.say(id, &Event{Kind: Closed})
}

// pass lets time go by. Jobs that were taken from their workers meanwhile are
// found by asking the server.
func (m *model) pass(d time.Duration) {
	m.now = m.now.Add(d)
	at, ok := m.server.Next()
	if !ok || at.After(m.now) {
		return
	}
	before := map[string]ConnID{}
	for handle, worker := range m.workers {
		before[handle] = worker
	}
	m.say(0, &Event{Kind: Tick})
	for handle, worker := range before {
		if id := m.server.find([]byte(handle)); id == 0 || m.server.jobs.at(id).worker == 0 {
			delete(m.conns[worker].jobs, handle)
			delete(m.workers, handle)
		}
	}
}

func (m *model) submit(id ConnID) {
	kinds := []protocol.Type{
		protocol.SubmitJob, protocol.SubmitJobBg, protocol.SubmitJobHigh, protocol.SubmitJobHighBg, protocol.SubmitJobLow,
		protocol.SubmitJobLowBg, protocol.SubmitJobEpoch, protocol.SubmitReduceJob, protocol.SubmitReduceJobBg,
	}
	kind := kinds[m.random.IntN(len(kinds))]
	unique := []string{"", "-", "a", "b", "c", "d"}[m.random.IntN(6)]
	workload := make([]byte, []int{0, 1, 30, 3000, 20000}[m.random.IntN(5)])
	for i := range workload {
		workload[i] = byte(i)
	}
	args := []string{m.function(), unique, string(workload)}
	switch kind {
	case protocol.SubmitJobEpoch:
		args = []string{args[0], unique, strconv.FormatInt(m.now.Unix()+int64(m.random.IntN(4)), 10), args[2]}
	case protocol.SubmitReduceJob, protocol.SubmitReduceJobBg:
		args = []string{args[0], unique, "r", "", args[2]}
	}
	asks := foregroundJob
	if _, background, _ := kind.Submission(); background {
		asks = backgroundJob
	}
	m.packet(id, asks, kind, args...)
}

// work does one random thing of a worker.
func (m *model) work(id ConnID) {
	a := m.conns[id]
	switch choice := m.random.IntN(20); {
	case choice < 2:
		a.blind = a.blind || a.asleep
		m.packet(id, silent, protocol.CanDo, m.function())
	case choice == 2:
		a.blind = a.blind || a.asleep
		m.packet(id, silent, protocol.CanDoTimeout, m.function(), strconv.Itoa(m.random.IntN(2000)))
	case choice == 3:
		m.leaves(id, m.function())
	case choice < 7:
		m.packet(id, silent, protocol.PreSleep)
	case choice < 14:
		m.goesOn(id)
		a.asleep = false
		kinds := []protocol.Type{protocol.GrabJob, protocol.GrabJobUniq, protocol.GrabJobAll}
		m.packet(id, aGrab, kinds[m.random.IntN(3)])
	case choice < 15:
		m.packet(id, anythingElse, protocol.OptionReq, "exceptions")
	default:
		m.result(id)
	}
}

// leaves gives a function up, or now and then all of them.
func (m *model) leaves(id ConnID, function string) {
	all := m.random.IntN(4) == 0
	for handle, of := range m.conns[id].jobs {
		if all || of == function {
			delete(m.conns[id].jobs, handle)
			delete(m.workers, handle)
		}
	}
	if all {
		m.packet(id, silent, protocol.ResetAbilities)
		return
	}
	m.packet(id, silent, protocol.CantDo, function)
}

// result sends something about a job: mostly one that id runs.
func (m *model) result(id ConnID) {
	a := m.conns[id]
	handle := m.someHandle()
	if mine := a.held(); len(mine) > 0 {
		handle = mine[m.random.IntN(len(mine))]
	}
	answers := anythingElse
	if m.runs(id, handle) {
		answers = silent
	}
	switch m.random.IntN(8) {
	case 0:
		m.packet(id, answers, protocol.WorkStatus, handle, "1", "2")
	case 1:
		m.packet(id, answers, protocol.WorkData, handle, "data")
	case 2:
		m.packet(id, answers, protocol.WorkWarning, handle, "warning")
	case 3:
		m.over(id, answers, protocol.WorkException, handle, "exception")
	case 4:
		m.over(id, answers, protocol.WorkFail, handle)
	default:
		m.over(id, answers, protocol.WorkComplete, handle, "result")
	}
}

// over sends a packet that ends a job.
func (m *model) over(id ConnID, answers request, kind protocol.Type, args ...string) {
	if answers == silent {
		delete(m.conns[id].jobs, args[0])
		delete(m.workers, args[0])
	}
	m.packet(id, answers, kind, args...)
}

func (m *model) packet(id ConnID, answers request, kind protocol.Type, args ...string) {
	parts := make([][]byte, len(args))
	for i := range args {
		parts[i] = []byte(args[i])
	}
	var packet protocol.Packet
	frame := protocol.AppendFrame(nil, protocol.Request, kind, parts...)
	if err := packet.Parse(frame); err != nil {
		m.t.Fatal(err)
	}
	a := m.conns[id]
	if answers != silent {
		a.owed = append(a.owed, answers)
	}
	m.say(id, &Event{Kind: Packet, Packet: &packet})
	if len(a.owed) > 0 && !m.held(id) {
		m.fail("expected one answer to %v of connection %d, %d are missing", kind, id, len(a.owed))
	}
	clear(frame)
}

func (m *model) someone() ConnID { return m.order[m.random.IntN(len(m.order))] }

func (m *model) function() string { return modelFunctions[m.random.IntN(len(modelFunctions))] }

// someHandle returns one of the latest handles.
func (m *model) someHandle() string {
	if len(m.handles) == 0 {
		return "H:t:0000000099"
	}
	return m.handles[len(m.handles)-1-m.random.IntN(min(len(m.handles), 50))]
}
