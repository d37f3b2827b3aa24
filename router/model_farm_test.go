package router

import "fmt"

// drawFarm draws what backends there are, and how the router is to treat them,
// and returns the words of the farm.
func (w *world) drawFarm() []string {
	w.drawConstant()
	farm := append([]string{fmt.Sprintf("lanes=%d", 1+w.IntN(2)), fmt.Sprintf("links=%d", 1+w.IntN(3))}, w.constant...)
	for i := range 1 + w.IntN(3) {
		name := string(rune('a' + i))
		disk := ""
		if w.IntN(4) == 0 {
			disk = "+disk"
		}
		farm = append(farm, fmt.Sprintf("%s%s=%d", name, disk, 1+i))
		w.hosts = append(w.hosts, w.newHost(name))
	}
	if w.IntN(3) == 0 {
		w.constant = append(w.constant, "spool")
		farm = append(farm, "spool")
		w.hosts = append(w.hosts, newSpool())
	}
	return farm
}

// drawConstant draws the words that every configuration has.
func (w *world) drawConstant() {
	w.constant = []string{"hold=10m", "health=2s", fmt.Sprintf("ready=%d", 1+w.IntN(20)), fmt.Sprintf("held=%d", 1+w.IntN(20))}
	if w.IntN(4) == 0 {
		w.constant[0] = "hold=2s"
	}
	if w.IntN(4) == 0 {
		w.constant = append(w.constant, fmt.Sprintf("heldbytes=%d", 1+w.IntN(60)))
	}
	if w.IntN(4) == 0 {
		w.constant = append(w.constant, fmt.Sprintf("retries=%d", 2+w.IntN(2)))
	}
	if w.ghosts = w.IntN(4) > 0; w.ghosts {
		w.constant = append(w.constant, "ghosts")
	}
}

// raise starts the router and has its submit links come up, as in a script.
func (w *world) raise() {
	w.apply(w.r.Start(w.now, nil))
	w.calm = true
	for _, at := range w.order {
		w.connect(at)
		w.deliver(at, at.up) // OPTION_REQ
		w.deliver(at, at.down)
		for _, other := range w.order { // the one that is to answer for it
			for len(other.up.units)+len(other.down.units) > 0 {
				w.deliver(other, map[bool]*queue{true: other.up, false: other.down}[len(other.up.units) > 0])
			}
		}
	}
	w.calm = false
	w.openSpool()
}
