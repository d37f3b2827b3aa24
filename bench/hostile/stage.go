package hostile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/geargate/geargate/bench/farm"
)

// Programs are what is run.
type Programs struct {
	Geargate string // that is attacked
	Own      string // the bench, which plays the other parts
}

// A stage is Geargate and everybody around it.
type stage struct {
	files    string
	backends []*farm.Server
	gate     *farm.Server
	control  *part
	probe    *part
	attacker *part
}

// settings are those of Geargate that are not its defaults.
const settings = `limits: {frame: 16MiB, max_pending: 64MiB, memory: %dMiB}
admin: {socket: %q}
backends:
`

// open starts everybody; the caller closes the stage, also after an error.
func open(ctx context.Context, a *Attack, programs Programs) (s *stage, err error) {
	s = &stage{}
	if s.files, err = os.MkdirTemp("", "hostile-"); err != nil {
		return s, err
	}
	config := fmt.Sprintf(settings, a.memory()>>20, filepath.Join(s.files, socketName))
	for i := range a.Backends {
		address, err := farm.FreeAddress()
		if err != nil {
			return s, err
		}
		backend, err := farm.Gearmand(ctx, address)
		if err != nil {
			return s, err
		}
		s.backends = append(s.backends, backend)
		config += fmt.Sprintf("  - {name: jobs-%d, address: %q}\n", i+1, address)
	}
	if s.gate, err = farm.Geargate(ctx, programs.Geargate, s.files, config); err != nil {
		return s, err
	}
	return s, s.startParts(ctx, a, programs.Own)
}

// startParts starts the other processes. The attacker has got ready when it
// returns.
func (s *stage) startParts(ctx context.Context, a *Attack, own string) (err error) {
	if s.control, err = startPart(own, 0, partControl); err != nil {
		return err
	}
	control, err := s.control.line(ctx, partTimeout)
	if err != nil {
		return err
	}
	if s.probe, err = startPart(own, probeNice, partProbe, s.gate.Address(), control); err != nil {
		return err
	}
	if err := s.probe.hear(ctx, partTimeout, new(Latencies)); err != nil {
		return err
	}
	if s.attacker, err = startPart(own, attackNice, partAttack, a.Name, s.gate.Address(), s.files); err != nil {
		return err
	}
	return s.attacker.hear(ctx, partTimeout, new(Deeds))
}

// close ends everybody, the attacker first.
func (s *stage) close() {
	for _, p := range []*part{s.attacker, s.probe, s.control} {
		p.end()
	}
	if s.gate != nil {
		s.gate.Stop()
	}
	for _, b := range s.backends {
		b.Stop()
	}
	if s.files != "" {
		os.RemoveAll(s.files)
	}
}

// alive says whether Geargate has ended by itself.
func (s *stage) alive() bool {
	select {
	case <-s.gate.Ended():
		return false
	default:
		return true
	}
}
