package load

import (
	"fmt"

	"github.com/geargate/geargate/protocol"
)

// A bystander is connected and says nothing once it knows that somebody is
// there.
type bystander struct{ *loop }

func (l *loop) addIdle(address string) error {
	connection, err := l.connect(address)
	if err != nil {
		return err
	}
	connection.peer = bystander{l}
	connection.out = appendEcho(connection.out)
	l.flush(connection)
	return nil
}

func (b bystander) packet(p *protocol.Packet) error {
	if p.Type != protocol.EchoRes {
		return fmt.Errorf("expected silence for an idle client, got %v", p.Type)
	}
	b.counters.ready.Add(1)
	return nil
}

func (b bystander) ended() {}
