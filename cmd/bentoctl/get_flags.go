package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"example.com/bento-go/gen"
)

// An optional is a flag that says nothing unless it is given.
type optional[T ~string] struct {
	into    **T
	allowed []T // empty: anything
}

func (o optional[T]) String() string { return "" }
func (o optional[T]) Type() string   { return "string" }

func (o optional[T]) Set(text string) error {
	value := T(text)
	if len(o.allowed) > 0 && !slices.Contains(o.allowed, value) {
		return fmt.Errorf("want one of %s", strings.Join(words(o.allowed), ", "))
	}
	*o.into = &value
	return nil
}

func words[T ~string](all []T) []string {
	text := make([]string, len(all))
	for i, value := range all {
		text[i] = string(value)
	}
	return text
}

func option[T ~string](f *pflag.FlagSet, into **T, name, usage string, allowed ...T) {
	f.Var(optional[T]{into, allowed}, name, usage)
}

// timeRange adds --NAME-after and --NAME-before.
func timeRange(f *pflag.FlagSet, into **gen.TimeRange, name string) {
	bound := func(place func(*gen.TimeRange, *string)) func(string) error {
		return func(day string) error {
			if _, err := time.Parse(time.DateOnly, day); err != nil {
				return errors.New("want a day such as 2024-01-31")
			}
			if *into == nil {
				*into = &gen.TimeRange{}
			}
			place(*into, &day)
			return nil
		}
	}
	f.Func(name+"-after", name+" after this day", bound(func(r *gen.TimeRange, day *string) { r.Gt = day }))
	f.Func(name+"-before", name+" before this day", bound(func(r *gen.TimeRange, day *string) { r.Lt = day }))
}

// numberOf reads the number by which a thing is named.
func numberOf(what, text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, usage("%s %q: want its number", what, text)
	}
	return n, nil
}

// instant adds a flag that takes a day, which begins in UTC, or a time.
func instant(f *pflag.FlagSet, into *time.Time, name, usage string) {
	f.Func(name, usage+", such as 2024-01-31 or 2024-01-31T08:00:00Z", func(text string) error {
		for _, layout := range []string{time.DateOnly, time.RFC3339} {
			if at, err := time.Parse(layout, text); err == nil {
				*into = at
				return nil
			}
		}
		return errors.New("want a day, or a time with its zone")
	})
}
