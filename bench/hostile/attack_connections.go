package hostile

import (
	"time"

	"github.com/geargate/geargate/bench/wire"
	"github.com/geargate/geargate/protocol"
)

// connect opens 1,000 connections a second, and closes them.
func connect(f *field) (func(), error) {
	const every = time.Millisecond
	return func() {
		begin := time.Now()
		for number := 0; f.goesOn(); number++ {
			time.Sleep(time.Until(begin.Add(time.Duration(number) * every)))
			if conn, err := wire.DialFrom(number, f.address); err == nil {
				conn.Cut(number%2 == 0)
				f.count("connects", 1)
			}
		}
	}, nil
}

// connectUnbounded opens and resets connections as fast as it goes.
func connectUnbounded(f *field) (func(), error) {
	return func() {
		f.repeat(4, func(*wire.Conn) error {
			f.count("connects and resets", 1)
			return nil
		})
	}, nil
}

// vanish has workers end all at once, in order: what a reset costs is less.
func vanish(f *field) (func(), error) {
	const workers = 5000
	greeting := wire.AppendRequest(wire.AppendRequest(nil, protocol.CanDo, "vanish"), protocol.PreSleep)
	conns, err := f.dialAll(workers, func(int) []byte { return greeting })
	if err != nil {
		return nil, err
	}
	return func() {
		for _, conn := range conns {
			conn.Cut(false)
		}
		f.count("workers", workers)
	}, f.share(workers, func(number int) error { return await(conns[number]) })
}

// sendBytes has 5,000 clients send one byte each in turn, of an ECHO_REQ.
func sendBytes(f *field) (func(), error) {
	const clients = 5000
	packet := wire.AppendRequest(nil, protocol.EchoReq, "one byte at a time")
	conns, err := f.dialAll(clients, func(int) []byte { return nil })
	if err != nil {
		return nil, err
	}
	return func() {
		for i := 0; f.goesOn(); i = (i + 1) % len(packet) {
			err := f.share(clients, func(number int) error { return conns[number].Send(packet[i:][:1]) })
			if err != nil {
				f.count("times cut off", 1)
				return
			}
			f.count("bytes", clients)
		}
	}, nil
}

// sendData has a worker answer the job of a client that reads nothing with 96
// MiB of data, in small and large pieces, and both come anew.
func sendData(f *field) (func(), error) {
	const total = 96 << 20
	sizes := []int{500, 100_000}
	return func() {
		round := 0
		f.repeat(1, func(client *wire.Conn) error {
			worker, err := f.dial()
			if err != nil {
				return err
			}
			defer f.drop(worker)
			handle, err := f.takeJob(client, worker)
			if err != nil {
				return err
			}
			data := make([]byte, sizes[round%len(sizes)])
			round++
			var burst []byte
			pieces := max(1, 200_000/len(data))
			for range pieces {
				burst = wire.AppendRequest(burst, protocol.WorkData, handle, string(data))
			}
			for sent := 0; sent < total && f.goesOn(); sent += len(burst) {
				if err := worker.Send(burst); err != nil {
					return err
				}
				f.count("WORK_DATAs", pieces)
			}
			return nil
		})
	}, nil
}

// takeJob has a client submit a job, and a worker take it.
func (f *field) takeJob(client, worker *wire.Conn) (handle string, err error) {
	if err := client.Send(wire.AppendRequest(nil, protocol.SubmitJob, "data", "", "x")); err != nil {
		return "", err
	}
	if err := worker.Send(wire.AppendRequest(nil, protocol.CanDo, "data")); err != nil {
		return "", err
	}
	for {
		if err := worker.Send(wire.AppendRequest(nil, protocol.GrabJob)); err != nil {
			return "", err
		}
		p, err := worker.Receive()
		if err != nil {
			return "", err
		}
		if p.Type == protocol.JobAssign {
			return string(p.Arg(0)), nil
		}
		time.Sleep(time.Millisecond)
	}
}
