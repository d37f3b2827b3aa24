package faults

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/geargate/geargate/bench/farm"
	"github.com/geargate/geargate/bench/load"
	"github.com/geargate/geargate/bench/wire"
	"github.com/geargate/geargate/protocol"
)

const (
	bulkSize    = 1 << 20 // bytes of a result
	bulkPace    = 20 * time.Millisecond
	bulkWorkers = 2

	readerFrame   = 2 << 20
	readerPending = 64 << 20
	readerConfig  = "limits: {frame: 2MiB, max_pending: 64MiB}\n"

	// readerRounds are enough for 1 GiB of results in the windows of each kind.
	readerRounds = 12
	readerWarmup = 300 * time.Millisecond
	readerWindow = 1700 * time.Millisecond

	// othersRate is how many jobs a second the others have: few enough that
	// two cores are mostly idle without the results.
	othersRate = 1000

	// tolerated is how much the others' p99 may grow.
	tolerated = 1.10
)

// A company is whom the others have beside them.
type company int

const (
	alone company = iota
	taken         // a client that takes its results
	left          // one that does not
	// Both again without Geargate: everybody is at the job server itself.
	aloneDirect
	takenDirect
	companies
)

// readings are what was measured of the others and of Geargate.
type readings struct {
	p99    [companies][]float64 // one for each window, in microseconds
	growth int64                // of the most memory Geargate uses, from a window with a client that reads to the next, in bytes
}

// slowReader measures what a client that does not read costs Geargate and
// everybody else. The load takes its share of the machine whether its results
// are read or not. So windows without it, with a client that reads and with one
// that does not follow each other in turn, and both are compared. What is left of
// that where Geargate is not there is measured in turn with them.
func slowReader(ctx context.Context, size Size) (*Outcome, error) {
	s, err := open(ctx, plan{backends: 1, config: readerConfig}, size)
	if err != nil {
		return nil, err
	}
	defer s.close()
	b := &bulk{stage: s}
	gate := side{address: s.gate.Address(), function: "faults-bulk"}
	direct := side{address: s.backends[0].Address(), function: "faults-bulk-direct"}
	for range bulkWorkers {
		if err := cmp.Or(b.employ(gate), b.employ(direct)); err != nil {
			return nil, err
		}
	}
	var r readings
	for range cmp.Or(size.Rounds, readerRounds) {
		if err := b.round(ctx, gate, direct, &r); err != nil {
			return nil, err
		}
	}
	return &Outcome{Seconds: s.ledger.now().Seconds(), Promises: r.promises(), Notes: r.notes(b)}, s.intact()
}

func (r *readings) promises() []Promise {
	compared := func(text string, with company) Promise {
		ratio := median(r.p99[left]) / median(r.p99[with])
		return Promise{Text: text, Figure: fmt.Sprintf("%+.0f %%", 100*(ratio-1)), Held: ratio <= tolerated}
	}
	return []Promise{
		{
			Text:   "Geargate's memory grows by limits.max_pending (64 MiB) and one frame (2 MiB) at most",
			Figure: fmt.Sprintf("%.1f MiB", float64(r.growth)/(1<<20)), Held: r.growth <= readerPending+readerFrame,
		},
		compared("the others' p99 is at most 10 % above that beside a client that takes the same results", taken),
		compared("the others' p99 is at most 10 % above that without the results", alone),
	}
}

func (r *readings) notes(b *bulk) []string {
	var parts []string
	for who, name := range [companies]string{
		"alone", "beside a client that takes its results", "beside one that takes nothing",
		"alone at the job server itself", "there beside a client that takes its results",
	} {
		all := slices.Sorted(slices.Values(r.p99[who]))
		parts = append(parts, fmt.Sprintf("%.2f (%.2f to %.2f) %s", median(all)/1000, all[len(all)/4]/1000, all[len(all)*3/4]/1000, name))
	}
	return []string{
		fmt.Sprintf("%d results of %d MiB, %d MiB/s, while others have %d jobs a second", b.submitted.Load(), bulkSize>>20, bulkSize*time.Second/bulkPace>>20, othersRate),
		fmt.Sprintf("the others' p99 in ms, median of %d windows of %v each and the middle half of them: ", len(r.p99[alone]), readerWindow) + strings.Join(parts, ", "),
		fmt.Sprintf("the reader was disconnected %d times", b.disconnected.Load()),
	}
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// A side is where the others, the client of the large results and their workers
// connect to.
type side struct {
	address  string
	function string // of the large results
}

// A bulk is large results and the client they are for.
type bulk struct {
	*stage
	submitted    atomic.Int64
	disconnected atomic.Int64
}

// round measures one window of each kind.
func (b *bulk) round(ctx context.Context, gate, direct side, r *readings) error {
	var most [companies]int64
	for who, window := range [companies]struct {
		at     side
		reader func(*wire.Conn)
	}{{gate, nil}, {gate, take}, {gate, func(*wire.Conn) {}}, {direct, nil}, {direct, take}} {
		p99, peak, err := b.others(ctx, window.at, window.reader)
		if err != nil {
			return err
		}
		r.p99[who] = append(r.p99[who], p99)
		most[who] = peak
	}
	r.growth = max(r.growth, most[left]-most[taken])
	return nil
}

// others measures the p99 of everybody else, in microseconds, while a reader
// that does this with its results gets them, and how much memory Geargate used
// at most.
func (b *bulk) others(ctx context.Context, at side, reader func(*wire.Conn)) (p99 float64, most int64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	peak, submitted := make(chan int64, 1), make(chan error, 1)
	go func() { peak <- farm.Peak(ctx, b.gate.PID, func(int64) {}) }()
	go func() { submitted <- b.submit(ctx, at, reader) }()
	work := load.Default()
	work.Clients, work.Workers, work.Rate = 20, 10, othersRate
	work.Warmup, work.Duration = readerWarmup, readerWindow
	result, err := load.Run(ctx, at.address, work, load.Watch{At: func(load.Moment) {}, Progress: func(load.Progress) {}})
	cancel()
	if err := cmp.Or(err, <-submitted); err != nil {
		return 0, 0, err
	}
	if result.Bad() > 0 {
		return 0, 0, fmt.Errorf("the others' jobs: %s; Geargate said: %s", result.Problem, b.gate.Said())
	}
	return result.Latency.P99, <-peak, nil
}

// take reads results until the connection ends.
func take(w *wire.Conn) {
	for {
		if _, err := w.Receive(); err != nil {
			return
		}
	}
}

// submit submits jobs with large results until ctx ends, connecting again
// when it is disconnected; nothing where there is no reader.
func (b *bulk) submit(ctx context.Context, at side, reader func(*wire.Conn)) (err error) {
	if reader == nil {
		return nil
	}
	var w *wire.Conn
	for pause(ctx, bulkPace) == nil {
		if w == nil {
			if w, err = wire.Dial(at.address); err != nil {
				return err
			}
			go reader(w)
		}
		if w.Send(wire.AppendRequest(nil, protocol.SubmitJob, at.function, "", "x")) != nil {
			w.Cut(true)
			w = nil
			b.disconnected.Add(1)
			continue
		}
		b.submitted.Add(1)
	}
	if w != nil {
		w.Cut(true)
	}
	return nil
}

// employ has a worker answer jobs with large results until the stage ends.
func (b *bulk) employ(at side) error {
	w, err := wire.Dial(at.address)
	if err != nil {
		return err
	}
	go func() {
		<-b.ended
		w.Cut(false)
	}()
	result := bytes.Repeat([]byte{1}, bulkSize)
	b.players.Go(func() { w.Work(at.function, func([]byte) []byte { return result }) })
	return nil
}
