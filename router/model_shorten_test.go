package router

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A move is one thing that happens in a run by chance. All chance in it comes
// from its own number, so that the others stay much the same without it.
type move uint64

// runLength is how many moves a run has before it comes to rest.
const runLength = 600

// movesOf returns the moves of a seed.
func movesOf(seed uint64) []move {
	random := rand.New(rand.NewPCG(seed, 1))
	moves := make([]move, runLength)
	for i := range moves {
		moves[i] = move(random.Uint64())
	}
	return moves
}

// runModel runs moves in the farm of a seed.
func runModel(seed uint64, moves []move) *world {
	w := newWorld(seed)
	w.run(moves)
	return w
}

// shorten leaves out moves that the failure does not need.
func shorten(seed uint64, moves []move, want string) []move {
	return shortest(moves, func(moves []move) bool {
		w := runModel(seed, moves)
		return failure(w.wrong) == want
	})
}

var particulars = regexp.MustCompile(`[0-9]+|"[^"]*"`)

// failure returns what is wrong without its particulars, which change when
// moves are left out.
func failure(wrong string) string {
	first, _, _ := strings.Cut(wrong, "\n")
	return particulars.ReplaceAllString(first, "")
}

// mostTime bounds what shortest spends.
const mostTime = 30 * time.Second

// shortest leaves out stretches of moves, ever shorter ones, as long as those
// left fail.
func shortest(moves []move, fails func([]move) bool) []move {
	until := time.Now().Add(mostTime)
	for size := len(moves) / 2; size > 0; size /= 2 {
		for from := 0; from < len(moves) && time.Now().Before(until); {
			rest := slices.Delete(slices.Clone(moves), from, min(from+size, len(moves)))
			if fails(rest) {
				moves = rest
			} else {
				from += size
			}
		}
	}
	return moves
}
