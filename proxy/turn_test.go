package proxy

import (
	"slices"
	"testing"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/router"
)

// Who hears of a job that was created is written to before those who are sent
// the job, whoever was given something first.
func TestTurnWritesWhoHearsOfAJobFirst(t *testing.T) {
	c := &core{lanes: make([]lane, 1), sessions: map[router.SessionID]*session{1: {}, 2: {}}}
	c.acts = []router.Action{
		{Kind: router.Send, Session: 1, Draft: protocol.Drafted(protocol.Response, protocol.Noop)},
		{Kind: router.Send, Session: 2, Draft: protocol.Drafted(protocol.Response, protocol.JobCreated, []byte("H:h:1"))},
	}
	for _, first := range []router.SessionID{2, 1} { // the second time without a job
		c.apply()
		l := &c.lanes[0]
		l.turn = nil
		c.collect(l)
		if len(l.turn) != 2 || l.turn[0].peer != &c.sessions[first].peer {
			t.Errorf("written in another order than session %d first", first)
		}
		c.acts = []router.Action{
			{Kind: router.Send, Session: 1, Draft: protocol.Drafted(protocol.Response, protocol.Noop)},
			{Kind: router.Send, Session: 2, Draft: protocol.Drafted(protocol.Response, protocol.Noop)},
		}
	}
}

// Of links, that which is given something last is written last, so that what
// goes to a backend over several of them arrives in order.
func TestTurnWritesLinksInTheOrderOfWhatWasSentLast(t *testing.T) {
	c := &core{lanes: make([]lane, 1)}
	session, first, second, third := peer{}, peer{moves: true}, peer{moves: true}, peer{moves: true}
	for _, p := range []*peer{&first, &session, &second, &second, &third, &session, &first, &third, &first} {
		p.out = append(c.room(p), 'x')
	}
	l := &c.lanes[0]
	c.collect(l)
	var order []*peer
	for _, f := range l.turn {
		order = append(order, f.peer)
	}
	if want := []*peer{&session, &second, &third, &first}; !slices.Equal(order, want) {
		t.Errorf("written in the order %v, expected %v", order, want)
	}
	if got := string(l.turn[3].out); got != "xxx" {
		t.Errorf("the last link is written %q, expected all it was given", got)
	}
}
