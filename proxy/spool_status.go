package proxy

import "time"

// SpoolStatus is what is in the spool.
type SpoolStatus struct {
	Jobs      int       `json:"jobs"`
	Since     time.Time `json:"since,omitzero"` // it has not been empty
	Forwarded int64     `json:"forwarded"`      // since the start
	Followed  int64     `json:"followed"`       // were forwarded, also before, and are not known to have ended
}

// status returns what is in the spool. core.mu is held.
func (f *forwarder) status() SpoolStatus {
	s := SpoolStatus{Jobs: f.spool.builtin.Jobs(), Forwarded: f.done.Load(), Followed: f.followed.Load()}
	if since := f.since.Load(); since > 0 && s.Jobs > 0 {
		s.Since = time.Unix(0, since)
	}
	return s
}

// Spool returns what is in the spool; ok is false where there is none.
func (p *Proxy) Spool() (s SpoolStatus, ok bool) {
	p.core.mu.Lock()
	defer p.core.mu.Unlock()
	if p.core.forwarder == nil {
		return s, false
	}
	return p.core.forwarder.status(), true
}
