package hostile

import (
	"fmt"
	"slices"
	"time"
)

// An Attack is something that one peer, or some, may do to all others.
type Attack struct {
	Name     string
	About    string
	Backends int           // gearmand behind Geargate; 0 is the built-in pool
	Echo     time.Duration // how long an echo of others may take; 0 is 50 ms
	Memory   int64         // limits.memory of Geargate, in bytes; 0 is 640 MiB
	// play gets ready, and returns what is done for the time of the attack.
	play func(f *field) (strike func(), err error)
}

// farmSize is how many gearmand are behind Geargate where there are some.
const farmSize = 3

// find returns the attack of a name.
func find(name string) (*Attack, error) {
	i := slices.IndexFunc(Attacks, func(a Attack) bool { return a.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("there is no attack %q", name)
	}
	return &Attacks[i], nil
}

// both returns an attack on Geargate with its built-in pool, and one on Geargate
// before a farm.
func both(name, about string, play func(*field) (func(), error)) []Attack {
	return []Attack{
		{Name: name, About: about, play: play},
		{Name: name + "-farm", About: about, Backends: farmSize, play: play},
	}
}

// builtin returns an attack on Geargate with its built-in pool.
func builtin(name, about string, play func(*field) (func(), error)) []Attack {
	return both(name, about, play)[:1]
}

// Attacks are all there are, in the order in which they run.
var Attacks = slices.Concat(
	both("can-do-asleep", "a worker sleeps, and sends 10,000 CAN_DOs with names of 12 bytes in one write", registerAsleep(10_000, 12)),
	builtin("can-do-long", "a worker sleeps, and sends 10,000 CAN_DOs with names of 4,000 bytes in one write", registerAsleep(10_000, 4000)),
	builtin("can-do-memory", "30 workers send 9,999 CAN_DOs with names of their own of 4,000 bytes each, and stay", registerMuch(30, 9999, 4000)),
	both("can-do-awake", "a worker sends the same 5,000 CAN_DOs again and again", registerAwake),
	both("cant-do-asleep", "a worker sleeps, and sends 5,000 CAN_DOs and 5,000 CANT_DOs in turn", takeBackAsleep),
	both("can-do-busy", "a worker has a job, and sends 5,000 CAN_DOs and 5,000 CANT_DOs in turn", takeBackBusy),
	both("can-do-grab", "a worker sends CAN_DO and GRAB_JOB in turn, pipelined", registerAndGrab),
	both("reset", "a worker registers 100 functions, sleeps and resets them, in a loop", resetAbilities),
	builtin("workers-2000", "2,000 workers come, register a function each, sleep and go, again and again", comeAndGo(2000, 1, true)),
	both("workers-300", "300 workers come, register the same 300 functions each in an order of its own, sleep and go, again and again", comeAndGo(300, 300, false)),
	builtin("connects", "1,000 connects a second, of which every second is reset", connect),
	builtin("connects-unbounded", "connects and resets, as fast as it goes", connectUnbounded),
	both("disconnect", "5,000 workers that sleep on the same function vanish in the same moment", vanish),
	builtin("function-names", "background jobs of 100,000 functions, pipelined", nameFunctions),

	builtin("status", "admin `status` in a loop, with 100,000 functions", among(manyFunctions, askInLoop("status"))),
	builtin("status-pipelined", "200 `status` in each write, with 100,000 functions", among(manyFunctions, askPipelined("status"))),
	builtin("workers", "admin `workers` in a loop, with 200 workers of 500 functions", among(manyFunctions, askInLoop("workers"))),
	builtin("workers-pipelined", "200 `workers` in each write, with 200 workers of 500 functions", among(manyFunctions, askPipelined("workers"))),
	builtin("show-jobs", "admin `show jobs` in a loop, with a job of each of 100,000 functions", among(jobOfEach, askInLoop("show jobs"))),
	builtin("show-jobs-pipelined", "200 `show jobs` in each write, with a job of each of 100,000 functions", among(jobOfEach, askPipelined("show jobs"))),
	builtin("status-million", "admin `status` in a loop, with a million queued jobs of 100 functions", among(million, askInLoop("status"))),
	builtin("status-million-pipelined", "200 `status` in each write, with a million queued jobs of 100 functions", among(million, askPipelined("status"))),
	builtin("workers-million-pipelined", "200 `workers` in each write, with a million queued jobs", among(million, askPipelined("workers"))),
	builtin("show-jobs-million", "admin `show jobs` in a loop, with a million queued jobs", among(million, askInLoop("show jobs"))),
	builtin("show-jobs-million-pipelined", "200 `show jobs` in each write, with a million queued jobs", among(million, askPipelined("show jobs"))),
	builtin("show-jobs-million-unread", "20 clients send `show jobs`, pipelined, and read nothing, with a million queued jobs", among(million, askUnread("show jobs"))),
	farmOnly("status-farm-pipelined", "200 `status` in each write, with 200 workers of the same 500 functions", among(sameFunctions, askPipelined("status"))),
	farmOnly("workers-farm-pipelined", "200 `workers` in each write, with 200 workers of the same 500 functions", among(sameFunctions, askPipelined("workers"))),

	both("get-status", "four clients send GET_STATUS, pipelined", askByHandle),
	both("get-status-unique", "four clients send GET_STATUS_UNIQUE, pipelined", askByUnique),
	both("get-status-unread", "20 clients send GET_STATUS, pipelined, and read nothing", askStatusUnread),
	// What the result counts in limits.memory is 2 GB: the default is needed.
	[]Attack{{
		Name: "listeners", About: "a job with 20,000 listeners ends with a result of 100 kB", Echo: 100 * time.Millisecond, Memory: 4 << 30, play: listen,
	}},
	builtin("work-data", "a worker sends WORK_DATA as fast as it goes to a client that reads nothing", sendData),
	builtin("epoch", "a million epoch jobs fall due in the same second, and ten workers do them", fallDue),
	builtin("time-limits", "the time limits of 10,000 jobs pass at once, with 100 workers", passLimits),
	builtin("one-byte", "5,000 clients send one byte at a time", sendBytes),
	builtin("jobs-million", "`geargate jobs` in a loop, with a million queued jobs", among(million, listJobs)),
	builtin("purge-million", "`geargate purge` of one function after the other, with a million queued jobs", among(million, purgeJobs)),
	builtin("cancel-million", "`geargate cancel` and admin `cancel job`, with a million queued jobs", among(million, cancelJobs)),
	builtin("metrics", "/metrics, the status and the dashboard's document are read in loops, with 5,000 functions", watch),
	both("reload", "the configuration is changed and read anew, in a loop, with 1,000 workers of 10 functions", reload),
)

// farmOnly returns an attack on Geargate before a farm.
func farmOnly(name, about string, play func(*field) (func(), error)) []Attack {
	return []Attack{{Name: name, About: about, Backends: farmSize, play: play}}
}

// among returns an attack that is made when a scene is set.
func among(set func(*field) error, play func(*field) (func(), error)) func(*field) (func(), error) {
	return func(f *field) (func(), error) {
		if err := set(f); err != nil {
			return nil, err
		}
		return play(f)
	}
}
