package top

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/geargate/geargate/proxy"
)

// The lists, in the order of their keys 1 to 5.
const (
	backendList = iota
	functionList
	workerList
	clientList
	eventList
	listCount
)

// A list is one of the tables that can be looked at.
type list struct {
	name    string
	columns []column
	rows    func(*reading) []row // in the order in which geargate tells them
	size    func(*reading) (told, all int)
}

// A column is one of a list.
type column struct {
	title  string
	number bool // to the right, and the greatest first where it is sorted by
	spare  int  // where it is too narrow, the columns with the greatest go first; with 0 it stays
}

// A row is a thing of a list. No two rows of one list have the same key.
type row struct {
	key   string
	cells []cell
}

var lists = [listCount]list{
	backendList: {
		name: "Backends",
		columns: []column{{title: "BACKEND"}, {title: "STATE"}, number("LINKS", 3), number("QUEUED", 0), number("RUNNING", 0),
			number("IN/S", 0), number("DONE/S", 2), {title: "ADDRESS", spare: 4}, {title: "REMARKS", spare: 1}},
		rows: backendRows,
		size: func(r *reading) (int, int) { return len(r.Backends), len(r.Backends) },
	},
	functionList: {
		name: "Functions",
		columns: []column{{title: "FUNCTION"}, number("QUEUED", 0), number("READY", 5), number("RUNNING", 0), number("WORKERS", 1),
			number("WAIT50", 3), number("WAIT99", 2), number("IN/S", 0), number("DONE/S", 4), number("FAILED", 6)},
		rows: functionRows,
		size: func(r *reading) (int, int) { return len(r.Functions), len(r.Functions) },
	},
	workerList: {
		name: "Workers",
		columns: []column{{title: "WORKER"}, {title: "ID", spare: 2}, {title: "STATE"}, number("FOR", 0), {title: "FUNCTION"},
			number("JOBS", 5), {title: "BACKEND", spare: 3}, {title: "HANDLE", spare: 4}},
		rows: workerRows,
		size: func(r *reading) (int, int) { return len(r.Workers.Listed), r.Workers.Total },
	},
	clientList: {
		name: "Clients",
		columns: []column{{title: "CLIENT"}, {title: "ID", spare: 2}, {title: "STATE"}, number("FOR", 0), number("JOBS", 0),
			{title: "FUNCTION"}, {title: "HANDLE", spare: 3}},
		rows: clientRows,
		size: func(r *reading) (int, int) { return len(r.Clients.Listed), r.Clients.Total },
	},
	eventList: {
		name: "Events",
		columns: []column{{title: "TIME"}, {title: "EVENT"}, {title: "BACKEND", spare: 2}, {title: "PEER", spare: 3},
			{title: "REASON", spare: 1}},
		rows: eventRows,
		size: func(r *reading) (int, int) { return len(r.Events), len(r.Events) },
	},
}

// count tells how many rows there are.
func (l *list) count(r *reading) string {
	told, all := l.size(r)
	if told < all {
		return fmt.Sprint(told, " of ", all)
	}
	return strconv.Itoa(all)
}

func number(title string, spare int) column { return column{title, true, spare} }

func backendRows(r *reading) []row {
	var rows []row
	for i := range r.Backends {
		b := &r.Backends[i]
		queued, running := cell{text: unknown, by: behind}, cell{text: unknown, by: behind}
		if b.Queues != nil {
			queued, running = count(b.Queues.Queued), count(b.Queues.Running)
		}
		address := b.Address
		if address == "" {
			address = "(built in)"
		}
		now, known := r.backends[b.Name]
		rows = append(rows, row{b.Name, []cell{word(b.Name), backendState(b), count(b.Links), queued, running,
			perSecond(now.in, known), perSecond(now.done, known), word(address), word(strings.Join(b.Remarks(), "; "))}})
	}
	return rows
}

func backendState(b *proxy.BackendStatus) cell {
	c := word(b.State)
	switch {
	case b.State == "ejected" || b.State == "probing":
		c.tone = bad
	case b.State == "suspect" || b.Drained || b.Leaving:
		c.tone = doubtful
	default:
		c.tone = good
	}
	if b.Drained {
		c.text += ", drained"
	}
	return c
}

func functionRows(r *reading) []row {
	var rows []row
	for i := range r.Functions {
		f := &r.Functions[i]
		now := r.functions[f.Name]
		rows = append(rows, row{f.Name, []cell{word(f.Name), count(f.Queued), count(f.Ready), count(f.Running),
			count(f.Asleep + f.Active), wait(f.WaitMedian), wait(f.WaitMost),
			perSecond(now.in, r.known), perSecond(now.done, r.known), count(int(f.Failed))}})
	}
	return rows
}

func workerRows(r *reading) []row {
	var rows []row
	for i := range r.Workers.Listed {
		w := &r.Workers.Listed[i]
		function := word(w.Function)
		if w.Jobs == 0 {
			function = word("(" + abilities(w) + ")")
		}
		state := word(w.State)
		if w.Jobs > 0 {
			state.tone = good
		}
		rows = append(rows, row{strconv.FormatUint(w.Session, 10), []cell{word(w.Address), word(w.ID), state, since(r.At, w.Since),
			function, count(w.Jobs), word(w.Backend), word(w.Handle)}})
	}
	return rows
}

// abilities names what a worker can do.
func abilities(w *proxy.WorkerStatus) string {
	all := strings.Join(w.Names, " ")
	if more := w.Functions - len(w.Names); more > 0 {
		all += " and " + strconv.Itoa(more) + " more"
	}
	return all
}

func clientRows(r *reading) []row {
	var rows []row
	for i := range r.Clients.Listed {
		c := &r.Clients.Listed[i]
		state := cell{text: "idle"}
		if c.Jobs > 0 {
			state = cell{text: "waiting", tone: good}
		}
		rows = append(rows, row{strconv.FormatUint(c.Session, 10), []cell{word(c.Address), word(c.ID), state, since(r.At, c.Since),
			count(c.Jobs), word(c.Function), word(c.Handle)}})
	}
	return rows
}

// eventRows has the latest first.
func eventRows(r *reading) []row {
	var rows []row
	for i := len(r.Events) - 1; i >= 0; i-- {
		e := &r.Events[i]
		rows = append(rows, row{e.At.String() + e.Event + e.Backend + e.Peer, []cell{word(e.At.Local().Format("15:04:05")), word(e.Event),
			word(e.Backend), word(e.Peer), word(e.Reason)}})
	}
	return rows
}
