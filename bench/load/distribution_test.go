package load

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestSizesAreDrawnFromTheirForm(t *testing.T) {
	tests := []struct {
		text      string
		low, high int64
		mean      float64
	}{
		{"100", 100, 100, 100},
		{"4KiB", 4096, 4096, 4096},
		{"1.5MiB", 3 << 19, 3 << 19, 3 << 19},
		{"uniform(10, 1KiB)", 10, 1024, 517},
		{"exponential(200B)", 0, 3200, 200},
		{"mix(90% 100, 10% 1100)", 100, 1100, 200},
	}
	for _, test := range tests {
		var sizes Sizes
		if err := sizes.UnmarshalText([]byte(test.text)); err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if text, _ := sizes.MarshalText(); string(text) != test.text {
			t.Errorf("%s: written back as %s", test.text, text)
		}
		random := rand.New(rand.NewPCG(1, 2))
		const draws = 20_000
		sum := 0.0
		for range draws {
			n := sizes.draw(random)
			if n < test.low || n > test.high {
				t.Fatalf("%s: drew %d, expected %d to %d", test.text, n, test.low, test.high)
			}
			sum += float64(n)
		}
		if mean := sum / draws; mean < 0.95*test.mean || mean > 1.05*test.mean {
			t.Errorf("%s: mean of the draws is %.1f, expected about %.1f", test.text, mean, test.mean)
		}
	}
}

func TestBadDistributionsSayWhatIsWrong(t *testing.T) {
	sizes, times, kinds := new(Sizes).UnmarshalText, new(Times).UnmarshalText, new(Kinds).UnmarshalText
	tests := []struct {
		text  string
		parse func([]byte) error
		want  string
	}{
		{"ten", sizes, "no size"},
		{"-1", sizes, "no size"},
		{"2GiB", sizes, "no size"},
		{"5", times, "no duration"},
		{"uniform(1ms)", times, "expected two values"},
		{"uniform(2ms, 1ms)", times, "above the second"},
		{"exponential(1ms, 2ms)", times, "expected one mean"},
		{"normal(1ms)", times, "expected uniform"},
		{"uniform(1ms, 2ms", times, "bracket"},
		{"mix(1ms)", times, "expected a share% and a value"},
		{"mix(0% 1ms)", times, "no share"},
		{"mix(90% 1ms, 20% 2ms)", times, "110%"},
		{"middle", kinds, "expected foreground"},
	}
	for _, test := range tests {
		err := test.parse([]byte(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, expected an error with %q", test.text, err, test.want)
		}
	}
}

func TestCheckRefusesLoadsThatMakeNoSense(t *testing.T) {
	tests := []struct {
		want   string
		change func(*Load)
	}{
		{"clients", func(l *Load) { l.Clients = 0 }},
		{"below one", func(l *Load) { l.Outstanding = 0 }},
		{"functions_per_worker", func(l *Load) { l.FunctionsPerWorker = 2 }},
		{"without a worker", func(l *Load) { l.Functions, l.FunctionsPerWorker = 30, 1 }},
		{"unique", func(l *Load) { l.Unique = "mine" }},
		{"hit_rate", func(l *Load) { l.HitRate = 0.5 }},
		{"jobs or duration", func(l *Load) { l.Duration = 0 }},
		{"needs jobs", func(l *Load) { l.QueueFirst = true }},
		{"background", func(l *Load) { l.QueueFirst, l.Jobs = true, 1 }},
	}
	good := Default()
	if err := good.Check(); err != nil {
		t.Fatalf("the default load is refused: %v", err)
	}
	for _, test := range tests {
		load := Default()
		test.change(&load)
		if err := load.Check(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, expected an error with %q", err, test.want)
		}
	}
}
