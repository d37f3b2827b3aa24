package bench

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/geargate/geargate/bench/farm"
	"github.com/geargate/geargate/bench/load"
)

//go:embed scenarios/*.yaml
var builtin embed.FS

// A Scenario is one piece of work and what it is done with.
type Scenario struct {
	Name    string    `yaml:"-" json:"name"` // the file's, without its ending
	About   string    `yaml:"about" json:"about"`
	Load    load.Load `yaml:"load" json:"load"`
	Setups  []string  `yaml:"setups" json:"setups"` // the first is what others are compared with
	Rounds  int       `yaml:"rounds" json:"rounds"`
	Steps   Steps     `yaml:"steps" json:"steps"`
	Targets []Target  `yaml:"targets" json:"targets"`
}

// ScenarioNames returns the scenarios that are built in.
func ScenarioNames() (names []string) {
	files, _ := fs.Glob(builtin, "scenarios/*.yaml")
	for _, file := range files {
		names = append(names, scenarioName(file))
	}
	return names
}

// LoadScenario reads a file, or a scenario that is built in by its name.
func LoadScenario(file string) (*Scenario, error) {
	if !strings.HasSuffix(file, ".yaml") {
		data, err := builtin.ReadFile("scenarios/" + file + ".yaml")
		if err != nil {
			return nil, fmt.Errorf("scenario %q is neither a .yaml file nor one of %s", file, strings.Join(ScenarioNames(), ", "))
		}
		return parseScenario(file, data)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return parseScenario(scenarioName(file), data)
}

func scenarioName(file string) string { return strings.TrimSuffix(path.Base(file), ".yaml") }

func parseScenario(name string, data []byte) (*Scenario, error) {
	s := &Scenario{Name: name, Load: load.Default(), Rounds: 3}
	if err := strictly(data, s); err != nil {
		return nil, fmt.Errorf("scenario %s: %w", name, err)
	}
	if err := errors.Join(s.check(), checkSetups(s.Setups)); err != nil {
		return nil, fmt.Errorf("scenario %s: %w", name, err)
	}
	return s, nil
}

func checkSetups(setups []string) error {
	for _, setup := range setups {
		if _, err := farm.ParseSetup(setup); err != nil {
			return err
		}
	}
	return nil
}

// strictly decodes YAML; a key that is not known is an error.
func strictly(data []byte, into any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil && err != io.EOF {
		return err
	}
	return nil
}

func (s *Scenario) check() error {
	if s.Rounds < 1 {
		return fmt.Errorf("rounds is %d, expected one or more", s.Rounds)
	}
	steps, err := s.Steps.expand()
	if err != nil {
		return err
	}
	for _, step := range steps {
		at, err := s.at(step)
		if err != nil {
			return err
		}
		if err := at.Load.Check(); err != nil {
			return fmt.Errorf("at %s %s: %w", s.Steps.Key, step, err)
		}
	}
	var wrong []error
	for i := range s.Targets {
		wrong = append(wrong, s.Targets[i].check())
	}
	return errors.Join(wrong...)
}

// at returns the scenario with the key of the steps set to value.
func (s *Scenario) at(value string) (*Scenario, error) {
	at := *s
	switch s.Steps.Key {
	case "":
	case backendsKey, linksKey:
		number, err := strconv.Atoi(value)
		if err != nil {
			return nil, fmt.Errorf("%s %q is no number", s.Steps.Key, value)
		}
		at.Setups = nil
		for _, text := range s.Setups {
			setup, _ := farm.ParseSetup(text)
			if s.Steps.Key == linksKey {
				setup.Links = number
			} else {
				setup.Count = number
			}
			at.Setups = append(at.Setups, setup.String())
		}
	default:
		if err := setLoad(&at.Load, s.Steps.Key, value); err != nil {
			return nil, err
		}
	}
	return &at, nil
}

// setLoad changes one key of a load.
func setLoad(l *load.Load, key, value string) error {
	if err := strictly(fmt.Appendf(nil, "%s: %s\n", key, value), l); err != nil {
		return fmt.Errorf("%s %q: %w", key, value, err)
	}
	return nil
}
