package router

import "github.com/cespare/xxhash/v2"

// healthState is what is believed of a backend:
//
//	           connected             it answers
//	Ejected ─────────────► Probing ─────────────► Up ◄───────────┐
//	 ▲  ▲ ▲                   │                   │ no answer    │ it
//	 │  │ └─lost, no answer───┘                   ▼ in time      │ answers
//	 │  │                                      Suspect ──────────┘
//	 │  └──── last link lost (Up, Suspect) ───────┤
//	 └──────── unless too many are silent ────────┘
//
// One whose address has changed, that has left the configuration or that refuses
// GRAB_JOB_ALL (unfit.go) is Ejected, whatever it was.
//
// Only one that is Up or Suspect gets jobs and questions. Suspect is one that
// does not answer while too many others do not either: then it is more likely
// that something is wrong between here and all of them, and none is given up
// for being slow. That a connection was refused or has ended is believed in
// any case.
type healthState uint8

const (
	healthEjected healthState = iota
	healthProbing
	healthUp
	healthSuspect
)

func (s healthState) String() string {
	return [...]string{"ejected", "probing", "up", "suspect"}[s]
}

// health is the state of a backend, and why it is so.
type health struct {
	state  healthState
	reason string // of Suspect and Ejected, and of the latest failure while Probing
	silent bool   // Ejected or Probing: it could be reached, and did not answer
	known  bool   // it was Up before
	probes uint64 // how often it was tried since it was ejected
}

// answers reports whether a backend is there to be asked.
func (h *health) answers() bool { return h.state >= healthUp }

// connected notes that a link has come up.
func (h *health) connected() {
	if h.state == healthEjected {
		h.state = healthProbing
	}
}

// answered notes that the backend has said something.
func (h *health) answered() { *h = health{state: healthUp, known: true} }

// doubt notes that it did not answer and is kept all the same. It reports
// whether that is news.
func (h *health) doubt(reason string) (news bool) {
	news = h.state != healthSuspect
	h.state, h.reason = healthSuspect, reason
	return news
}

// eject notes that the backend is not there, and reports whether that is news.
func (h *health) eject(reason string, silent bool) (news bool) {
	news = h.answers()
	h.state, h.reason, h.silent = healthEjected, reason, silent
	h.probes++
	return news
}

// jitter returns a number from 0 up to 1 for the next probe: the same in every
// run, and another for each backend and probe.
func (h *health) jitter(name xxhash.Digest) float64 {
	name.Write([]byte{byte(h.probes), byte(h.probes >> 8)})
	return float64(name.Sum64()>>11) / (1 << 53)
}

// maySilence reports whether one more backend may be ejected because it does
// not answer, where alive ones are there or silent, and silent ones of them
// are ejected for that.
func maySilence(alive, silent int) bool { return 2*(silent+1) <= alive }
