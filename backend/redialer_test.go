package backend

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var errRefused = errors.New("refused")

type outcome struct {
	link uint64
	nc   net.Conn
	err  error
	at   time.Duration
}

// redialing runs test in a bubble of fake time with a Redialer around dial.
// No goroutine may be left when it ends.
func redialing(t *testing.T, dial func(ctx context.Context) (net.Conn, error), test func(r *Redialer, results <-chan outcome)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		results := make(chan outcome, 100)
		r := NewRedialer(dial, NewBackoff(func() float64 { return 0.5 }), func(link uint64, nc net.Conn, err error) {
			results <- outcome{link, nc, err, time.Since(began)}
		})
		test(r, results)
		r.Close()
		synctest.Wait()
		if len(results) > 0 {
			t.Errorf("a result too many: %+v", <-results)
		}
		if len(r.cancels) > 0 {
			t.Errorf("%d dials are remembered", len(r.cancels))
		}
		r.Dial(99)
		synctest.Wait()
		if len(results) > 0 {
			t.Error("a result after Close")
		}
	})
}

// Attempts that fail one after the other come at growing distances.
func TestRedialerWaits(t *testing.T) {
	refuse := func(context.Context) (net.Conn, error) { return nil, errRefused }
	redialing(t, refuse, func(r *Redialer, results <-chan outcome) {
		var at []time.Duration
		for link := range uint64(7) {
			r.Dial(link)
			result := <-results
			if result.link != link || result.nc != nil || result.err != errRefused {
				t.Errorf("result %+v", result)
			}
			at = append(at, result.at/time.Millisecond)
		}
		if want := []time.Duration{0, 50, 150, 350, 750, 1550, 3150}; !slices.Equal(at, want) {
			t.Errorf("dialled at %d ms, expected %d", at, want)
		}
	})
}

// Links that are dialled at once fail at once, and wait once.
func TestRedialerSharesBackoff(t *testing.T) {
	refuse := func(context.Context) (net.Conn, error) {
		time.Sleep(time.Millisecond)
		return nil, errRefused
	}
	redialing(t, refuse, func(r *Redialer, results <-chan outcome) {
		for round, want := range []time.Duration{1, 52, 153} {
			for link := range uint64(8) {
				r.Dial(link)
			}
			for range 8 {
				if at := (<-results).at / time.Millisecond; at != want {
					t.Errorf("round %d: failed at %d ms, expected %d", round, at, want)
				}
			}
		}
	})
}

// When one link can connect, those that wait do not wait any longer.
func TestRedialerSuccessEndsWaits(t *testing.T) {
	attempts := 0
	dial := func(context.Context) (net.Conn, error) {
		attempts++
		switch attempts {
		case 1:
			time.Sleep(20 * time.Millisecond)
		case 2:
			return nil, errRefused
		}
		one, two := net.Pipe()
		go io.Copy(io.Discard, two)
		return one, nil
	}
	redialing(t, dial, func(r *Redialer, results <-chan outcome) {
		r.Dial(1)
		synctest.Wait()
		r.Dial(2)
		<-results
		r.Dial(3)
		for range 2 {
			result := <-results
			if result.err != nil || result.at != 20*time.Millisecond {
				t.Errorf("result %+v, expected success after 20 ms", result)
			} else {
				result.nc.Close()
			}
		}
	})
}

// A job server that accepts and hangs up is not dialled without a pause.
func TestRedialerLost(t *testing.T) {
	dial := func(context.Context) (net.Conn, error) {
		one, _ := net.Pipe()
		return one, nil
	}
	redialing(t, dial, func(r *Redialer, results <-chan outcome) {
		for link, want := range []time.Duration{0, 50, 100} {
			r.Dial(uint64(link))
			if at := (<-results).at / time.Millisecond; at != want {
				t.Errorf("dialled at %d ms, expected %d", at, want)
			}
			r.Lost(time.Now())
		}
	})
}

func TestRedialerCancel(t *testing.T) {
	blackHole := func(ctx context.Context) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	redialing(t, blackHole, func(r *Redialer, results <-chan outcome) {
		r.Dial(1)
		r.Dial(2)
		synctest.Wait()
		r.Cancel(1)
		r.Cancel(1)
		r.Cancel(77)
		if result := <-results; result.link != 1 || !errors.Is(result.err, context.Canceled) {
			t.Errorf("result %+v, expected link 1 to be cancelled", result)
		}
		synctest.Wait()
		if len(results) != 0 {
			t.Error("another link was cancelled too")
		}
		r.Lost(time.Now())
		r.Dial(3)
		synctest.Wait()
		r.Cancel(3)
		if result := <-results; result.link != 3 || result.at != 0 || !errors.Is(result.err, context.Canceled) {
			t.Errorf("result %+v, expected link 3 to be cancelled while it waits", result)
		}
		r.Close()
		if len(results) != 1 {
			t.Error("Close did not wait for the result")
		}
		if result := <-results; result.link != 2 || !errors.Is(result.err, context.Canceled) {
			t.Errorf("result %+v, expected link 2 to be cancelled by Close", result)
		}
	})
}

// A connection that is made after all belongs to nobody, and is closed.
func TestRedialerClosesLateConnection(t *testing.T) {
	one, two := net.Pipe()
	late := func(ctx context.Context) (net.Conn, error) {
		<-ctx.Done()
		return one, nil
	}
	redialing(t, late, func(r *Redialer, results <-chan outcome) {
		r.Dial(1)
		synctest.Wait()
		r.Cancel(1)
		if result := <-results; result.nc != nil || !errors.Is(result.err, context.Canceled) {
			t.Errorf("result %+v", result)
		}
		if _, err := two.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("read %v, expected EOF", err)
		}
	})
}

// Of many links that are wanted at once, a few are dialled at a time, and all
// in the end.
func TestRedialerDialsAFewAtATime(t *testing.T) {
	under, most := 0, 0
	var mu sync.Mutex
	slow := func(context.Context) (net.Conn, error) {
		mu.Lock()
		under++
		most = max(most, under)
		mu.Unlock()
		time.Sleep(time.Millisecond)
		mu.Lock()
		under--
		mu.Unlock()
		nc, _ := net.Pipe()
		return nc, nil
	}
	redialing(t, slow, func(r *Redialer, results <-chan outcome) {
		for link := range uint64(100) {
			r.Dial(link)
		}
		for range 100 {
			if result := <-results; result.err != nil {
				t.Errorf("link %d: %v", result.link, result.err)
			}
		}
	})
	if most != maxDials {
		t.Errorf("%d dials at once, expected %d", most, maxDials)
	}
}
