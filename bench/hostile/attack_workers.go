package hostile

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/geargate/geargate/bench/wire"
	"github.com/geargate/geargate/protocol"
)

const (
	stormSize = 5000
	nameSize  = 12
	dozePause = 300 * time.Millisecond // after PRE_SLEEP, in which a group comes to be
)

// requests appends a packet of a type for each of some functions.
func requests(dst []byte, t protocol.Type, functions []string) []byte {
	for _, name := range functions {
		dst = wire.AppendRequest(dst, t, name)
	}
	return dst
}

// storm writes data, and waits until that is done.
func (f *field) storm(conn *wire.Conn, data []byte, what string, each int) error {
	f.count(what, each)
	if err := conn.Send(data); err != nil {
		return err
	}
	return await(conn)
}

// registerAsleep has a worker sleep and register count functions in one write.
func registerAsleep(count, size int) func(*field) (func(), error) {
	return func(f *field) (func(), error) {
		all := names(count, size)
		doze := wire.AppendRequest(requests(nil, protocol.CanDo, all[:1]), protocol.PreSleep)
		burst := requests(nil, protocol.CanDo, all)
		return func() {
			f.repeat(1, func(conn *wire.Conn) error {
				if err := conn.Send(doze); err != nil {
					return err
				}
				time.Sleep(min(dozePause, f.left()))
				return f.storm(conn, burst, "CAN_DOs", count)
			})
		}, nil
	}
}

// registerMuch has workers register count functions of their own each, and stay.
func registerMuch(workers, count, size int) func(*field) (func(), error) {
	const each = 100 // in one write, or the attacker would hold it all as well
	return func(f *field) (func(), error) {
		var number atomic.Int64
		return func() {
			f.repeat(workers, func(conn *wire.Conn) error {
				first := int(number.Add(1)) * count
				for i := 0; i < count; i += each {
					if err := conn.Send(requests(nil, protocol.CanDo, namesFrom(first+i, min(each, count-i), size))); err != nil {
						return err
					}
					f.count("CAN_DOs", min(each, count-i))
				}
				if err := await(conn); err != nil {
					return err
				}
				_, err := conn.Receive() // its end
				return err
			})
		}, nil
	}
}

func registerAwake(f *field) (func(), error) {
	burst := requests(nil, protocol.CanDo, names(stormSize, nameSize))
	return func() {
		f.repeat(1, func(conn *wire.Conn) error {
			return f.again(func() error { return f.storm(conn, burst, "CAN_DOs", stormSize) })
		})
	}, nil
}

// takeBackAsleep has a worker sleep, register functions and take them back.
func takeBackAsleep(f *field) (func(), error) {
	return f.takeBack(func(conn *wire.Conn) error {
		err := conn.Send(wire.AppendRequest(wire.AppendRequest(nil, protocol.CanDo, "asleep"), protocol.PreSleep))
		time.Sleep(min(dozePause, f.left()))
		return err
	})
}

// takeBackBusy does the same while the worker has a job.
func takeBackBusy(f *field) (func(), error) {
	return f.takeBack(func(conn *wire.Conn) error {
		out := wire.AppendRequest(nil, protocol.SubmitJobBg, "busy", "", "x")
		out = wire.AppendRequest(out, protocol.CanDo, "busy")
		if err := conn.Send(out); err != nil {
			return err
		}
		if err := awaitType(conn, protocol.JobCreated, 1); err != nil {
			return err
		}
		for {
			if err := conn.Send(wire.AppendRequest(nil, protocol.GrabJob)); err != nil {
				return err
			}
			p, err := conn.Receive()
			if err != nil || p.Type == protocol.JobAssign {
				return err
			}
			time.Sleep(time.Millisecond)
		}
	})
}

func (f *field) takeBack(begin func(conn *wire.Conn) error) (func(), error) {
	functions := names(stormSize, nameSize)
	give, take := requests(nil, protocol.CanDo, functions), requests(nil, protocol.CantDo, functions)
	return func() {
		f.repeat(1, func(conn *wire.Conn) error {
			if err := begin(conn); err != nil {
				return err
			}
			return f.again(func() error {
				if err := f.storm(conn, give, "CAN_DOs", stormSize); err != nil {
					return err
				}
				return f.storm(conn, take, "CANT_DOs", stormSize)
			})
		})
	}, nil
}

// registerAndGrab asks for a job after each function, until it has 1,000 of
// them, and begins anew.
func registerAndGrab(f *field) (func(), error) {
	const functions = 1000
	var data []byte
	for _, name := range names(functions, nameSize) {
		data = wire.AppendRequest(wire.AppendRequest(data, protocol.CanDo, name), protocol.GrabJob)
	}
	data = wire.AppendRequest(data, protocol.ResetAbilities)
	return func() {
		f.repeat(1, func(conn *wire.Conn) error { return f.flood(conn, data, "CAN_DOs with a GRAB_JOB", functions) })
	}, nil
}

func resetAbilities(f *field) (func(), error) {
	data := wire.AppendRequest(nil, protocol.ResetAbilities)
	data = wire.AppendRequest(requests(data, protocol.CanDo, names(100, nameSize)), protocol.PreSleep)
	return func() {
		f.repeat(1, func(conn *wire.Conn) error {
			return f.again(func() error { return f.storm(conn, data, "rounds", 1) })
		})
	}, nil
}

// comeAndGo has workers come, register functions, sleep, and go, again and
// again: each functions of its own, or all the same in an order of its own.
func comeAndGo(workers, functions int, own bool) func(*field) (func(), error) {
	return func(f *field) (func(), error) {
		all := names(workers*functions, nameSize)
		greeting := func(number int) []byte {
			mine := all[number*functions:][:functions]
			if !own {
				mine = slices.Clone(all[:functions])
				random := rand.New(rand.NewPCG(uint64(number), 0))
				random.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
			}
			return wire.AppendRequest(requests(nil, protocol.CanDo, mine), protocol.PreSleep)
		}
		return func() {
			for f.goesOn() {
				conns, err := f.dialAll(workers, greeting)
				for _, conn := range conns {
					if conn != nil && err == nil {
						err = await(conn)
					}
				}
				if err == nil {
					f.count("workers", workers)
				}
				for _, conn := range conns {
					if conn != nil {
						conn.Cut(false)
					}
				}
			}
		}, nil
	}
}
