package proxy

import (
	"context"
	"errors"
	"time"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/router"
)

// follow asks after a few jobs that have been forwarded, each in its turn, and
// forgets those that have ended, how many it returns: their handles are unknown
// without that too.
func (f *forwarder) follow(ctx context.Context, p *Proxy, most int) (ended int, err error) {
	asked := f.trail.next(most)
	if len(asked) == 0 {
		return 0, nil
	}
	if err := f.connect(ctx, p); err != nil {
		f.trail.putBack(asked)
		return 0, err
	}
	var frames []byte
	for _, number := range asked {
		frames = protocol.AppendFrame(frames, protocol.Request, protocol.GetStatus, f.trail.handle(number))
	}
	if _, err := f.client.Write(frames); err != nil {
		f.trail.putBack(asked)
		return 0, f.disconnect(err)
	}
	var gone []uint32
	for i, number := range asked {
		reply, err := f.client.reply()
		if err != nil {
			f.trail.putBack(asked[i:])
			return len(gone), errors.Join(f.forget(gone), f.disconnect(err))
		}
		if reply.Type == protocol.StatusRes && string(reply.Arg(1)) == "0" {
			gone = append(gone, number)
		} else { // it is there, or nobody can say
			f.trail.putBack(asked[i : i+1])
		}
	}
	return len(gone), f.forget(gone)
}

// forget ends to lead on the handles of jobs that have ended.
func (f *forwarder) forget(numbers []uint32) error {
	err := f.trail.forget(numbers)
	f.core.mu.Lock()
	defer f.core.mu.Unlock()
	now := time.Now()
	for _, number := range numbers {
		f.core.step(now, router.Event{Kind: router.Forwarded, From: f.trail.handle(number)})
	}
	f.followed.Store(int64(len(f.trail.open)))
	f.core.settle(now)
	return err
}
