package top

import (
	"io"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/geargate/geargate/proxy"
)

// A Source is the geargate that is shown. Its methods may take a while, but
// not for ever, and may be called at the same time.
type Source interface {
	Status() (proxy.Status, error)
	// SetDrained keeps new jobs away from a backend, or lets them come again.
	SetDrained(backend string, drained bool) error
}

// Run shows source on the terminal that out is, asking it every interval,
// until the user quits. It returns an error where the first answer does not
// come or the terminal is lost.
func Run(source Source, interval time.Duration, out io.Writer) error {
	first, err := source.Status()
	if err != nil {
		return err
	}
	p := &program{source: source, interval: interval, last: first}
	p.model = p.model.answered(compare(&proxy.Status{}, &first))
	options := []tea.ProgramOption{tea.WithOutput(out)}
	if os.Getenv("NO_COLOR") != "" {
		options = append(options, tea.WithColorProfile(colorprofile.Ascii))
	}
	_, err = tea.NewProgram(p, options...).Run()
	return err
}

// A program is the model with what it needs to be fed. All of it belongs to
// bubbletea's goroutine.
type program struct {
	model    model
	source   Source
	interval time.Duration
	last     proxy.Status // the latest
	asked    time.Time    // when the question under way was asked; zero where none is
}

// What goroutines send to the program.
type (
	ticked   time.Time
	answered struct {
		status proxy.Status
		err    error
	}
	done struct {
		drain drain
		err   error
	}
)

func (p *program) tick() tea.Cmd {
	return tea.Tick(p.interval, func(now time.Time) tea.Msg { return ticked(now) })
}

// Init starts the clock.
func (p *program) Init() tea.Cmd { return p.tick() }

// View draws the model.
func (p *program) View() tea.View {
	v := tea.NewView(p.model.draw())
	v.AltScreen = true
	v.WindowTitle = "geargate top"
	return v
}

// Update gives the model what has come.
func (p *program) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	switch message := message.(type) {
	case tea.WindowSizeMsg:
		p.model = p.model.resized(message.Width, message.Height)
	case tea.KeyPressMsg:
		next, order := p.model.press(message.String(), message.Text)
		p.model = next
		return p, p.obey(order)
	case ticked:
		return p, tea.Batch(p.tick(), p.beat(time.Time(message)))
	case answered:
		p.answer(&message)
	case done:
		p.model = p.model.done(message.drain, message.err)
		return p, p.read()
	}
	return p, nil
}

// beat asks again, unless an answer is still to come.
func (p *program) beat(now time.Time) tea.Cmd {
	if p.asked.IsZero() {
		if p.model.paused {
			return nil
		}
		return p.read()
	}
	if late := now.Sub(p.asked); late >= 2*p.interval {
		p.model.waiting = span(late)
	}
	return nil
}

// read asks for the state, unless that has been asked already.
func (p *program) read() tea.Cmd {
	if !p.asked.IsZero() {
		return nil
	}
	p.asked = time.Now()
	return func() tea.Msg {
		status, err := p.source.Status()
		return answered{status, err}
	}
}

func (p *program) answer(a *answered) {
	p.asked = time.Time{}
	if a.err != nil {
		p.model = p.model.failed(a.err)
		return
	}
	p.model = p.model.answered(compare(&p.last, &a.status))
	p.last = a.status
}

func (p *program) obey(o order) tea.Cmd {
	switch {
	case o.quit:
		return tea.Quit
	case o.suspend:
		return tea.Suspend
	case o.read:
		return p.read()
	case o.drain != nil:
		wanted := *o.drain
		return func() tea.Msg { return done{wanted, p.source.SetDrained(wanted.backend, wanted.drained)} }
	}
	return nil
}
