package fake

import (
	"fmt"
	"strings"
	"time"

	"example.com/bento-go/gen"
)

// Limits says how many requests each family may receive per site in a fixed window. The zero
// Limits are off.
type Limits struct {
	documented bool
	perMinute  int
}

// LimitSyntax explains what [ParseLimits] reads.
const LimitSyntax = "off, docs (as the contract documents them), or N/min for every family"

// ParseLimits reads "off", "docs" or "N/min".
func ParseLimits(text string) (Limits, error) {
	switch text {
	case "off":
		return Limits{}, nil
	case "docs":
		return Limits{documented: true}, nil
	}
	count, ok := strings.CutSuffix(text, "/min")
	n, err := number(count, 1, 1<<30)
	if !ok || err != nil {
		return Limits{}, fmt.Errorf("limits %q: want %s", text, LimitSyntax)
	}
	return Limits{perMinute: n}, nil
}

func (l Limits) of(family gen.LimitFamily) gen.Rate {
	if l.documented {
		return family.Documented
	}
	return gen.Rate{Requests: l.perMinute, Per: time.Minute}
}

// maxWindows bounds the sites that are remembered at once.
const maxWindows = 10_000

// limiter counts requests in one fixed window per family and site.
type limiter struct {
	limits  Limits
	windows map[string]window
}

type window struct {
	ends time.Time
	used int
}

// take uses up one request; it returns how long to wait if there is none left.
func (l *limiter) take(family gen.LimitFamily, site string) time.Duration {
	rate := l.limits.of(family)
	if rate.Requests == 0 {
		return 0
	}
	if l.windows == nil || len(l.windows) > maxWindows {
		l.windows = map[string]window{}
	}
	key, now := family.Name+" "+site, time.Now()
	w := l.windows[key]
	if !now.Before(w.ends) {
		w = window{ends: now.Add(rate.Per)}
	}
	if w.used >= rate.Requests {
		return w.ends.Sub(now)
	}
	w.used++
	l.windows[key] = w
	return 0
}
