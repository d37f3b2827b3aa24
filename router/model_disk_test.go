package router

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/protocol"
)

// A durable is a job server and its disk, on which whatever is to be stored is
// at once. It takes the disk along when it starts anew.
type durable struct {
	*jobserver.Server
	kept     map[uint32]*jobserver.Kept // background jobs, by number
	ended    []*jobserver.Kept          // since something was stored last
	reserved uint32                     // numbers up to this may have been given out
}

func newDurable(prefix string) *durable {
	cfg := jobserver.DefaultConfig()
	cfg.HandlePrefix, cfg.Durable = prefix, true
	return &durable{Server: jobserver.New(cfg), kept: map[uint32]*jobserver.Kept{}}
}

// step gives the job server an event and returns what it sends.
func (s *durable) step(now time.Time, ev *jobserver.Event) []sentUnit {
	var out []sentUnit
	ticket := uint32(0)
	for _, a := range s.Step(now, ev, nil) {
		switch a.Kind {
		case jobserver.Send:
			out = append(out, sentUnit{a.Conn, a.Draft.AppendTo(nil)})
		case jobserver.SendText, jobserver.SendHeld:
			out = append(out, unitsOf(a.Conn, a.Text)...)
		case jobserver.Close:
			out = append(out, sentUnit{a.Conn, nil})
		case jobserver.Store:
			ticket = a.Ticket
			s.kept[a.Kept.Number] = copyOf(a.Kept)
			s.ended = nil
		case jobserver.Forget:
			if k := s.kept[a.Number]; k != nil {
				s.ended = append(s.ended, k)
			}
			delete(s.kept, a.Number)
		case jobserver.Attempts:
			s.kept[a.Number].Attempts = a.Attempts
		case jobserver.Reserve:
			s.reserved = a.Number
		}
	}
	if ticket > 0 {
		out = append(out, s.step(now, &jobserver.Event{Kind: jobserver.Stored, Ticket: ticket})...)
	}
	return out
}

// unitsOf cuts text into frames and lines.
func unitsOf(conn jobserver.ConnID, text []byte) []sentUnit {
	var out []sentUnit
	for len(text) > 0 {
		n := bytes.IndexByte(text, '\n') + 1
		if text[0] == 0 {
			frame, _ := protocol.Split(text, 1<<20)
			n = len(frame)
		}
		out = append(out, sentUnit{conn, bytes.Clone(text[:n])})
		text = text[n:]
	}
	return out
}

func copyOf(k *jobserver.Kept) *jobserver.Kept {
	c := *k
	for _, part := range []*[]byte{&c.Function, &c.Unique, &c.Reducer, &c.Workload} {
		*part = bytes.Clone(*part)
	}
	return &c
}

// relapse has the disk keep the jobs whose end had not been written to it.
func (s *durable) relapse() {
	for _, k := range s.ended {
		s.kept[k.Number] = k
	}
	s.ended = nil
}

// restore brings back what old has on its disk, under the handles it had.
func (s *durable) restore(now time.Time, old *durable) {
	for _, number := range slices.Sorted(maps.Keys(old.kept)) {
		k := old.kept[number]
		s.Restore(now, k)
		s.kept[number] = k
	}
	s.reserved = old.reserved
	s.Resume(old.reserved, old.reserved)
}

// replay submits what old has on its disk again, as gearmand does: it gives
// out new handles.
func (s *durable) replay(now time.Time, old *durable) {
	const replaying = 1 << 42
	s.step(now, &jobserver.Event{Kind: jobserver.Opened, Conn: replaying})
	for _, number := range slices.Sorted(maps.Keys(old.kept)) {
		k := old.kept[number]
		kind := [...]protocol.Type{protocol.SubmitJobHighBg, protocol.SubmitJobBg, protocol.SubmitJobLowBg}[k.Priority]
		args := [][]byte{k.Function, k.Unique}
		switch {
		case k.Due > 0:
			kind = protocol.SubmitJobEpoch
			args = append(args, strconv.AppendInt(nil, k.Due/1000, 10))
		case len(k.Reducer) > 0:
			kind = protocol.SubmitReduceJobBg
			args = append(args, k.Reducer, nil)
		}
		var p protocol.Packet
		malformed := p.Parse(protocol.AppendFrame(nil, protocol.Request, kind, append(args, k.Workload)...))
		s.step(now, &jobserver.Event{Kind: jobserver.Packet, Conn: replaying, Packet: &p, Malformed: malformed})
	}
	s.step(now, &jobserver.Event{Kind: jobserver.Closed, Conn: replaying})
}
