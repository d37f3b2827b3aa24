package router

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/geargate/geargate/protocol"
)

// show writes an action as a script has it.
func (p *player) show(a *Action) string {
	linkName := func() string {
		if l := p.r.links[a.Link]; l != nil {
			return fmt.Sprintf("%s#%d", l.backend.name, a.Link)
		}
		return fmt.Sprintf("#%d", a.Link)
	}
	switch a.Kind {
	case Send:
		return fmt.Sprintf("s%d< %s", a.Session, showDraft(&a.Draft))
	case SendText:
		return fmt.Sprintf("s%d< %s", a.Session, showText(a.Text))
	case CloseSession:
		return fmt.Sprintf("s%d closed: %s", a.Session, a.Reason)
	case AwaitWritable:
		return fmt.Sprintf("s%d is to be written", a.Session)
	case PauseSession:
		return fmt.Sprintf("s%d pauses", a.Session)
	case ResumeSession:
		return fmt.Sprintf("s%d goes on", a.Session)
	case SendLink:
		return fmt.Sprintf("%s> %s", linkName(), showDraft(&a.Draft))
	case SendLinkText:
		return fmt.Sprintf("%s> %q", linkName(), a.Text)
	case Dial:
		return fmt.Sprintf("dial %s lane %d", linkName(), a.Lane)
	case CloseLink:
		return fmt.Sprintf("%s closed", linkName())
	case Surveyed:
		return fmt.Sprintf("surveyed %d", a.Survey)
	case Retain:
		return fmt.Sprintf("retain %d bytes", len(a.Text))
	case Release:
		return fmt.Sprintf("release %d bytes", len(a.Text))
	}
	return fmt.Sprintf("note %s: %s", a.Event, a.Reason)
}

// showText shows held replies as the packets they are, and admin text quoted.
func showText(text []byte) string {
	var parts []string
	for len(text) > 0 {
		if text[0] != 0 {
			return strings.Join(append(parts, strconv.Quote(string(text))), " + ")
		}
		frame, err := protocol.Split(text, 1<<20)
		if err != nil || frame == nil {
			return fmt.Sprintf("%q", text)
		}
		parts = append(parts, showFrame(frame))
		text = text[len(frame):]
	}
	return strings.Join(parts, " + ")
}

func showDraft(d *protocol.Draft) string { return showFrame(d.AppendTo(nil)) }

func showFrame(frame []byte) string {
	var p protocol.Packet
	if err := p.Parse(frame); err != nil {
		return err.Error()
	}
	text := p.Type.String()
	for i := range p.Args() {
		text += " " + showWord(string(p.Arg(i)))
	}
	return text
}

func showWord(word string) string {
	if q := strconv.Quote(word); word == "" || strings.ContainsRune(word, ' ') || len(q) != len(word)+2 {
		return q
	}
	return word
}

// report writes what is known of each backend as a script has it.
func (p *player) report() []string {
	var all []string
	for _, b := range p.r.Report().Backends {
		text := fmt.Sprintf("%s up=%t drained=%t leaving=%t foreground=%d held=%d", b.Name, b.Up, b.Drained, b.Leaving, b.Foreground, b.Held)
		if !b.Counted.IsZero() {
			text += fmt.Sprintf(" queued=%d running=%d strays=%d", b.Queued, b.Running, b.Strays)
		}
		if b.Empty {
			text += " empty"
		}
		if !b.GivenUp.IsZero() {
			text += " given up in " + b.GivenUp.Sub(p.now).String()
		}
		all = append(all, text)
	}
	return all
}
