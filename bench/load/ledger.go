package load

import "math"

// A ledger counts acceptances and runs of background jobs, whose results
// nobody sees. Each loop keeps its own; they are added up at the end. A nil
// ledger counts nothing.
type ledger struct {
	accepted [][]uint8 // by client, then sequence
	runs     [][]uint8
}

// newLedger returns a ledger for clients; shared uniques have one more row.
func newLedger(clients int) *ledger {
	return &ledger{accepted: make([][]uint8, clients+1), runs: make([][]uint8, clients+1)}
}

func (l *ledger) accept(who Identity) {
	if l != nil {
		count(l.accepted, who)
	}
}

func (l *ledger) run(who Identity) {
	if l != nil {
		count(l.runs, who)
	}
}

func count(rows [][]uint8, who Identity) {
	row := &rows[min(int(who.Client), len(rows)-1)]
	if missing := int(who.Sequence) + 1 - len(*row); missing > 0 {
		*row = append(*row, make([]uint8, missing)...)
	}
	if n := &(*row)[who.Sequence]; *n < math.MaxUint8 {
		*n++
	}
}

// add adds the counts of other to l.
func (l *ledger) add(other *ledger) {
	for client := range other.accepted {
		l.accepted[client] = addRow(l.accepted[client], other.accepted[client])
		l.runs[client] = addRow(l.runs[client], other.runs[client])
	}
}

func addRow(row, other []uint8) []uint8 {
	if missing := len(other) - len(row); missing > 0 {
		row = append(row, make([]uint8, missing)...)
	}
	for i, n := range other {
		row[i] = uint8(min(int(row[i])+int(n), math.MaxUint8))
	}
	return row
}

// check returns how many accepted jobs were never run and how many runs were
// one too many. How often a shared unique had to run depends on what was in
// flight when; there only never is counted.
func (l *ledger) check() (lost, doubled int64) {
	for client, row := range l.accepted {
		shared := client == len(l.accepted)-1
		for sequence, accepted := range row {
			runs := 0
			if sequence < len(l.runs[client]) {
				runs = int(l.runs[client][sequence])
			}
			if accepted > 0 && runs == 0 {
				lost++
			}
			if accepted > 0 && runs > 1 && !shared {
				doubled += int64(runs - 1)
			}
		}
	}
	return lost, doubled
}
