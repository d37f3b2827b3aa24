package e2e

import "github.com/geargate/geargate/protocol"

// An unexpected packet is no end of a connection.
type unexpected struct{ packet }

func (u *unexpected) Error() string { return "received " + u.String() }

// doJobs does jobs of a function, each with the result that do returns, until
// the connection ends or something unexpected comes. It holds a job where its
// result was what could not be sent.
func (w *wire) doJobs(function string, do func(job packet) (result string)) (holds bool, err error) {
	next := frame(protocol.CanDo, function) + frame(protocol.GrabJob)
	for {
		if err := w.write(next); err != nil {
			return holds, err
		}
		p, err := w.read()
		if err != nil {
			return false, err
		}
		holds = p.kind == protocol.JobAssign
		switch p.kind {
		case protocol.Noop:
			next = frame(protocol.GrabJob)
		case protocol.NoJob:
			next = frame(protocol.PreSleep)
		case protocol.JobAssign:
			next = frame(protocol.WorkComplete, p.args[0], do(p)) + frame(protocol.GrabJob)
		default:
			return false, &unexpected{p}
		}
	}
}
