package proxy

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/geargate/geargate/router"
)

// A journal writes log lines on a goroutine of its own: an event loop never
// waits for a disk or a terminal. What comes faster than it can be written,
// or too often, is counted instead.
type journal struct {
	log   *slog.Logger
	lines chan line
	done  chan struct{} // closed when everything has been written

	mu     sync.Mutex
	counts map[string]*repeats // guarded by mu
	closed bool                // guarded by mu
	recent []Recent            // guarded by mu: the latest last
}

// recents is how many events are kept for the dashboard.
const recents = 30

// A Recent is an event that happened a while ago.
type Recent struct {
	At      time.Time `json:"at"`
	Event   string    `json:"event"`
	Backend string    `json:"backend,omitempty"`
	Peer    string    `json:"peer,omitempty"`
	Reason  string    `json:"reason,omitempty"`
}

// latest returns the last events.
func (j *journal) latest() []Recent {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Recent{}, j.recent...)
}

// A line is one event worth a log line. No payload is ever in it.
type line struct {
	event   string
	session router.SessionID // zero where none is concerned
	peer    string
	backend string
	reason  string
	dropped int // lines of the same event before it that were not written
}

// repeats limits how often one event is written.
type repeats struct {
	since   time.Time
	written int
	dropped int
	total   uint64 // ever
}

const (
	linesPerSecond = 20
	linesQueued    = 1024
)

func newJournal(log *slog.Logger) *journal {
	j := &journal{
		log:    log,
		lines:  make(chan line, linesQueued),
		done:   make(chan struct{}),
		counts: map[string]*repeats{},
	}
	go j.write()
	return j
}

// session adds a line about a session.
func (j *journal) session(event string, s *session, reason string) {
	peer := ""
	if s.conn != nil {
		peer = s.conn.RemoteAddr().String()
	}
	j.add(line{event: event, session: s.id, peer: peer, reason: reason})
}

// add queues a line and never blocks.
func (j *journal) add(l line) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return
	}
	r := j.counts[l.event]
	if r == nil {
		r = &repeats{}
		j.counts[l.event] = r
	}
	r.total++
	if len(j.recent) == recents {
		j.recent = append(j.recent[:0], j.recent[1:]...)
	}
	j.recent = append(j.recent, Recent{time.Now(), l.event, l.backend, l.peer, l.reason})
	if now := time.Now(); now.Sub(r.since) >= time.Second {
		r.since, r.written = now, 0
	}
	l.dropped = r.dropped
	if r.written < linesPerSecond && j.queue(l) {
		r.written++
		r.dropped = 0
		return
	}
	r.dropped++
}

func (j *journal) queue(l line) bool {
	select {
	case j.lines <- l:
		return true
	default:
		return false
	}
}

// levels gives the events that are not mere information their level.
var levels = map[string]slog.Level{
	"backend_ejected":      slog.LevelWarn,
	"backend_suspect":      slog.LevelWarn,
	"link_silent":          slog.LevelWarn,
	"jobs_resubmitted":     slog.LevelWarn,
	"bad_input":            slog.LevelWarn,
	"bad_packet":           slog.LevelWarn,
	"bad_reply":            slog.LevelWarn,
	"access_refused":       slog.LevelWarn,
	"late_result":          slog.LevelDebug,
	"job_abandoned":        slog.LevelDebug,
	"query_partial":        slog.LevelWarn,
	"retries_used_up":      slog.LevelWarn,
	"timeout_runs_used_up": slog.LevelWarn,
	"slow_reader":          slog.LevelWarn,
	"memory_exhausted":     slog.LevelError,
	"sender_resumed":       slog.LevelDebug,
	"descriptors_short":    slog.LevelWarn,
	"accept_failed":        slog.LevelError,
	"too_many_connections": slog.LevelWarn,
	"too_many_of_address":  slog.LevelWarn,
	"handshake_failed":     slog.LevelWarn,
	"proxy_header_failed":  slog.LevelWarn,
	"certificate_failed":   slog.LevelError,
	"dial_failed":          slog.LevelWarn,
	"drain_timeout":        slog.LevelWarn,
	"spool_not_forwarded":  slog.LevelWarn,
	"spool_not_followed":   slog.LevelWarn,
	"admin_failed":         slog.LevelError,
	"store_failed":         slog.LevelError,
	"store_full":           slog.LevelError,
	"store_damaged":        slog.LevelError,
	"store_unfit":          slog.LevelWarn,
	"reload_failed":        slog.LevelError,
	"reload_waiting":       slog.LevelWarn,
	"admin_unavailable":    slog.LevelWarn,
	"login_failed":         slog.LevelWarn,
}

func (j *journal) write() {
	defer close(j.done)
	for l := range j.lines {
		var attributes []slog.Attr
		if l.session != 0 {
			attributes = append(attributes, slog.Uint64("session", uint64(l.session)))
		}
		for _, text := range []struct{ key, value string }{{"peer", l.peer}, {"backend", l.backend}, {"reason", l.reason}} {
			if text.value != "" {
				attributes = append(attributes, slog.String(text.key, text.value))
			}
		}
		if l.dropped > 0 {
			attributes = append(attributes, slog.Int("not_logged", l.dropped))
		}
		j.log.LogAttrs(context.Background(), levels[l.event], l.event, attributes...)
	}
}

// totals returns how often each event has happened.
func (j *journal) totals() map[string]uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := map[string]uint64{}
	for event, r := range j.counts {
		all[event] = r.total
	}
	return all
}

// close writes what is queued. What is added later is lost.
func (j *journal) close() {
	j.mu.Lock()
	j.closed = true
	close(j.lines)
	j.mu.Unlock()
	<-j.done
}
