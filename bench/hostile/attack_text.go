package hostile

import (
	"bufio"
	"bytes"

	"github.com/geargate/geargate/bench/wire"
	"github.com/geargate/geargate/protocol"
)

const (
	crowd          = 200 // workers
	crowdFunctions = 500 // of each
	pipelined      = 200 // questions in one write
)

// manyFunctions has 200 workers sleep on 500 functions of their own each.
func manyFunctions(f *field) error {
	all := names(crowd*crowdFunctions, nameSize)
	return f.gather(func(number int) []string { return all[number*crowdFunctions:][:crowdFunctions] })
}

// sameFunctions has 200 workers sleep on the same 500 functions.
func sameFunctions(f *field) error {
	all := names(crowdFunctions, nameSize)
	return f.gather(func(int) []string { return all })
}

func (f *field) gather(functions func(number int) []string) error {
	conns, err := f.dialAll(crowd, func(number int) []byte {
		return wire.AppendRequest(requests(nil, protocol.CanDo, functions(number)), protocol.PreSleep)
	})
	if err != nil {
		return err
	}
	return f.share(crowd, func(number int) error { return await(conns[number]) })
}

// askInLoop asks for an admin table and reads it, in a loop.
func askInLoop(line string) func(*field) (func(), error) {
	return func(f *field) (func(), error) {
		question := []byte(line + "\n")
		return func() {
			f.repeat(1, func(conn *wire.Conn) error {
				answers := bufio.NewReaderSize(conn, 64<<10)
				return f.again(func() error {
					if err := conn.Send(question); err != nil {
						return err
					}
					if err := readTable(answers); err != nil {
						return err
					}
					f.count("tables", 1)
					return nil
				})
			})
		}, nil
	}
}

// readTable reads lines to the one that is a dot.
func readTable(from *bufio.Reader) error {
	for {
		line, err := from.ReadSlice('\n')
		if err != nil {
			return err
		}
		if string(line) == ".\n" {
			return nil
		}
	}
}

// askPipelined writes an admin line 200 times at once, again and again.
func askPipelined(line string) func(*field) (func(), error) {
	return func(f *field) (func(), error) {
		questions := bytes.Repeat([]byte(line+"\n"), pipelined)
		return func() {
			f.repeat(1, func(conn *wire.Conn) error { return f.flood(conn, questions, "questions", pipelined) })
		}, nil
	}
}

// unreadClients ask and read nothing.
const unreadClients = 20

// askUnread has clients write an admin line again and again, and read nothing.
func askUnread(line string) func(*field) (func(), error) {
	return func(f *field) (func(), error) {
		return func() { f.pour(bytes.Repeat([]byte(line+"\n"), pipelined)) }, nil
	}
}

// askStatusUnread does the same with GET_STATUS of a job that is queued.
func askStatusUnread(f *field) (func(), error) {
	handle, err := f.queueOne()
	questions := bytes.Repeat(wire.AppendRequest(nil, protocol.GetStatus, handle), pipelined)
	return func() { f.pour(questions) }, err
}

// pour has clients write questions and read nothing.
func (f *field) pour(questions []byte) {
	f.repeat(unreadClients, func(conn *wire.Conn) error {
		return f.again(func() error {
			f.count("questions", pipelined)
			return conn.Send(questions)
		})
	})
}

// askByHandle floods with GET_STATUS of a job that is queued.
func askByHandle(f *field) (func(), error) {
	handle, err := f.queueOne()
	return f.askStatus(protocol.GetStatus, handle), err
}

// askByUnique floods with GET_STATUS_UNIQUE of a job that is queued.
func askByUnique(f *field) (func(), error) {
	_, err := f.queueOne()
	return f.askStatus(protocol.GetStatusUnique, queuedUnique), err
}

func (f *field) askStatus(t protocol.Type, of string) func() {
	const clients = 4
	questions := bytes.Repeat(wire.AppendRequest(nil, t, of), pipelined)
	return func() {
		f.repeat(clients, func(conn *wire.Conn) error { return f.flood(conn, questions, "questions", pipelined) })
	}
}
