package proxy

import (
	"slices"
	"testing"
)

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
