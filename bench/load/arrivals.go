package load

// arrivals says when submissions are due at a given rate. A submission's time
// follows from its number alone, so that neither a slow server nor a slow
// generator moves it: latency counts from the moment a job should have gone.
type arrivals struct {
	rate      float64   // jobs per second of all loops; 0 is a closed loop
	step      int       // loops
	next      int       // number of the next submission of this loop
	start     int64     // nanoseconds of the run
	client    int       // whose turn it is
	full      bool      // no client can take one more
	submitted []*client // in this turn
}

func (a *arrivals) nextTime() int64 {
	return a.start + int64(float64(a.next)/a.rate*1e9)
}

// due returns when something is to be sent; ok is false where nothing is
// before a client has room again.
func (a *arrivals) due() (at int64, ok bool) {
	return a.nextTime(), a.rate > 0 && !a.full
}

// arrive submits what is due, the clients taking turns.
func (l *loop) arrive() {
	a := &l.arrivals
	if a.rate == 0 || !l.started || !l.submitting.Load() {
		return
	}
	now := l.now()
	for a.nextTime() <= now {
		c := l.room()
		a.full = c == nil
		if a.full {
			break
		}
		c.submit(a.nextTime())
		a.next += a.step
		a.submitted = append(a.submitted, c)
	}
	for _, c := range a.submitted {
		l.flush(c.connection)
	}
	a.submitted = a.submitted[:0]
}

// room returns the next client that may submit, or nil.
func (l *loop) room() *client {
	for range l.clients {
		c := l.clients[l.arrivals.client]
		l.arrivals.client = (l.arrivals.client + 1) % len(l.clients)
		if c.room() {
			return c
		}
	}
	return nil
}

// sharedUniques numbers the uniques that several submissions carry.
type sharedUniques struct {
	next, step uint32
	recent     [16]uint32
	count      uint32
}

// pick returns a recent number with probability hitRate, otherwise a new one.
func (s *sharedUniques) pick(l *loop, hitRate float64) uint32 {
	if s.count > 0 && l.random.Float64() < hitRate {
		return s.recent[l.random.Uint32N(min(s.count, uint32(len(s.recent))))]
	}
	key := s.next & sequenceMask
	s.next += s.step
	s.recent[s.count%uint32(len(s.recent))] = key
	s.count++
	return key
}
