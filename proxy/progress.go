package proxy

import (
	"fmt"
	"sync"
	"time"
)

// progressEvery is how often a long start says how far it is.
const progressEvery = 2 * time.Second

// A progress says now and then how far something is, and for how long it has
// been there where it does not go on: the disk may hang.
type progress struct {
	say  func(event, reason string)
	done chan struct{}

	mu            sync.Mutex // guards what follows
	event, reason string
	since         time.Time // when that was told
}

// newProgress begins with nothing to say. It ends with end.
func newProgress(event string, say func(event, reason string)) *progress {
	p := &progress{say: say, done: make(chan struct{}), event: event, reason: "begun", since: time.Now()}
	go p.run()
	return p
}

func (p *progress) run() {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			return
		case now := <-tick.C:
			p.mu.Lock()
			event, reason, still := p.event, p.reason, now.Sub(p.since)
			p.mu.Unlock()
			if still >= progressEvery {
				reason = fmt.Sprintf("%s, and no further for %v", reason, still.Truncate(time.Second))
			}
			p.say(event, reason)
		}
	}
}

// tell takes in how far it is. It may be called often.
func (p *progress) tell(event, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.event, p.reason, p.since = event, reason, time.Now()
}

func (p *progress) end() { close(p.done) }
