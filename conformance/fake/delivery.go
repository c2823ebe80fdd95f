package fake

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"example.com/bento-go/gen"
)

// A delivery is the one event of an email here, where nothing is ever sent: it was accepted. What
// Bento calls it, and what else it says, is documented nowhere.
type delivery struct {
	Event     string   `json:"event"`
	Email     string   `json:"email"`
	Subject   string   `json:"subject"`
	CreatedAt gen.Time `json:"created_at"`
}

func (s *state) deliver(email gen.Email) {
	if encoded, err := json.Marshal(delivery{"accepted", email.To, email.Subject, s.time()}); err == nil {
		s.deliveries.add(encoded)
	}
}

// getDeliveryReport counts the emails of the last 24 hours, or of the time asked for.
func (s *state) getDeliveryReport(c *call) reply {
	asked, refusal := s.period(c.URL.Query(), 24*time.Hour)
	if refusal != nil {
		return *refusal
	}
	accepted := 0
	for _, d := range decoded[delivery](s.deliveries, maxKept) {
		if asked.holds(d.CreatedAt.Time) {
			accepted++
		}
	}
	return answer(http.StatusOK, gen.DeliveryReport{Data: gen.Anything{"accepted": accepted}, Meta: asked.meta()})
}

// listDeliveryEvents begins with the latest.
func (s *state) listDeliveryEvents(c *call) reply {
	query := c.URL.Query()
	asked, refusal := s.period(query, 30*24*time.Hour)
	if refusal != nil {
		return *refusal
	}
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil { // left out
		limit = 100
	}
	events, all := []delivery{}, decoded[delivery](s.deliveries, maxKept)
	for i := len(all) - 1; i >= 0 && len(events) < limit; i-- {
		if strings.EqualFold(all[i].Email, query.Get("email")) && asked.holds(all[i].CreatedAt.Time) {
			events = append(events, all[i])
		}
	}
	return answer(http.StatusOK, map[string]any{"events": events, "meta": asked.meta()})
}

// A period is a span of time, with both its ends.
type period struct{ start, end time.Time }

func (p period) holds(at time.Time) bool { return !at.Before(p.start) && !at.After(p.end) }

func (p period) meta() gen.Anything {
	return gen.Anything{"start_date": p.start.UTC(), "end_date": p.end.UTC()}
}

// period is what a query asks for, which ends now and is as long as usual if nothing is said.
func (s *state) period(query url.Values, usual time.Duration) (p period, refusal *reply) {
	p.end = s.now
	at := func(into *time.Time, names ...string) error {
		for _, name := range names {
			if text := query.Get(name); text != "" {
				parsed, err := time.Parse(time.RFC3339, text)
				*into = parsed
				return err
			}
		}
		return nil
	}
	if at(&p.end, "end_date", "to") != nil {
		return p, new(fail(http.StatusBadRequest, "Invalid end_date"))
	}
	p.start = p.end.Add(-usual)
	if at(&p.start, "start_date", "from") != nil {
		return p, new(fail(http.StatusBadRequest, "Invalid start_date"))
	}
	if p.start.After(p.end) {
		return p, new(fail(http.StatusBadRequest, "start_date is after end_date"))
	}
	return p, nil
}
