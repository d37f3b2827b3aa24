package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/geargate/geargate/bench/farm"
	"github.com/geargate/geargate/bench/load"
	"github.com/geargate/geargate/bench/wire"
)

const (
	// quietTimeout is how long nothing may go on before what is still owed is
	// taken for lost. It is longer than any time limit of Geargate's.
	quietTimeout = 45 * time.Second
	// straggle is how long clients listen for packets too many, once
	// everything is answered.
	straggle = 2 * time.Second
	pollTime = 20 * time.Millisecond
	// endTimeout is how long the last word of clients may take.
	endTimeout = 10 * time.Second

	payload = 100 // bytes
)

var (
	errEnd   = errors.New("the stage has ended")
	lastWord = []byte("the end")
)

// A plan says what stands on a stage.
type plan struct {
	backends int
	islands  bool // each backend is in a network namespace of its own
	tools    int  // gearman processes that run jobs
	keeps    bool // backends have their queue on disk
	clients  int
	workers  int
	workTime time.Duration // mean
	config   string        // further configuration of Geargate, as YAML
}

// A stage is a farm with its clients and workers.
type stage struct {
	plan
	geargate string // the program
	ledger   *ledger
	random   *rand.Rand // of the faults
	salt     uint32
	files    string
	backends []*farm.Server
	gate     *farm.Server
	clients  []*client
	workers  []*worker
	tools    []*tool
	islands  []*island
	pauses   int            // of backends, frozen or cut off
	kills    map[string]int // of processes and connections, by what was killed

	gateGeneration atomic.Int64 // counts Geargate's lives
	gateDown       atomic.Bool  // from its death to its next life
	backlog        atomic.Int64 // background jobs acknowledged and not run
	people         atomic.Uint32
	submitting     atomic.Bool
	ending         atomic.Bool
	ended          chan struct{}
	players        sync.WaitGroup
}

// functions that jobs are for; every worker does two of them.
var functions = [][]byte{[]byte("faults-a"), []byte("faults-b"), []byte("faults-c")}

// open starts the farm and everybody on it; the caller closes it.
func open(ctx context.Context, p plan, size Size) (*stage, error) {
	seed := size.Seed
	s := &stage{
		plan: p, geargate: size.Geargate, ledger: newLedger(p.keeps),
		random: rand.New(rand.NewPCG(seed, 0)), salt: uint32(time.Now().UnixNano()),
		ended: make(chan struct{}), kills: map[string]int{},
	}
	if err := s.start(ctx); err != nil {
		s.close()
		return nil, err
	}
	s.players.Go(s.count)
	for i := range p.tools {
		s.tools = append(s.tools, &tool{stage: s, number: i})
	}
	for _, t := range s.tools {
		if err := t.begin(); err != nil {
			s.close()
			return nil, err
		}
	}
	s.submitting.Store(true)
	for i := range p.workers {
		w := &worker{
			stage: s, random: rand.New(rand.NewPCG(seed, uint64(1000+i))),
			functions: [][]byte{functions[i%3], functions[(i+1)%3]}, grabKind: grabKinds[i%len(grabKinds)],
		}
		s.workers = append(s.workers, w)
		s.players.Go(w.work)
	}
	for i := range p.clients {
		c := &client{stage: s, id: s.newcomer(), random: rand.New(rand.NewPCG(seed, uint64(2000+i)))}
		s.clients = append(s.clients, c)
		s.players.Go(c.run)
	}
	return s, nil
}

// start starts the servers.
func (s *stage) start(ctx context.Context) (err error) {
	if s.files, err = os.MkdirTemp("", "faults-"); err != nil {
		return err
	}
	config := s.config
	config += "backends:\n"
	for i := range s.plan.backends {
		b, err := s.backend(ctx, i)
		if err != nil {
			return err
		}
		s.backends = append(s.backends, b)
		config += fmt.Sprintf("  - {name: %s, address: %q}\n", s.name(b), b.Address())
	}
	s.gate, err = farm.Geargate(ctx, s.geargate, s.files, config)
	return err
}

// backend starts one.
func (s *stage) backend(ctx context.Context, number int) (*farm.Server, error) {
	if s.plan.islands {
		land, err := newIsland(ctx, number)
		if err != nil {
			return nil, err
		}
		s.islands = append(s.islands, land)
		return land.gearmand(ctx)
	}
	address, err := farm.FreeAddress()
	if err != nil {
		return nil, err
	}
	return farm.Gearmand(ctx, address, s.queue(number)...)
}

// queue returns gearmand's flags for the queue of a backend.
func (s *stage) queue(backend int) []string {
	if !s.keeps {
		return nil
	}
	return []string{"--queue-type", "libsqlite3", "--libsqlite3-db", filepath.Join(s.files, fmt.Sprintf("queue-%d.db", backend+1))}
}

// name returns a backend's name before Geargate.
func (s *stage) name(backend *farm.Server) string {
	for i, b := range s.backends {
		if b == backend {
			return fmt.Sprintf("jobs-%d", i+1)
		}
	}
	return fmt.Sprintf("jobs-%d", len(s.backends))
}

// dial connects to Geargate, trying until it is there; nil says that the stage
// has ended. generation is Geargate's when it was dialled.
func (s *stage) dial() (w *wire.Conn, generation int64) {
	for !s.over() {
		generation = s.gateGeneration.Load()
		if w, err := wire.Dial(s.gate.Address()); err == nil {
			return w, generation
		}
		time.Sleep(retryPause)
	}
	return nil, 0
}

// excused reports whether a connection had to end: Geargate has been killed
// since it was dialled, or is dying and has not closed its listener yet.
func (s *stage) excused(generation int64) bool {
	return s.gateDown.Load() || generation != s.gateGeneration.Load() || s.over()
}

func (s *stage) over() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// newcomer returns the number of a client that was not there before.
func (s *stage) newcomer() uint32 { return s.people.Add(1) }

// functionOf returns what a job is for, and how large it is.
func (s *stage) functionOf(who load.Identity) (function []byte, size int) {
	if len(s.tools) > 0 && who.Sequence%20 == 0 {
		return toolFunction, toolPayload
	}
	return functions[int(who.Client+who.Sequence)%len(functions)], payload
}

// readResult returns whose result it is. A gearman process answers with the
// workload as it is.
func (s *stage) readResult(data []byte) (load.Identity, bool) {
	if len(data) == toolPayload {
		return load.ReadWorkload(data, s.salt)
	}
	return load.ReadResult(data, s.salt)
}
