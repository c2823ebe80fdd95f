package fake

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"example.com/bento-go/conformance"
	"example.com/bento-go/gen"
)

// reportID is the one report of a fake: it counts people.
const reportID = "report_1"

func (s *state) countPeople() gen.PeopleCount {
	count := gen.PeopleCount{UserCount: len(s.order)}
	for _, p := range s.order {
		if p.Attributes.UnsubscribedAt.IsZero() {
			count.SubscriberCount++
		} else {
			count.UnsubscriberCount++
		}
	}
	return count
}

func (s *state) getSiteStats(*call) reply { return answer(http.StatusOK, s.countPeople()) }

// getSegmentStats counts nobody in a segment that there is not, as Bento does.
func (s *state) getSegmentStats(c *call) reply {
	if c.URL.Query().Get("segment_id") != string(everybody.ID) {
		return answer(http.StatusOK, gen.PeopleCount{})
	}
	return answer(http.StatusOK, s.countPeople())
}

func (s *state) getReport(c *call) reply {
	if c.URL.Query().Get("report_id") != reportID {
		return fail(http.StatusNotFound, "Report not found")
	}
	return answer(http.StatusOK, gen.Report{Data: len(s.order), ChartStyle: "counter", ReportName: "People"})
}

func (s *state) getAdStats(c *call) reply {
	dimension := c.URL.Query().Get("dimension")
	if dimension == "" {
		dimension = string(gen.AdDimensionSource)
	}
	return answer(http.StatusOK, gen.AdStats{Dimension: dimension, Totals: gen.Anything{"signups": len(s.order), "customers": 0}})
}

// inputs reads the members of a body that may come as query parameters instead.
func (c *call) inputs(into any) {
	body := c.body
	if len(body) == 0 {
		members := map[string]any{}
		for name, given := range c.URL.Query() {
			members[name] = given[0]
			if flag, err := strconv.ParseBool(given[0]); err == nil {
				members[name] = flag
			}
		}
		body, _ = json.Marshal(members)
	}
	_ = json.Unmarshal(body, into)
}

func (s *state) validateEmail(c *call) reply {
	var body gen.ValidateEmailBody
	c.inputs(&body)
	return answer(http.StatusOK, gen.Validity{Valid: conformance.ValidEmail(body.Email)})
}

func (s *state) applyRuleset(c *call) reply {
	var body gen.ApplyRulesetBody
	c.inputs(&body)
	reasons := []string{}
	if !conformance.ValidEmail(body.Email) {
		reasons = append(reasons, "invalid_address")
	}
	return answer(http.StatusOK, map[string]any{"valid": len(reasons) == 0, "reasons": reasons})
}

func (s *state) moderateContent(c *call) reply {
	var body gen.ModerateContentBody
	c.inputs(&body)
	if strings.TrimSpace(body.Content) == "" {
		return answer(http.StatusOK, map[string]any{"valid": false, "reasons": []string{"Content is required"}})
	}
	return answer(http.StatusOK, map[string]any{"valid": true})
}

// guessGender never guesses.
func (s *state) guessGender(*call) reply {
	return answer(http.StatusOK, map[string]any{"gender": nil, "confidence": nil})
}

// geolocate answers as Bento does since it switched it off.
func (s *state) geolocate(*call) reply { return answer(http.StatusOK, gen.Location{}) }

func (s *state) checkBlacklist(c *call) reply {
	query := c.URL.Query().Get("domain")
	if query == "" {
		query = c.URL.Query().Get("ip")
	}
	result := gen.BlacklistResult{Query: query, Description: "Blacklist check", Results: map[string]any{"example": false}}
	if query == "" {
		result.Results = "No domain or IP provided"
	}
	return answer(http.StatusOK, result)
}
