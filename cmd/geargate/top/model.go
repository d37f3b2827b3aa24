package top

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A model is everything that the picture depends on. Its methods change
// nothing outside, and return the next model.
type model struct {
	width, height int
	reading       reading
	trouble       string // why the last question was not answered; empty where it was
	waiting       string // for how long an answer has been waited for; empty where not for long
	paused        bool
	help          bool

	list  int // the one that is looked at
	views [listCount]view

	typing bool   // keys go into the list's filter
	asking *drain // that waits for a yes
	note   string // what came of the last command
}

// A view is how one list is looked at.
type view struct {
	sorted   int  // by which column, counted from 1; 0 is as geargate tells them
	reversed bool // the other way round
	filter   string
	selected string // key of the row; empty for the first, whichever it is
	at       int    // where that was, for when it is gone
}

// A drain is a command: to drain a backend, or to undrain it.
type drain struct {
	backend string
	drained bool
}

// An order is what is to be done outside the model.
type order struct {
	quit    bool
	suspend bool
	read    bool   // ask for the state now
	drain   *drain // give this command
}

// keyHelp is every key.
const keyHelp = `Tab, Shift-Tab, 1 to 5   another list
Up, Down, k, j           select another row; Home, End, Page Up, Page Down
s                        sort by the next column; S by the one before
r                        sort the other way round
/                        show rows with a text only; Enter keeps it, Esc ends it
d, u                     drain, undrain the selected backend; asks first
p                        pause, and go on
Space                    ask now
?                        this, and away with it
q, Ctrl-C                quit

IN/S     jobs submitted per second    DONE/S  jobs that workers here ended
WAIT50   half of the foreground jobs waited no longer for a worker
WAIT99   99 % of them waited no longer; both since the start
QUEUED   jobs that wait at backends   RUNNING  jobs given out by these`

// press is a key: its name, and the text that it types.
func (m model) press(name, text string) (model, order) {
	m.note = ""
	switch {
	case name == "ctrl+c":
		return m, order{quit: true}
	case name == "ctrl+z":
		return m, order{suspend: true}
	case m.asking != nil:
		return m.confirm(name)
	case m.typing:
		return m.write(name, text), order{}
	}
	return m.command(name)
}

// confirm answers a question: yes, or anything else.
func (m model) confirm(name string) (model, order) {
	asked := m.asking
	m.asking = nil
	if name == "y" || name == "Y" {
		return m, order{drain: asked}
	}
	m.note = "nothing was done"
	return m, order{}
}

// write puts a key into the filter.
func (m model) write(name, text string) model {
	v := &m.views[m.list]
	switch {
	case name == "enter":
		m.typing = false
	case name == "esc":
		m.typing, v.filter = false, ""
	case name == "backspace":
		_, size := utf8.DecodeLastRuneInString(v.filter)
		v.filter = v.filter[:len(v.filter)-size]
	default:
		v.filter += text
	}
	return m
}

func (m model) command(name string) (model, order) {
	v := &m.views[m.list]
	switch name {
	case "q":
		return m, order{quit: true}
	case "?", "h":
		m.help = !m.help
	case "esc":
		m.help, v.filter = false, ""
	case "p":
		m.paused = !m.paused
		return m, order{read: !m.paused}
	case "space":
		return m, order{read: true}
	case "tab", "right":
		m.list = (m.list + 1) % listCount
	case "shift+tab", "left":
		m.list = (m.list + listCount - 1) % listCount
	case "1", "2", "3", "4", "5":
		m.list = int(name[0] - '1')
	case "s", "S":
		columns := len(lists[m.list].columns) + 1
		step := map[string]int{"s": 1, "S": columns - 1}[name]
		v.sorted, v.reversed = (v.sorted+step)%columns, false
	case "r":
		v.reversed = !v.reversed
	case "/":
		m.typing, m.help = true, false
	case "d", "u":
		return m.ask(name == "d"), order{}
	default:
		return m.move(name), order{}
	}
	return m, order{}
}

// ask has the user confirm a drain of the selected backend.
func (m model) ask(drained bool) model {
	rows := m.rows()
	switch at := m.at(rows); {
	case m.list != backendList:
		m.note = "d and u are for the list of backends"
	case at >= 0:
		m.asking = &drain{rows[at].key, drained}
	}
	return m
}

// move selects another row.
func (m model) move(name string) model {
	rows := m.rows()
	page := max(1, m.page())
	step, known := map[string]int{
		"up": -1, "k": -1, "down": 1, "j": 1, "pgup": -page, "pgdown": page, "home": -len(rows), "end": len(rows),
	}[name]
	if !known || len(rows) == 0 {
		return m
	}
	v := &m.views[m.list]
	v.at = min(max(0, m.at(rows)+step), len(rows)-1)
	if v.selected = rows[v.at].key; v.at == 0 {
		v.selected = "" // stay at the top, whatever comes there
	}
	return m
}

// at returns the place of the selected row, or -1 where there are none.
func (m model) at(rows []row) int {
	v := &m.views[m.list]
	if v.selected == "" {
		return min(0, len(rows)-1)
	}
	if at := slices.IndexFunc(rows, func(r row) bool { return r.key == v.selected }); at >= 0 {
		return at
	}
	return min(v.at, len(rows)-1)
}

// rows returns those of the list that are to be seen, in the order in which
// they are.
func (m model) rows() []row {
	l, v := &lists[m.list], &m.views[m.list]
	rows := slices.DeleteFunc(l.rows(&m.reading), func(r row) bool { return !r.has(v.filter) })
	if v.sorted > 0 {
		place := v.sorted - 1
		slices.SortStableFunc(rows, func(a, b row) int {
			if l.columns[place].number {
				return cmp.Compare(b.cells[place].by, a.cells[place].by)
			}
			return strings.Compare(a.cells[place].text, b.cells[place].text)
		})
	}
	if v.reversed {
		slices.Reverse(rows)
	}
	return rows
}

// has reports whether a text is in any cell, in capitals or not.
func (r *row) has(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(r.cells, func(c cell) bool { return strings.Contains(strings.ToLower(c.text), text) })
}

// resized is another size of the terminal.
func (m model) resized(width, height int) model {
	m.width, m.height = width, height
	return m
}

// answered is the state, just told.
func (m model) answered(r reading) model {
	m.reading, m.trouble, m.waiting = r, "", ""
	return m
}

// failed is a question without an answer. What is known stays.
func (m model) failed(err error) model {
	m.trouble, m.waiting = err.Error(), ""
	return m
}

// done is what came of a command.
func (m model) done(d drain, err error) model {
	switch {
	case err != nil:
		m.note = "nothing was done: " + err.Error()
	case d.drained:
		m.note = d.backend + " gets no new jobs"
	default:
		m.note = d.backend + " gets new jobs"
	}
	return m
}
