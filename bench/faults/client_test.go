package faults

import (
	"testing"

	"github.com/geargate/geargate/bench/load"
	"github.com/geargate/geargate/protocol"
)

const (
	first  = "H:jobs-1~vm:0000000001"
	second = "H:jobs-1~vm:0000000002"
)

// response is a packet as a client gets it.
func response(t *testing.T, kind protocol.Type, args ...string) *protocol.Packet {
	t.Helper()
	var bytes [][]byte
	for _, arg := range args {
		bytes = append(bytes, []byte(arg))
	}
	p := &protocol.Packet{}
	if err := p.Parse(protocol.AppendFrame(nil, protocol.Response, kind, bytes...)); err != nil {
		t.Fatal(err)
	}
	return p
}

// resultOf is what a worker makes of a job.
func resultOf(c *client, who load.Identity) string {
	return string(load.AppendResult(nil, load.AppendWorkload(nil, who, payload, c.salt)))
}

func TestClientsFindWhatShouldNotCome(t *testing.T) {
	one, two, others := load.Identity{Client: 1, Sequence: 1}, load.Identity{Client: 1, Sequence: 2}, load.Identity{Client: 2, Sequence: 1}
	tests := map[string]struct {
		packets func(c *client) []*protocol.Packet
		want    Counts
	}{
		"as it should be": {
			packets: func(c *client) []*protocol.Packet {
				return []*protocol.Packet{
					response(t, protocol.WorkData, first, resultOf(c, one)), response(t, protocol.WorkComplete, first, resultOf(c, one)),
					response(t, protocol.WorkComplete, second, resultOf(c, two)),
				}
			},
			want: Counts{Answered: 2},
		},
		"another client's": {
			packets: func(c *client) []*protocol.Packet {
				return []*protocol.Packet{response(t, protocol.WorkComplete, first, resultOf(c, others))}
			},
			want: Counts{Wrong: 1},
		},
		"of another job": {
			packets: func(c *client) []*protocol.Packet {
				return []*protocol.Packet{response(t, protocol.WorkComplete, first, resultOf(c, two))}
			},
			want: Counts{Doubled: 1},
		},
		"altered": {
			packets: func(c *client) []*protocol.Packet {
				return []*protocol.Packet{response(t, protocol.WorkComplete, first, resultOf(c, one)+"x")}
			},
			want: Counts{Wrong: 1},
		},
		"twice": {
			packets: func(c *client) []*protocol.Packet {
				p := response(t, protocol.WorkComplete, first, resultOf(c, one))
				return []*protocol.Packet{p, p}
			},
			want: Counts{Answered: 1, Doubled: 1},
		},
		"data behind the result": {
			packets: func(c *client) []*protocol.Packet {
				return []*protocol.Packet{
					response(t, protocol.WorkComplete, first, resultOf(c, one)), response(t, protocol.WorkData, first, resultOf(c, one)),
				}
			},
			want: Counts{Answered: 1, Doubled: 1},
		},
		"failed": {
			packets: func(*client) []*protocol.Packet {
				return []*protocol.Packet{response(t, protocol.WorkFail, first), response(t, protocol.WorkFail, first)}
			},
			want: Counts{Failed: 1, Doubled: 1},
		},
		"an answer too many": {
			packets: func(*client) []*protocol.Packet {
				return []*protocol.Packet{response(t, protocol.JobCreated, "H:jobs-1~vm:0000000003")}
			},
			want: Counts{Wrong: 1},
		},
	}
	for name, test := range tests {
		c := &client{stage: &stage{ledger: newLedger(true), salt: 42}, id: 1, waiting: map[string][]*submission{}}
		c.owed = []*submission{c.ledger.submit(one, false), c.ledger.submit(two, false)}
		for _, p := range append([]*protocol.Packet{response(t, protocol.JobCreated, first), response(t, protocol.JobCreated, second)}, test.packets(c)...) {
			if err := c.packet(p); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		got := c.ledger.counts
		test.want.Foreground, test.want.Problem = 2, got.Problem
		if got != test.want {
			t.Errorf("%s: counted %+v, expected %+v", name, got, test.want)
		}
	}
}

func TestAHandleForTwoJobsIsFound(t *testing.T) {
	c := &client{stage: &stage{ledger: newLedger(true)}, id: 1, waiting: map[string][]*submission{}}
	shared := load.Identity{Client: sharedClient}
	for _, who := range []load.Identity{shared, shared, {Client: 1, Sequence: 1}} {
		c.created(c.ledger.submit(who, false), []byte(first))
	}
	if got := c.ledger.counts.Handles; got != 2 {
		t.Errorf("%d jobs share the handle of another, expected the last one with both others", got)
	}
}
