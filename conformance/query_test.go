package conformance_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What a query may hold, and what each other thing in it is called.
func TestAQueryIsJudgedByEachOfItsParameters(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	const someone, search, ruleset = "/fetch/subscribers", "/fetch/search", "/experimental/jesses_ruleset"
	for _, tc := range []struct {
		method, path, body string
		want               []string // rule: message
	}{
		{"GET", someone + "?email=a@example.com", "", nil},
		{"GET", someone + "?uuid=u", "", nil},
		{"GET", someone, "", []string{"request.query: want exactly one of email and uuid"}},
		{"GET", someone + "?email=a@example.com&uuid=u", "", []string{"request.query: want exactly one of email and uuid"}},
		{"GET", someone + "?uuid=u&uuid=v", "", []string{"request.query: uuid is given more than once"}},
		{"GET", someone + "?uuid=", "", []string{"request.query: uuid must not be empty"}},
		{"GET", someone + "?uuid=%zz", "", []string{"request.query: the query string is not percent-encoded as it should be"}},
		{"GET", someone + "?uuid=u&site_uuid=2d8ab3b8f2a14a06a4c4b8f5d1a8a0c3", "", []string{"request.query: site_uuid is given more than once"}},
		{"GET", "/fetch/tags?User-Agent=x", "", []string{"request.query.unknown: the endpoint has no parameter User-Agent"}},
		{"GET", "/fetch/tags?a@b=c", "", []string{"request.query.unknown: the endpoint has no parameter of that name"}},
		{"GET", "/stats/segment", "", []string{"request.query: segment_id is required"}},
		{"GET", "/stats/segment?segment_id=1", "", nil},

		{"GET", search + "?page=12", "", nil},
		{"GET", search + "?page=0", "", []string{"request.query: page want at least 1"}},
		{"GET", search + "?page=01", "", []string{"request.query: page want an integer"}},
		{"GET", search + "?page=1.0", "", []string{"request.query: page want an integer of at most 64 bits, in plain digits"}},
		{"GET", search + "?page=two", "", []string{"request.query: page want an integer"}},
		{"GET", search + "?created_at[gt]=2024-01-01", "", nil},
		{"GET", search + "?created_at=2024-01-01", "", []string{"request.query.unknown: the endpoint has no parameter created_at"}},
		{"GET", search + "?created_at[gt=2024-01-01", "", []string{"request.query.unknown: the endpoint has no parameter created_at[gt"}},
		{"GET", search + "?created_at[on]=2024-01-01", "", []string{"request.query.unknown: the endpoint has no parameter created_at[on]"}},
		{"GET", search + "?page[gt]=1", "", []string{"request.query.unknown: the endpoint has no parameter page[gt]"}},
		{"GET", search + "?none[gt]=1", "", []string{"request.query.unknown: the endpoint has no parameter none[gt]"}},
		{"GET", search + "?zz=1&aa=1&page=x", "", []string{
			"request.query: page want an integer", "request.query.unknown: the endpoint has no parameter aa", "request.query.unknown: the endpoint has no parameter zz",
		}},

		{"POST", ruleset + "?email=a@example.com&block_free_providers=true", "", nil},
		{"POST", ruleset + "?email=a@example.com&block_free_providers=false", "", nil},
		{"POST", ruleset + "?email=a@example.com&block_free_providers=1", "", []string{"request.body.schema: want a boolean"}},
		{"POST", ruleset + "?email=true", "", []string{"payload.email: an email address is malformed"}},
		{"POST", ruleset + "?none=1", "", []string{"request.query.unknown: the endpoint has no parameter none", "request.body.schema: the body is empty"}},
		{"POST", ruleset + "?email=a@example.com", `{"email":"a@example.com"}`, []string{"request.query.unknown: the endpoint has no parameter email"}},
		{"POST", ruleset + "?email=a@example.com&x=%zz", "", []string{
			"request.query: the query string is not percent-encoded as it should be", "request.body.schema: the body is empty",
		}},
		{"POST", "/fetch/tags?tag=vip", `{"tag":{"name":"vip"}}`, []string{"request.query.unknown: the endpoint has no parameter tag"}},

		{"GET", "/fetch/emails/templates/7", "", nil},
		{"GET", "/fetch/emails/templates/seven", "", []string{"request.path: id want an integer"}},
		{"GET", "/fetch/emails/templates/[redacted]", "", nil},
	} {
		x := good(tc.method, tc.path, tc.body, "")
		_, findings := c.CheckRequest(&x.Request)
		var got []string
		for _, f := range findings {
			got = append(got, f.Rule+": "+f.Message)
		}
		assert.Equal(t, tc.want, got, "%s %s", tc.method, tc.path)
	}
}

// What is wrong with a request comes in the same order every time, though a query is a map.
func TestFindingsAreInOrder(t *testing.T) {
	t.Parallel()
	x := good("GET", "/fetch/tags", "", `{"data":[]}`)
	x.Request.URL += "&h=1&c=1&a=1&g=1&d=1&b=1&f=1&e=1"
	var names []string
	for _, f := range newChecker(t).Check(x).Findings {
		names = append(names, strings.TrimPrefix(f.Message, "the endpoint has no parameter "))
	}
	assert.Equal(t, []string{"a", "b", "c", "d", "e", "f", "g", "h"}, names)
}
