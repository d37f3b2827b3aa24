package faults

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Promise is one thing that must hold, with what was counted.
type Promise struct {
	Text   string `json:"text"`
	Figure string `json:"figure"`
	Held   bool   `json:"held"`
}

func none(text string, count int) Promise {
	return Promise{Text: text, Figure: fmt.Sprint(count), Held: count == 0}
}

// promises returns what must hold on every stage, after it has ended.
func (s *stage) promises() []Promise {
	foreground, background, forgotten, unheard := s.ledger.lost()
	repeats := s.ledger.repeats()
	c := s.ledger.counts
	all := []Promise{
		none("acknowledged foreground jobs lost", foreground+c.Failed),
		none("results given to the wrong client, or altered", c.Wrong),
		none("results given twice, or packets behind them", c.Doubled),
		none("handles given to two jobs at once", c.Handles),
		none("submissions never answered", unheard),
		none("connections ended by Geargate", c.Closed),
		{Text: "runs of a job beyond its first", Figure: explained(repeats), Held: repeats[unexplained] == 0},
	}
	if s.keeps {
		return append(all, none("acknowledged background jobs lost, with the queue on disk", background))
	}
	return append(all, Promise{
		Text: "acknowledged background jobs lost by a backend that lived", Figure: fmt.Sprintf("%d, and %d went with the memory of one that was killed", background, forgotten),
		Held: background == 0,
	})
}

// explained says how many runs were too many, and why.
func explained(repeats map[string]int) string {
	total := 0
	var causes []string
	for _, cause := range slices.Sorted(maps.Keys(repeats)) {
		total += repeats[cause]
		causes = append(causes, fmt.Sprintf("%d because %s", repeats[cause], cause))
	}
	if total == 0 {
		return "0"
	}
	return fmt.Sprintf("%d: %s", total, strings.Join(causes, ", "))
}
