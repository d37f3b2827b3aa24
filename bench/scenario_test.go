package bench

import (
	"slices"
	"strings"
	"testing"

	"github.com/geargate/geargate/bench/farm"
)

func TestBuiltInScenariosAreSound(t *testing.T) {
	names := ScenarioNames()
	if len(names) < 10 {
		t.Fatalf("%d scenarios are built in: %v", len(names), names)
	}
	for _, name := range names {
		s, err := LoadScenario(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if s.About == "" || len(s.Setups) == 0 {
			t.Errorf("%s: expected a sentence about it and setups", name)
		}
		steps, _ := s.Steps.expand()
		for _, target := range s.Targets {
			measured := slices.Contains(s.Setups, target.Of) && slices.Contains(steps, target.At)
			compared := target.ToSetup == "" || slices.Contains(s.Setups, target.ToSetup) && slices.Contains(steps, target.ToAt)
			if !measured || !compared {
				t.Errorf("%s: target %q names what is not measured", name, target.Text)
			}
		}
	}
}

func TestScenarioMistakesAreTold(t *testing.T) {
	tests := []struct{ text, want string }{
		{"clients: 3", "field clients not found"},
		{"load: {client: 3}", "field client not found"},
		{"load: {payload: big}", "no size"},
		{"load: {clients: 0}", "clients is 0"},
		{"rounds: 0", "rounds is 0"},
		{"setups: [redis]", "expected gearmand"},
		{"steps: {key: clients}", "expected values"},
		{"steps: {key: colour, values: [red]}", "colour"},
		{"steps: {key: clients, values: [0]}", "at clients 0"},
		{"targets: [{text: a, of: gearmand, metric: throughput}]", "at_least or at_most"},
		{"targets: [{text: a, of: gearmand, metric: speed, at_least: 1}]", "expected one of cpu"},
		{"targets: [{metric: throughput, at_least: 1}]", "expected text and of"},
	}
	for _, test := range tests {
		_, err := parseScenario("test", []byte(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, expected an error with %q", test.text, err, test.want)
		}
	}
}

func TestStepsChangeOneKey(t *testing.T) {
	s, err := parseScenario("test", []byte(`
load: {clients: 7}
setups: [builtin, geargate>gearmand-t1]
steps: {key: payload, values: [10B, 1MiB]}`))
	if err != nil {
		t.Fatal(err)
	}
	at, err := s.at("1MiB")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := at.Load.Payload.MarshalText()
	if string(text) != "1MiB" || at.Load.Clients != 7 {
		t.Errorf("at 1MiB the load is %+v", at.Load)
	}
	s.Steps.Key = backendsKey
	if at, err = s.at("4"); err != nil || !slices.Equal(at.Setups, []string{"builtin*4", "geargate>gearmand-t1*4"}) {
		t.Errorf("with four backends the setups are %v, %v", at.Setups, err)
	}
	s.Steps.Key, s.Setups = linksKey, []string{"geargate>gearmand*2"}
	if at, err = s.at("8"); err != nil || !slices.Equal(at.Setups, []string{"geargate/8>gearmand*2"}) {
		t.Errorf("with eight links the setups are %v, %v", at.Setups, err)
	}
	if setup, _ := farm.ParseSetup(s.Setups[0]); setup.Count != 2 || setup.Links != 0 {
		t.Errorf("the scenario itself was changed: %v", s.Setups)
	}
}

func TestRampsGrowByTheFactor(t *testing.T) {
	steps := Steps{Key: "rate", From: 1000, To: 8000, Factor: 2}
	got, err := steps.expand()
	if want := []string{"1000", "2000", "4000", "8000"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, expected %v", got, err, want)
	}
}
