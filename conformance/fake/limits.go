package fake

import (
	"fmt"
	"strings"
	"time"

	"example.com/bento-go/gen"
)

// Limits says how many requests each family may receive, here by site, in a fixed window or a sliding
// one. The zero Limits are off.
type Limits struct {
	documented bool
	perMinute  int
	sliding    bool
}

// LimitSyntax explains what [ParseLimits] reads.
const LimitSyntax = "off, docs (as the contract documents them), or N/min for every family; :sliding makes the window slide"

// ParseLimits reads "off", "docs" or "N/min", and "docs:sliding" or "N/min:sliding".
func ParseLimits(text string) (Limits, error) {
	text, sliding := strings.CutSuffix(text, ":sliding")
	switch {
	case text == "off" && !sliding:
		return Limits{}, nil
	case text == "docs":
		return Limits{documented: true, sliding: sliding}, nil
	}
	count, ok := strings.CutSuffix(text, "/min")
	n, err := number(count, 1, 1<<30)
	if !ok || err != nil {
		return Limits{}, fmt.Errorf("limits %q: want %s", text, LimitSyntax)
	}
	return Limits{perMinute: n, sliding: sliding}, nil
}

func (l Limits) of(family gen.LimitFamily) gen.Rate {
	if l.documented {
		return family.Documented
	}
	return gen.Rate{Requests: l.perMinute, Per: time.Minute}
}

// maxWindows bounds the sites that are remembered at once.
const maxWindows = 10_000

// limiter counts requests in one window per family and site.
type limiter struct {
	limits  Limits
	windows map[digest]window
}

type window struct {
	ends time.Time
	used int
	log  []time.Time // of a sliding one, oldest first
}

// take uses up one request; it returns how long to wait if there is none left.
func (l *limiter) take(family gen.LimitFamily, site string) time.Duration {
	rate := l.limits.of(family)
	if rate.Requests == 0 {
		return 0
	}
	if l.windows == nil || len(l.windows) > maxWindows {
		l.windows = map[digest]window{}
	}
	key, now := digestOf(ofSite, []byte(family.Name+" "+site)), time.Now() // a site may call itself anything
	w := l.windows[key]
	if l.limits.sliding {
		wait := w.slide(rate, now)
		l.windows[key] = w
		return wait
	}
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

// slide uses up one request of a sliding window.
func (w *window) slide(rate gen.Rate, now time.Time) time.Duration {
	for len(w.log) > 0 && now.Sub(w.log[0]) >= rate.Per {
		w.log = w.log[1:]
	}
	if len(w.log) >= rate.Requests {
		return w.log[0].Add(rate.Per).Sub(now)
	}
	w.log = append(w.log, now)
	return 0
}
