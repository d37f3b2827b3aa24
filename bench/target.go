package bench

import (
	"errors"
	"fmt"
)

// A Target is what a figure of one setup should be, by itself or as a ratio
// to a figure of another setup in the same round.
type Target struct {
	Text    string   `yaml:"text" json:"text"`
	Metric  string   `yaml:"metric" json:"metric"`
	Of      string   `yaml:"of" json:"of"`               // setup
	At      string   `yaml:"at" json:"at"`               // step, where there are steps
	ToSetup string   `yaml:"to" json:"to"`               // setup it is divided by; empty is none
	ToAt    string   `yaml:"to_at" json:"to_at"`         // its step
	ToWhat  string   `yaml:"to_metric" json:"to_metric"` // its metric where it is another
	AtLeast *float64 `yaml:"at_least" json:"at_least"`
	AtMost  *float64 `yaml:"at_most" json:"at_most"`
}

func (t *Target) check() error {
	if (t.AtLeast == nil) == (t.AtMost == nil) {
		return fmt.Errorf("target %q: expected either at_least or at_most", t.Text)
	}
	if t.Text == "" || t.Of == "" {
		return fmt.Errorf("target %q: expected text and of", t.Text)
	}
	return errors.Join(checkMetric(t.Metric), checkMetric(t.toMetric()))
}

func (t *Target) toMetric() string {
	if t.ToWhat != "" {
		return t.ToWhat
	}
	return t.Metric
}

// measured returns the figure round by round; rounds in which one side is
// missing are left out.
func (t *Target) measured(runs []*Run) Spread {
	divisors := map[int]float64{}
	for _, r := range runs {
		if r.Setup == t.ToSetup && r.Step == t.ToAt {
			divisors[r.Round] = metrics[t.toMetric()](r)
		}
	}
	var values []float64
	for _, r := range runs {
		if r.Setup != t.Of || r.Step != t.At {
			continue
		}
		value := metrics[t.Metric](r)
		if t.ToSetup != "" {
			if divisors[r.Round] == 0 {
				continue
			}
			value /= divisors[r.Round]
		}
		values = append(values, value)
	}
	return newSpread(values)
}

// met reports whether the median is as it should be.
func (t *Target) met(s Spread) bool {
	if t.AtLeast != nil {
		return s.Median >= *t.AtLeast
	}
	return s.Median <= *t.AtMost
}

// bound returns the target as text.
func (t *Target) bound() string {
	if t.AtLeast != nil {
		return fmt.Sprintf("≥ %g", *t.AtLeast)
	}
	return fmt.Sprintf("≤ %g", *t.AtMost)
}
