package faults

import (
	"context"
	"os"
	"time"
)

// finish lets the load end once so many jobs are acknowledged: nothing new is
// submitted, what is owed is waited for, and clients listen for what is too
// much. An error says which server has ended by itself.
func (s *stage) finish(ctx context.Context, jobs int) error {
	if err := s.until(ctx, func() bool { return s.ledger.acknowledged() >= jobs }); err != nil {
		return err
	}
	s.submitting.Store(false)
	if err := s.settle(ctx); err != nil {
		return err
	}
	if err := pause(ctx, straggle); err != nil {
		return err
	}
	s.ending.Store(true)
	for _, c := range s.clients {
		if w := c.conn.Load(); w != nil {
			c.bid(w)
		}
	}
	return s.intact()
}

// settle returns when every promise is kept, or nothing goes on any more.
func (s *stage) settle(ctx context.Context) error {
	moved, sign := time.Now(), int64(-1)
	return s.until(ctx, func() bool {
		if now := s.ledger.progress(); now != sign {
			sign, moved = now, time.Now()
		}
		foreground, background := s.ledger.unkept()
		return foreground+background == 0 || time.Since(moved) > quietTimeout
	})
}

// until polls done.
func (s *stage) until(ctx context.Context, done func() bool) error {
	for !done() {
		if err := pause(ctx, pollTime); err != nil {
			return err
		}
	}
	return nil
}

// count keeps the backlog known to clients, until the stage ends.
func (s *stage) count() {
	for !s.over() {
		_, background := s.ledger.unkept()
		s.backlog.Store(int64(background))
		time.Sleep(pollTime)
	}
}

// close ends everybody and every server.
func (s *stage) close() {
	late := time.AfterFunc(endTimeout, s.cutAll)
	close(s.ended)
	if !s.ending.Load() {
		s.cutAll()
	}
	for _, w := range s.workers {
		if conn := w.conn.Load(); conn != nil {
			conn.Cut(false)
		}
	}
	for _, t := range s.tools {
		t.end()
	}
	s.players.Wait()
	late.Stop()
	if s.gate != nil {
		s.gate.Stop()
	}
	for _, b := range s.backends {
		b.Stop()
	}
	for _, land := range s.islands {
		land.remove()
	}
	os.RemoveAll(s.files)
}

// cutAll ends every client's connection.
func (s *stage) cutAll() {
	for _, c := range s.clients {
		if w := c.conn.Load(); w != nil {
			w.Cut(false)
		}
	}
}

// pause waits, or returns the context's error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
