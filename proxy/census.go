package proxy

import (
	"context"
	"sync"
	"time"
)

const (
	// censusEvery is how often the metrics ask backends for their queues at
	// most, however often they are scraped.
	censusEvery = 5 * time.Second
	// censusTimeout is how long a scrape waits for the answers. One that comes
	// later is for the next.
	censusTimeout = time.Second
)

// A queueCensus has backends asked how many jobs wait there, which they alone
// know. Its zero value is ready; any goroutine may use it.
type queueCensus struct {
	mu   sync.Mutex
	last time.Time // guarded by mu: when they were asked
}

// take asks them, unless that was done a moment ago.
func (q *queueCensus) take(c *core) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if time.Since(q.last) < censusEvery {
		return
	}
	q.last = time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), censusTimeout)
	defer cancel()
	_ = c.survey(ctx) // who has not answered in time is shown as it answered last
}
