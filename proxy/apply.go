package proxy

import (
	"bytes"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/router"
)

// apply does what the router said, in order. core.mu is held; nothing here
// waits for anything.
func (c *core) apply() {
	for i := range c.acts {
		a := &c.acts[i]
		switch a.Kind {
		case router.Send:
			if s := c.sessions[a.Session]; s != nil && !s.closing {
				c.put(&s.peer, &a.Draft)
				s.created = s.created || a.Draft.Type == protocol.JobCreated
			}
		case router.SendText:
			if s := c.sessions[a.Session]; s != nil && !s.closing {
				s.out = append(c.room(&s.peer), a.Text...)
				c.copied += len(a.Text) >> 10
			}
		case router.AwaitWritable:
			if s := c.sessions[a.Session]; s != nil {
				s.awaits = true
				c.mayBeWritten(s)
			}
		case router.PauseSession:
			if s := c.sessions[a.Session]; s != nil {
				s.paused = true
			}
		case router.ResumeSession:
			if s := c.sessions[a.Session]; s != nil {
				s.paused = false
				if s.stalled {
					c.makeReady(s)
				}
			}
		case router.CloseSession:
			if s := c.sessions[a.Session]; s != nil {
				c.journal.session("session_closed", s, a.Reason)
				c.closePeer(&s.peer)
			}
		case router.SendLink:
			c.sendLink(a)
		case router.SendLinkText:
			c.sendLinkText(a)
		case router.Dial:
			c.dial(a)
		case router.CloseLink:
			c.closeLink(a.Link)
		case router.Note:
			c.note(a)
		case router.Surveyed:
			close(c.surveys[a.Survey])
			delete(c.surveys, a.Survey)
		case router.Retain:
			c.large.retain(a.Text)
		case router.Release:
			c.released = append(c.released, a.Text)
		}
	}
	clear(c.acts) // they may hold on to a large frame in Go's heap
	c.releaseAll(c.released)
	c.released = c.released[:0]
}

// room puts p on its lane's list and returns its output buffer.
func (c *core) room(p *peer) []byte {
	c.markDirty(p)
	if p.out == nil {
		p.out = c.lanes[p.lane].spare.get()
	}
	return p.out
}

// put appends a packet to p's output; what is large is shared, not copied.
func (c *core) put(p *peer, d *protocol.Draft) {
	head, large := d.AppendCut(c.room(p))
	switch {
	case large == nil:
		p.out = head
	case c.large.retain(large):
		p.parts = append(p.parts, bytes.Clone(head), large) // it may wait for long, and the buffer serves others
		p.size += len(head) + len(large)
		p.out = head[:0]
	default:
		p.out = append(head, large...)
	}
}

// releaseAll takes a holder from each large frame that one of parts ends.
func (c *core) releaseAll(parts [][]byte) {
	for _, part := range parts {
		c.large.release(part)
	}
	clear(parts)
}

// markDirty puts p at the end of its lane's list; a link also where it is on it
// already: which is given something last is written last. So a backend most
// often reads the router's packets in the order in which they were sent,
// whatever links they take. Sessions keep their places: one that moved would
// wait for others again and again, and answer in smaller batches.
func (c *core) markDirty(p *peer) {
	l := &c.lanes[p.lane]
	last := len(l.dirty) - 1
	if p.dirty {
		if p.bulky || !p.moves || p.place == last {
			return
		}
		l.dirty[p.place] = nil
	}
	p.dirty, p.place = true, last+1
	l.dirty = append(l.dirty, p)
}

// closePeer ends p once everything before has been written.
func (c *core) closePeer(p *peer) {
	p.closing = true
	c.markDirty(p)
}

func (c *core) sendLink(a *router.Action) {
	l := c.links[a.Link]
	switch {
	case l == nil:
	case l.backend.builtin != nil:
		l.backend.builtin.Send(uint64(l.id), &a.Draft)
	default:
		c.put(&l.peer, &a.Draft)
		if l.backlog() > c.limits.Load().InFlight {
			c.full = l
		}
	}
}

func (c *core) sendLinkText(a *router.Action) {
	l := c.links[a.Link]
	switch {
	case l == nil:
	case l.backend.builtin != nil:
		l.backend.builtin.Write(uint64(l.id), a.Text)
	default:
		l.out = append(c.room(&l.peer), a.Text...)
	}
}

// dial asks for a link. A built-in one is up at once, which the router hears
// in its turn: as the event after those under way.
func (c *core) dial(a *router.Action) {
	u := c.upstreams[a.Backend]
	l := &link{id: a.Link, backend: u}
	l.lane, l.moves = a.Lane, true
	c.links[l.id] = l
	if u.builtin == nil {
		u.remote.Dial(uint64(l.id))
		return
	}
	u.builtin.Open(uint64(l.id))
	c.risen = append(c.risen, l.id)
}

func (c *core) closeLink(id router.LinkID) {
	l := c.links[id]
	if l == nil {
		return
	}
	delete(c.links, id)
	switch {
	case l.backend.builtin != nil:
		l.backend.builtin.Close(uint64(id))
	case l.conn == nil:
		l.backend.remote.Cancel(uint64(id))
	default:
		c.closePeer(&l.peer)
	}
}

// note writes what the router found worth a line into the journal.
func (c *core) note(a *router.Action) {
	e := line{event: string(a.Event), session: a.Session, reason: a.Reason}
	if a.Backend >= 0 {
		u := c.upstreams[a.Backend]
		e.backend = u.name
		if a.Event == router.NoteBackendUp {
			c.heardOf(u)
		}
	}
	c.journal.add(e)
}
