package jobserver

import "github.com/geargate/geargate/protocol"

// A Server is one job server. It decides everything and touches nothing: no
// sockets, no clock, no goroutines. It is not safe for concurrent use.
type Server struct {
	config Config

	conns      slab[conn]
	byID       map[ConnID]uint32
	functions  slab[function]
	names      map[string]uint32
	alike      map[string][]uint32 // functions whose names differ in case only, by what they have in common
	abilities  slab[ability]
	registered map[registration]list // abilities, by connection and function

	jobs        slab[job]
	texts       arena
	numbers     table
	uniques     table
	lastNumber  uint32 // the number handed out last
	attachments slab[attachment]

	// Of a durable server.
	lastWrite  uint32            // the ticket of the latest Store
	writes     []write           // those not answered, the oldest first
	writing    map[uint32]uint32 // their tickets, by their job
	unwritten  int               // bytes of their workloads
	lastLoad   uint32            // the ticket of the latest Load
	blind      bool              // workloads that are away cannot be read
	holding    []uint32          // connections with holds
	resident   int               // bytes of workloads that are on disk and here
	reservedTo uint32            // numbers up to here are not given out after a restart

	timers timers

	listed []uint32 // connections with a table under way, the one that waits longest first
	partAt int64    // when the next part of a table is due, in milliseconds since 1970

	queueLinks   linker // of jobs, in queues and with workers
	clientLinks  linker // of attachments, of a job
	waitLinks    linker // of attachments, of a connection
	abilityLinks linker // of abilities, of a connection
	sameLinks    linker // of abilities, of a registration
	sleeperLinks linker // of abilities, of a function

	// Of the Step under way.
	now     int64 // milliseconds since 1970
	acts    []Action
	scratch []byte // digits that actions refer to
	text    []byte // answers to admin lines
	frames  []byte // what was held and is sent
	kept    Kept   // the job to be stored

	loadedFrame []byte // scratch
	line        protocol.Line
	jobRow      protocol.JobRow // scratch
}

// New returns a job server without connections, functions or jobs.
func New(config Config) *Server {
	s := &Server{
		config: config,
		byID:   make(map[ConnID]uint32),
		names:  make(map[string]uint32),
		alike:  make(map[string][]uint32),

		registered: make(map[registration]list),

		writing: make(map[uint32]uint32),
	}
	s.numbers = newTable(&s.jobs, byNumber)
	s.uniques = newTable(&s.jobs, byUnique)
	s.timers.jobs = &s.jobs
	s.queueLinks = func(id uint32) *links { return &s.jobs.at(id).links }
	s.clientLinks = func(id uint32) *links { return &s.attachments.at(id).ofJob }
	s.waitLinks = func(id uint32) *links { return &s.attachments.at(id).ofConn }
	s.abilityLinks = func(id uint32) *links { return &s.abilities.at(id).ofConn }
	s.sameLinks = func(id uint32) *links { return &s.abilities.at(id).same }
	s.sleeperLinks = func(id uint32) *links { return &s.abilities.at(id).sleepers }
	return s
}
