package faults

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/geargate/geargate/bench/farm"
	"github.com/geargate/geargate/bench/load"
	"github.com/geargate/geargate/protocol"
)

const (
	bulkSize    = 1 << 20 // bytes of a result
	bulkResults = 1 << 10 // in each round
	bulkPace    = 10 * time.Millisecond
	bulkWorkers = 2

	readerFrame   = 2 << 20
	readerPending = 64 << 20
	readerConfig  = "limits: {frame: 2MiB, max_pending: 64MiB}\n"
	readerRounds  = 2

	// tolerated is how much the others' p99 may grow.
	tolerated = 1.10
)

var bulkFunction = []byte("faults-bulk")

// A readerRound is one comparison: the others alone, beside a client that
// takes its results, and beside one that does not. p99 is in microseconds.
type readerRound struct {
	alone, taken, left float64
	growth             int64 // of Geargate's memory in the last part, in bytes
}

// slowReader measures what a client that does not read costs Geargate and
// everybody else.
func slowReader(ctx context.Context, size Size) (*Outcome, error) {
	s, err := open(ctx, plan{backends: 1, config: readerConfig}, size)
	if err != nil {
		return nil, err
	}
	defer s.close()
	b := &bulk{stage: s}
	for range bulkWorkers {
		s.players.Go(b.work)
	}
	var rounds []readerRound
	for range cmp.Or(size.Rounds, readerRounds) {
		r, err := b.round(ctx)
		if err != nil {
			return nil, err
		}
		rounds = append(rounds, r)
	}
	return &Outcome{Seconds: s.ledger.now().Seconds(), Promises: readerPromises(rounds), Notes: readerNotes(rounds, b)}, s.intact()
}

func readerPromises(rounds []readerRound) []Promise {
	growth := slices.MaxFunc(rounds, func(a, b readerRound) int { return cmp.Compare(a.growth, b.growth) }).growth
	ratio := median(rounds, func(r readerRound) float64 { return r.left / r.alone })
	return []Promise{
		{
			Text:   "Geargate's memory grows by limits.max_pending (64 MiB) and one frame (2 MiB) at most",
			Figure: fmt.Sprintf("%.1f MiB", float64(growth)/(1<<20)), Held: growth <= readerPending+readerFrame,
		},
		{
			Text:   "the others' p99 grows by 10 % at most",
			Figure: fmt.Sprintf("%+.0f %%", 100*(ratio-1)), Held: ratio <= tolerated,
		},
	}
}

func readerNotes(rounds []readerRound, b *bulk) []string {
	text := "the others' p99 alone, beside a client that takes its results, and beside one that does not, in ms:"
	for _, r := range rounds {
		text += fmt.Sprintf(" %.2f %.2f %.2f,", r.alone/1000, r.taken/1000, r.left/1000)
	}
	return []string{text[:len(text)-1], fmt.Sprintf("the reader was disconnected %d times", b.disconnected.Load())}
}

func median(rounds []readerRound, of func(readerRound) float64) float64 {
	var all []float64
	for _, r := range rounds {
		all = append(all, of(r))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// A bulk is large results and the client they are for.
type bulk struct {
	*stage
	disconnected atomic.Int64
}

// round makes one comparison.
func (b *bulk) round(ctx context.Context) (r readerRound, err error) {
	if r.alone, _, err = b.others(ctx, nil); err != nil {
		return r, err
	}
	if r.taken, _, err = b.others(ctx, take); err != nil {
		return r, err
	}
	r.left, r.growth, err = b.others(ctx, func(*wire) {})
	return r, err
}

// others measures the p99 of everybody else, in microseconds, while a reader
// that does this with its results gets them, and how much Geargate's memory
// grew.
func (b *bulk) others(ctx context.Context, reader func(*wire)) (p99 float64, growth int64, err error) {
	before, err := farm.Use(b.gate.PID)
	if err != nil {
		return 0, 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	peak, read := make(chan int64, 1), make(chan struct{})
	go func() { peak <- b.peak(ctx) }()
	go func() {
		defer close(read)
		if reader != nil {
			b.submit(ctx, reader)
		}
	}()
	work := load.Default()
	work.Clients, work.Workers, work.Rate = 20, 10, 300
	work.Warmup, work.Duration = time.Second, bulkResults*bulkPace
	result, err := load.Run(ctx, b.gate.Address(), work, load.Watch{At: func(load.Moment) {}, Progress: func(load.Progress) {}})
	cancel()
	<-read
	if err != nil {
		return 0, 0, err
	}
	if result.Bad() > 0 {
		return 0, 0, fmt.Errorf("the others' jobs: %s; Geargate said: %s", result.Problem, b.gate.Said())
	}
	return result.Latency.P99, <-peak - before.RSS, nil
}

// peak returns the most memory that Geargate uses until ctx ends.
func (b *bulk) peak(ctx context.Context) (most int64) {
	for {
		if use, err := farm.Use(b.gate.PID); err == nil {
			most = max(most, use.RSS)
		}
		if pause(ctx, 5*time.Millisecond) != nil {
			return most
		}
	}
}

// take reads results until the connection ends.
func take(w *wire) {
	for {
		if _, err := w.read(); err != nil {
			return
		}
	}
}

// submit submits jobs with large results until ctx ends, connecting again
// when it is disconnected.
func (b *bulk) submit(ctx context.Context, reader func(*wire)) {
	var w *wire
	for pause(ctx, bulkPace) == nil {
		if w == nil {
			if w, _ = b.dial(); w == nil {
				return
			}
			go reader(w)
		}
		if w.write(protocol.AppendFrame(nil, protocol.Request, protocol.SubmitJob, bulkFunction, nil, []byte("x"))) != nil {
			w.cut(true)
			w = nil
			b.disconnected.Add(1)
		}
	}
	if w != nil {
		w.cut(true)
	}
}

// work answers jobs with large results until the stage ends.
func (b *bulk) work() {
	w, _ := b.dial()
	if w == nil {
		return
	}
	go func() {
		<-b.ended
		w.cut(false)
	}()
	grab := protocol.AppendFrame(nil, protocol.Request, protocol.GrabJob)
	out := append(protocol.AppendFrame(nil, protocol.Request, protocol.CanDo, bulkFunction), grab...)
	result := bytes.Repeat([]byte{1}, bulkSize)
	for w.write(out) == nil {
		p, err := w.read()
		if err != nil {
			return
		}
		switch p.Type {
		case protocol.NoJob:
			out = protocol.AppendFrame(nil, protocol.Request, protocol.PreSleep)
		case protocol.JobAssign:
			out = append(protocol.AppendFrame(out[:0], protocol.Request, protocol.WorkComplete, p.Arg(0), result), grab...)
		default:
			out = grab
		}
	}
}
