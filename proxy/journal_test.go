package proxy

import (
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestJournalCountsRepeats(t *testing.T) {
	var log logBuffer
	j := newJournal(slog.New(slog.NewTextHandler(&log, nil)))
	for range 3 * linesPerSecond {
		j.add(line{event: "dial_failed", backend: "a", reason: "refused"})
	}
	j.add(line{event: "bad_input", session: 7, peer: "[::1]:5"})
	j.mu.Lock()
	j.counts["dial_failed"].since = time.Time{} // as if a second had passed
	j.mu.Unlock()
	j.add(line{event: "dial_failed", backend: "b"})
	j.close()
	if got := len(log.with("backend=a reason=refused")); got != linesPerSecond {
		t.Errorf("%d lines about backend a, expected %d", got, linesPerSecond)
	}
	if got := log.with("backend=b not_logged=40"); len(got) != 1 {
		t.Errorf("lines with a count: %q, expected one", got)
	}
	if got := log.with("msg=bad_input session=7"); len(got) != 1 || !strings.Contains(got[0], "level=WARN") {
		t.Errorf("lines about the session: %q, expected one warning", got)
	}
}

// A log that blocks must not block those who have something to say.
func TestJournalNeverBlocks(t *testing.T) {
	held := make(chan struct{})
	var log logBuffer
	j := newJournal(slog.New(slog.NewTextHandler(&heldWriter{&log, held}, nil)))
	const events = 2 * linesQueued
	for i := range events {
		j.add(line{event: "event_" + strconv.Itoa(i)})
	}
	close(held)
	j.close()
	if got := len(log.with("msg=")); got < linesQueued || got == events {
		t.Errorf("%d of %d lines were written, expected about %d", got, events, linesQueued)
	}
}

// A heldWriter writes nothing until held is closed.
type heldWriter struct {
	log  *logBuffer
	held chan struct{}
}

func (w *heldWriter) Write(p []byte) (int, error) {
	<-w.held
	return w.log.Write(p)
}
