package proxy

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/geargate/geargate/backend"
	"github.com/geargate/geargate/proxy/access"
	"github.com/geargate/geargate/proxy/listen"
	"github.com/geargate/geargate/router"
)

// A peer is one connection: its unread beginning of a piece on the way in, its
// unwritten bytes on the way out.
type peer struct {
	session *session // static: what it is a part of; nil for a link

	lane  int  // static once it is open
	moves bool // static: is written after others that were given something before; true for links

	conn *listen.Conn // owned by its loop; nil before Open
	in   assembler    // owned by its loop
	deaf bool         // owned by its loop: what it says is ignored
	full bool         // owned by its loop: not to be read from for now

	unheard []byte       // owned by its loop: what it has sent and must wait with, see slice
	unread  atomic.Int64 // bytes of unheard; written by its loop
	atEnd   func()       // owned by its loop: to be called when all of it has been heard
	inLine  bool         // owned by its loop: is in lane.waiting
	room    bool         // owned by its loop: the router is to hear that it can be written to
	stalled bool         // written by its loop, under core.mu: its input waits until the router hears it again

	input atomic.Int64 // bytes of in, where they are many; written by its loop and by cutOff

	out     []byte   // guarded by core.mu: to be written at the end of the turn
	parts   [][]byte // guarded by core.mu: to be written before out; large ones are shared
	size    int      // guarded by core.mu: bytes of parts
	queued  int      // guarded by core.mu: bytes that its connection has not written, when last told
	cut     bool     // guarded by core.mu: to be closed without anything more being written
	dirty   bool     // guarded by core.mu: is on its lane's list
	created bool     // guarded by core.mu: out has a JOB_CREATED
	place   int      // guarded by core.mu: its place on that list
	bulky   bool     // guarded by core.mu: is on its lane's list of bulky ones
	closing bool     // guarded by core.mu: to be closed once out is written; takes no more output
}

// A session is a downstream peer.
type session struct {
	peer
	id      router.SessionID // static once it is open
	open    bool             // guarded by core.mu: the router knows it
	address netip.Addr       // static once it is open; see admission
	by      string           // static once it is open: the listener it came in by, as under listen
	names   []string         // static once it is open: in its certificate
	grant   *access.Grant    // guarded by core.mu
	bare    bool             // owned by its loop: has said nothing, and is not to say a PROXY header

	forwards bool // static: it is the forwarder's

	paused   bool // guarded by core.mu: the router hears nothing more of it for now
	awaits   bool // guarded by core.mu: the router waits for it to be written to
	writable bool // guarded by core.mu: and it has been
	ready    bool // guarded by core.mu: is in lane.ready

	feeds  *link // guarded by core.mu: what it sends waits there, or did
	parked bool  // guarded by core.mu: is in core.parked

	until time.Time // guarded by core.mu: when its replies are given up, once it will send no more
}

// A link is a peer that is a backend, remote or built in.
type link struct {
	peer
	id      router.LinkID
	backend *upstream

	opened time.Time // owned by its loop
	flowed time.Time // owned by its loop: when the router was told last that bytes came
}

// An upstream is a backend as the shell sees it. What is not guarded is static: a
// reload that changes it puts another upstream in its place.
type upstream struct {
	name    string
	address string
	tls     BackendTLS
	remote  *backend.Redialer // nil for a built-in one
	builtin *backend.Builtin  // nil for a remote one; guarded by core.mu

	troubled bool // guarded by core.mu: its store failed at last
}

// A lane is what belongs to one event loop. All of it is guarded by core.mu,
// except where it says otherwise.
type lane struct {
	dirty      []*peer    // with something to write, or to close; nil where one has moved on, and before first
	first      int        // the place of the first of dirty
	bulky      []*peer    // those of them with so much to write that others go first
	index      int        // static: which loop it is of
	kicked     bool       // a turn is on its way
	goesOn     bool       // it hears those that wait
	unfinished bool       // input or output is left over for it
	spare      freeList   // for output
	resume     []*session // to be read from again
	ready      []*session // to be gone on with: heard again, or written to

	calls int // of Data since the last turn
	crowd int // calls of Data in a turn that was kicked, on average, times 16
	reads int // calls of Data in all

	pulses []chan<- struct{} // who waits for the next turn, see Proxy.Pulse

	turn []flush  // owned by the loop: the flush under way
	read freeList // owned by the loop: for assemblers

	waiting []*peer       // owned by the loop: those with input that waits, the longest first
	held    time.Duration // owned by the loop: for how long its peers have held the core since the latest turn
}

// The turn of a loop with little to do is not worth waiting for: its output is
// written at once, without a kick. One call in sampled waits all the same, to
// see how many come with it.
const (
	crowded = 2 * 16
	sampled = 16
)

// hurries reports whether output is written at once.
func (l *lane) hurries() bool {
	l.calls++
	l.reads++
	return l.crowd < crowded && l.reads%sampled != 0 && !l.kicked && !l.goesOn
}

// A flush is what a turn writes to one peer.
type flush struct {
	peer   *peer
	parts  [][]byte
	out    []byte
	close  bool
	cut    bool
	queued int // bytes that are not written yet
}
