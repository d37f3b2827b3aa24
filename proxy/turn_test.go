package proxy

import (
	"slices"
	"testing"
)

// Who is given something last is written last, so that what goes to a backend
// over several links arrives in order.
func TestTurnWritesInTheOrderOfWhatWasSentLast(t *testing.T) {
	c := &core{lanes: make([]lane, 1)}
	var first, second, third peer
	for _, p := range []*peer{&first, &second, &second, &third, &first, &third, &first} {
		p.out = append(c.room(p), 'x')
	}
	l := &c.lanes[0]
	c.collect(l)
	var order []*peer
	for _, f := range l.turn {
		order = append(order, f.peer)
	}
	if want := []*peer{&second, &third, &first}; !slices.Equal(order, want) {
		t.Errorf("written in the order %v, expected %v", order, want)
	}
	if got := string(l.turn[2].out); got != "xxx" {
		t.Errorf("the last peer is written %q, expected all it was given", got)
	}
}
