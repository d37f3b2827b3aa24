package jobserver

import (
	"errors"
	"fmt"

	"github.com/geargate/geargate/protocol"
)

// check returns what does not hold of s that must hold after every Step.
func check(s *Server) error {
	c := &checker{s: s, jobs: map[uint32]int{}, attachments: map[uint32]int{}}
	c.queues()
	c.connections()
	c.records()
	c.tables()
	c.heap()
	c.disk()
	c.listings()
	return errors.Join(c.wrong...)
}

type checker struct {
	s           *Server
	kind        string         // of what is looked at: a job, a function or a connection
	id          uint64         // and which
	jobs        map[uint32]int // how often each was met in a queue or with a worker
	attachments map[uint32]int // how often each was met on a job and on a connection
	wrong       []error
}

func (c *checker) at(kind string, id uint64) { c.kind, c.id = kind, id }

func (c *checker) expect(what string, got, want any) {
	if got != want {
		c.wrong = append(c.wrong, fmt.Errorf("%s %d: %s: expected %v, got %v", c.kind, c.id, what, want, got))
	}
}

// walk visits a list and checks that it is linked in both directions.
func (c *checker) walk(what string, at linker, l list, visit func(id uint32)) {
	before := uint32(0)
	for id := l.head; id != 0; id = at(id).next {
		c.expect(what, at(id).prev, before)
		visit(id)
		before = id
	}
	c.expect(what, l.tail, before)
}

// listings checks that a part is due for each table under way.
func (c *checker) listings() {
	listed := map[uint32]int{}
	for _, index := range c.s.listed {
		listed[index]++
	}
	c.s.conns.each(func(index uint32, conn *conn) {
		c.at("connection", uint64(conn.id))
		c.expect("has a table under way", listed[index] == 1, conn.listing.cursor != 0)
	})
	alike := 0
	for _, of := range c.s.alike {
		alike += len(of)
	}
	c.expect("functions by what their names have in common", alike, len(c.s.names))
}

func (c *checker) queues() {
	c.s.functions.each(func(index uint32, f *function) {
		if f.index == 0 {
			return
		}
		c.at("function", uint64(index))
		c.expect("index", f.index, index)
		c.expect("by name", c.s.names[string(f.name)], index)
		for priority := range f.queues {
			c.walk("queue", c.s.queueLinks, f.queues[priority], func(id uint32) {
				j := c.s.jobs.at(id)
				c.jobs[id]++
				c.expect("state in queue", j.state, queued)
				c.expect("priority in queue", j.priority, protocol.Priority(priority))
				c.expect("function in queue", j.function, index)
			})
		}
		c.walk("sleepers", c.s.sleeperLinks, f.sleepers, func(id uint32) {
			a := c.s.abilities.at(id)
			c.expect("sleep of a sleeper", c.s.conns.at(a.conn).sleep, asleep)
			c.expect("function of a sleeper", a.function, index)
		})
	})
}

func (c *checker) connections() {
	abilities := map[uint32]int{}
	sleeping := map[uint32]int{}
	same := map[registration]int{}
	open := 0
	c.s.conns.each(func(index uint32, conn *conn) {
		if conn.index == 0 {
			return
		}
		open++
		c.at("connection", uint64(conn.id))
		c.expect("by id", c.s.byID[conn.id], index)
		registered := 0
		c.walk("abilities", c.s.abilityLinks, conn.abilities, func(id uint32) {
			registered++
			same[registration{index, c.s.abilities.at(id).function}]++
			abilities[c.s.abilities.at(id).function]++
			if conn.sleep == asleep {
				sleeping[c.s.abilities.at(id).function]++
			}
		})
		c.expect("registered", conn.registered, registered)
		c.walk("jobs", c.s.queueLinks, conn.jobs, func(id uint32) {
			c.jobs[id]++
			c.expect("state of its job", c.s.jobs.at(id).state, running)
			c.expect("worker of its job", c.s.jobs.at(id).worker, index)
		})
		c.walk("waits", c.s.waitLinks, conn.waits, func(id uint32) {
			c.attachments[id]++
			c.expect("its attachment", c.s.attachments.at(id).conn, index)
		})
	})
	c.at("server", 0)
	c.expect("connections by id", len(c.s.byID), open)
	c.expect("registrations", len(c.s.registered), len(same))
	for key, n := range same {
		c.walk("abilities for one function", c.s.sameLinks, c.s.registered[key], func(id uint32) {
			n--
			a := c.s.abilities.at(id)
			c.expect("registration of an ability", registration{a.conn, a.function}, key)
		})
		c.expect("abilities for one function that are not found", n, 0)
	}
	c.s.functions.each(func(index uint32, f *function) {
		c.at("function", uint64(index))
		c.expect("abilities", f.abilities, abilities[index])
		sleepers := 0
		for id := f.sleepers.head; id != 0; id = c.s.abilities.at(id).sleepers.next {
			sleepers++
		}
		c.expect("sleepers", sleepers, sleeping[index])
	})
}

func (c *checker) records() {
	type counts struct {
		total, running int
		queued         [protocol.Priorities]int
	}
	functions := map[uint32]counts{}
	live := 0
	c.s.jobs.each(func(id uint32, j *job) {
		if j.state == 0 {
			return
		}
		live++
		c.at("job", uint64(j.chained[byNumber].key))
		n := functions[j.function]
		n.total++
		if j.state == running {
			n.running++
		} else {
			n.queued[j.priority]++
			c.expect("waits for nobody", j.ignored(), false)
			c.expect("is stored where it must be", j.keeping != unkept, c.s.config.Durable && j.background)
			c.expect("waits for the disk", j.state == storing, j.state == storing && j.keeping == writing)
		}
		functions[j.function] = n
		met := 1
		if j.state == storing {
			met = 0
		}
		if j.state == delayed {
			met = 0
			c.expect("delayed without timer", j.timer != 0, true)
		}
		c.expect("times in queues and with workers", c.jobs[id], met)
		c.expect("has a worker", j.worker != 0, j.state == running)
		attached := uint32(0)
		c.walk("clients", c.s.clientLinks, j.clients, func(a uint32) {
			attached++
			c.attachments[a]++
			c.expect("job of its attachment", c.s.attachments.at(a).job, id)
		})
		c.expect("attached", j.attached, attached)
	})
	c.at("server", 0)
	c.expect("jobs taken", c.s.jobs.live, live)
	c.expect("attachments taken", c.s.attachments.live, len(c.attachments))
	for id, met := range c.attachments {
		c.at("attachment", uint64(id))
		c.expect("times met on a job and on a connection", met, 2)
	}
	c.s.functions.each(func(index uint32, f *function) {
		if f.index != 0 {
			c.at("function", uint64(index))
			c.expect("counts", counts{f.total, f.running, f.queued}, functions[index])
		}
	})
}

func (c *checker) tables() {
	indexed := 0
	c.s.jobs.each(func(id uint32, j *job) {
		if j.state == 0 {
			return
		}
		c.at("job", uint64(j.chained[byNumber].key))
		c.expect("job by its number", c.s.numbered(j.chained[byNumber].key), id)
		key := c.s.unique(j)
		if string(key) == workloadIsUnique && j.keeping != away {
			key = c.s.workload(j)
		}
		c.expect("joined by its unique", j.indexed, len(key) > 0 && !j.cancelled)
		if !j.indexed {
			return
		}
		indexed++
		found := c.s.uniques.first(j.chained[byUnique].key)
		for found != id && found != 0 {
			found = c.s.uniques.next(found)
		}
		c.expect("job by its unique", found, id)
	})
	c.at("server", 0)
	c.expect("jobs by number", int(c.s.numbers.count), c.s.jobs.live)
	c.expect("jobs by unique", int(c.s.uniques.count), indexed)
}

func (c *checker) heap() {
	c.at("server", 0)
	timed := 0
	c.s.jobs.each(func(_ uint32, j *job) {
		if j.timer != 0 {
			timed++
		}
	})
	heap := c.s.timers.heap
	c.expect("timers", len(heap), timed)
	for place := range heap {
		c.expect("place of a timer", c.s.jobs.at(heap[place].job).timer, uint32(place+1))
		if place > 0 {
			c.expect("order of timers", heap[(place-1)/4].at <= heap[place].at, true)
		}
	}
}

// disk checks what a durable server keeps in mind.
func (c *checker) disk() {
	c.at("server", 0)
	resident, writes := 0, 0
	c.s.jobs.each(func(id uint32, j *job) {
		switch {
		case j.state == 0:
		case j.keeping == kept:
			resident += int(j.workloadSize)
		case j.keeping == writing:
			writes++
			_, known := c.s.writing[id]
			c.expect("ticket of a job that is written", known, true)
		}
	})
	c.expect("bytes that are on disk and here", c.s.resident, resident)
	c.expect("jobs that are written", len(c.s.writing), writes)
	unwritten := 0
	for _, w := range c.s.writes {
		unwritten += int(w.size)
	}
	c.expect("bytes that wait for the disk", c.s.unwritten, unwritten)
	holding := map[uint32]bool{}
	for _, index := range c.s.holding {
		holding[index] = true
	}
	c.expect("connections with holds, each once", len(holding), len(c.s.holding))
	c.s.conns.each(func(index uint32, conn *conn) {
		if conn.index != 0 {
			c.at("connection", uint64(conn.id))
			c.expect("has holds", holding[index], len(conn.holds) > 0)
			c.expect("is sent what waits for nothing", len(conn.holds) == 0 && len(conn.held) > 0, false)
			c.expect("its first hold waits", len(conn.holds) > 0 && conn.holds[0].answer != waiting, false)
		}
	})
}

// idle returns what is left of s that must not be when no job is there and all
// is given back.
func idle(s *Server) error {
	c := &checker{s: s, kind: "server"}
	c.expect("jobs", s.jobs.live, 0)
	c.expect("attachments", s.attachments.live, 0)
	c.expect("timers", len(s.timers.heap), 0)
	c.expect("chunks of jobs", chunks(&s.jobs) <= 1, true)
	c.expect("chunks of attachments", chunks(&s.attachments) <= 1, true)
	c.expect("buckets", s.numbers.size+s.uniques.size, uint32(2*segmentSize))
	for number := range s.texts.pages {
		p := &s.texts.pages[number]
		c.expect("texts on a page", p.used, uint16(0))
		c.expect("page kept for nothing", p.data != nil && (p.class == ownPage || s.texts.spare[p.class] != uint32(number)), false)
	}
	return errors.Join(c.wrong...)
}

func chunks[T any](s *slab[T]) (n int) {
	for _, chunk := range s.chunks {
		if chunk != nil {
			n++
		}
	}
	return n
}
