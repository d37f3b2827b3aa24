package router

// maxForwarded is how many jobs of the spool are known under the handles that
// they had there, after they have gone on: the latest ones.
const maxForwarded = 1 << 16

// forwarded leads from the handles of jobs that were in the spool to those that
// they have now.
type forwarded struct {
	to    map[handleText]handleText
	order []handleText // the keys, from next on the oldest first
	next  int
}

// noteForwarded notes that a job of the spool has another handle now.
func (r *Router) noteForwarded(from, to []byte) {
	was, ok := textOf(from)
	is, fits := textOf(to)
	if !ok || !fits {
		return
	}
	f := &r.forwarded
	if f.to == nil {
		f.to = map[handleText]handleText{}
	}
	if len(f.order) < maxForwarded {
		f.order = append(f.order, was)
	} else {
		delete(f.to, f.order[f.next])
		f.order[f.next] = was
		f.next = (f.next + 1) % maxForwarded
	}
	f.to[was] = is
}

// find returns what to ask for in place of a handle: mostly itself.
func (f *forwarded) find(handle []byte) []byte {
	if len(f.to) == 0 {
		return handle
	}
	if was, ok := textOf(handle); ok {
		if is, found := f.to[was]; found {
			return is.bytes()
		}
	}
	return handle
}
