package e2e

import (
	"fmt"
	"strings"

	"github.com/geargate/geargate/protocol"
)

// A trace is a readable record of the packets of a case, in the order in which
// the case sent and received them. A nil trace records nothing.
type trace struct {
	lines []string
}

func (tr *trace) sent(who string, kind protocol.Type, args []string) {
	tr.add(who, "->", kind, args)
}

func (tr *trace) received(who string, p packet) {
	tr.add(who, "<-", p.kind, p.args)
}

func (tr *trace) add(who, way string, kind protocol.Type, args []string) {
	if tr == nil {
		return
	}
	var text strings.Builder
	for _, arg := range args {
		fmt.Fprintf(&text, " %q", arg)
	}
	tr.lines = append(tr.lines, fmt.Sprintf("%2d  %-6s %s %-13v%s", len(tr.lines)+1, who, way, kind, text.String()))
}

func (tr *trace) String() string { return strings.Join(tr.lines, "\n") }
