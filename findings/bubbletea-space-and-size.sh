#!/bin/bash
# Software: charm.land/bubbletea/v2 v2.1.1 (Go).
#
# A key's String() is the character that it types: "a", "A", "/". One would expect
# " " for the space bar, as in version 1: it is "space", so `case " ":` never
# matches, and compiles. And a program whose output is no terminal is not spared
# WindowSizeMsg: it comes with 0 and 0, and a layout that divides by the width, or
# takes it for at least 1, is in for it in the first test.
#
# Seen, with the input " Aq" and an output that is no terminal:
#   keys: space A q
#   size: 0x0
. "$(dirname "$0")/common.bash"
go_modules charm.land/bubbletea/v2@v2.1.1
cat >main.go <<'G'
package main

import (
	"fmt"
	"io"
	"strings"

	tea "charm.land/bubbletea/v2"
)

type model struct {
	keys []string
	size string
}

func (m model) Init() tea.Cmd { return nil }

func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.size = fmt.Sprintf("%dx%d", msg.Width, msg.Height)
	case tea.KeyPressMsg:
		m.keys = append(m.keys, msg.String())
		if msg.String() == "q" {
			return m, tea.Quit
		}
	}
	return m, nil
}

func (m model) View() tea.View { return tea.NewView("") }

func main() {
	end, err := tea.NewProgram(model{}, tea.WithInput(strings.NewReader(" Aq")), tea.WithOutput(io.Discard)).Run()
	if err != nil {
		panic(err)
	}
	fmt.Println(strings.Join(end.(model).keys, " "))
	fmt.Println(end.(model).size)
}
G
go build -o program .
./program >seen </dev/null
observed keys "space A q" "$(sed -n 1p seen)"
observed size 0x0 "$(sed -n 2p seen)"
