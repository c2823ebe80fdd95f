package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A family is operations that share a limit.
type family struct {
	Name       string
	Documented rate
	Guarded    *rate // nil where the guardrails name none
}

// A rate is how many requests a unit of time allows.
type rate struct {
	Requests int
	Unit     string // a time.Duration constant, such as time.Minute
}

func readFamilies(ext any) ([]family, error) {
	limits, ok := ext.(map[string]any)
	if !ok || len(limits) == 0 {
		return nil, errors.New("want a map of limit families")
	}
	var all []family
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		if !operationID.MatchString(name) {
			return nil, fmt.Errorf("want names of letters and digits, got %q", name)
		}
		rates, _ := limits[name].(map[string]any)
		documented, err := readRate(rates["documented"])
		if err != nil {
			return nil, fmt.Errorf("%s: documented: %w", name, err)
		}
		f := family{Name: name, Documented: documented}
		if ext, named := rates["guarded"]; named {
			guarded, err := readRate(ext)
			if err != nil {
				return nil, fmt.Errorf("%s: guarded: %w", name, err)
			}
			f.Guarded = &guarded
		}
		all = append(all, f)
	}
	return all, nil
}

// units are constants of package time, by the words of the contract.
var units = map[string]string{"second": "time.Second", "minute": "time.Minute", "hour": "time.Hour", "day": "24 * time.Hour"}

// readRate reads "100/minute".
func readRate(ext any) (rate, error) {
	text, _ := ext.(string)
	count, per, _ := strings.Cut(text, "/")
	n, err := strconv.Atoi(count)
	unit, known := units[per]
	if err != nil || n < 1 || !known {
		return rate{}, fmt.Errorf("want N/second, N/minute, N/hour or N/day, got %q", text)
	}
	return rate{n, unit}, nil
}
