package router

import "github.com/geargate/geargate/protocol"

// toldAtOnce is how many listeners of a job are told its last packet in one
// step. Whoever else waits for the router has a turn in between.
const toldAtOnce = 500

// A farewell is the last packet of a job that many listen to, while some have
// not been told. The job has ended: nobody joins it any more, and its record here
// has nothing but the listeners that are left and what they call the job.
type farewell struct {
	job    *job
	packet protocol.Packet
	body   []byte // what packet is of, owned or retained
	timer  timer
}

// tellLast tells everyone who listens to j the last packet of it. After that
// nobody does.
func (r *Router) tellLast(j *job, p *protocol.Packet) {
	if j.listeners.count <= toldAtOnce {
		r.tellSome(j, p)
		return
	}
	f := &farewell{job: r.jobPool.get()}
	*f.job = job{front: j.front, submitted: j.submitted, buffer: append(f.job.buffer[:0], j.function...), joined: f.job.joined[:0]}
	f.job.function = f.job.buffer
	for l := j.listeners.first; l != nil; l = j.listeners.next(l) {
		l.job = f.job
	}
	f.job.listeners, j.listeners = j.listeners, byJob{}
	f.keep(r, p)
	f.due(r)
}

// keep makes p last for longer than the event under way.
func (f *farewell) keep(r *Router, p *protocol.Packet) {
	f.packet, f.body = *p, p.Body()
	if r.shares(f.body) {
		r.retain(f.body)
		return
	}
	args := make([][]byte, p.Args())
	for i := range args {
		args[i] = p.Arg(i)
	}
	frame := protocol.AppendFrame(nil, protocol.Response, p.Type, args...)
	_ = f.packet.Parse(frame) // it was parsed before
}

// due tells the next of those who wait.
func (f *farewell) due(r *Router) {
	r.tellSome(f.job, &f.packet)
	if f.job.listeners.count > 0 {
		r.arm(&f.timer, r.now, f)
		return
	}
	r.relinquish(f.body)
	r.jobPool.put(f.job)
}

// tellSome tells a job's last packet to as many listeners as may be at once.
func (r *Router) tellSome(j *job, p *protocol.Packet) {
	for range toldAtOnce {
		l := j.listeners.first
		if l == nil {
			return
		}
		r.tellPacket(l, p)
		r.detach(l)
	}
}
