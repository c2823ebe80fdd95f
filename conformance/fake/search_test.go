package fake_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
)

// search returns whom a search finds, by their names, and the page that it says.
func search(t *testing.T, server *fake.Server, query, body string) string {
	t.Helper()
	resp := do(t, server, "GET", "/fetch/search"+site+query, body)
	require.Equal(t, 200, resp.StatusCode)
	var list struct {
		Data []struct{ Attributes struct{ Email string } }
		Meta struct{ Page int }
	}
	require.NoError(t, json.Unmarshal([]byte(text(t, resp)), &list))
	var names strings.Builder
	for _, p := range list.Data {
		name, _, _ := strings.Cut(p.Attributes.Email, "@")
		names.WriteString(name + " ")
	}
	return fmt.Sprint(names.String(), list.Meta.Page)
}

// threeDays has something happen on each of three days; a bubble begins on 2000-01-01.
func threeDays(t *testing.T, server *fake.Server) {
	t.Helper()
	send := func(path, body string) { require.Equal(t, 200, do(t, server, "POST", path+site, body).StatusCode) }
	send("/batch/subscribers", `{"subscribers":[{"email":"ari@example.com","tags":"vip"},{"email":"bo@example.com","tags":"vip"}]}`)
	time.Sleep(24 * time.Hour)
	send("/fetch/commands", `{"command":[{"command":"unsubscribe","email":"bo@example.com"}]}`)
	send("/batch/events", `{"events":[{"type":"x","email":"cy@example.com","date":"1999-06-01T08:00:00Z"}]}`)
	time.Sleep(24 * time.Hour)
	send("/batch/events", `{"events":[{"type":"x","email":"ari@example.com"}]}`)
}

func TestASearchKnowsRangesOfTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &memory{}
		server := newFake(t, fake.WithStore(store))
		threeDays(t, server)
		require.NoError(t, server.Close())
		again := newFake(t, fake.WithStore(store))
		for _, tc := range []struct{ name, bound, at, found string }{
			{"unsubscribed_at", "gt", "1999-01-01", "bo"},
			{"unsubscribed_at", "lt", "2030-01-01", "bo"},
			{"unsubscribed_at", "gt", "2000-01-03", ""},
			{"created_at", "gt", "1999-12-31", "ari bo cy"},
			{"created_at", "gt", "2000-01-01T12:00:00Z", "cy"},
			{"created_at", "lt", "2000-01-01T13:00:00+01:00", "ari bo"},
			{"created_at", "lt", "2000-01-02 12:00:00", "ari bo cy"},
			{"updated_at", "gt", "2000-01-01T12:00:00Z", "bo cy"},
			{"updated_at", "lt", "2000-01-01T12:00:00Z", "ari"},
			{"last_event_at", "gt", "2000-01-01", "ari"},
			{"last_event_at", "lt", "2000-01-01", "cy"},
			{"last_event_at", "gt", "1999-01-01", "ari cy"},
		} {
			want := strings.TrimPrefix(tc.found+" 1", " ")
			query := "&" + url.QueryEscape(tc.name+"["+tc.bound+"]") + "=" + url.QueryEscape(tc.at)
			body := fmt.Sprintf(`{%q:{%q:%q}}`, tc.name, tc.bound, tc.at)
			assert.Equal(t, want, search(t, server, query, ""), query)
			assert.Equal(t, want, search(t, server, "", body), body)
			assert.Equal(t, want, search(t, again, query, ""), "after a restart: %s", query)
		}
	})
}

// Every filter counts, wherever it stands; what stands in both places is the query's.
func TestASearchTakesItsFiltersFromABodyToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := newFake(t)
		threeDays(t, server)
		for _, tc := range []struct{ query, body, found string }{
			{"", `{"tags":"vip"}`, "ari bo 1"},
			{"", `{"tags":"nobody's"}`, "1"},
			{"&segment_id=segment_1", "", "ari bo cy 1"},
			{"&segment_id=segment_2", "", "1"},
			{"", `{"tag_names":"vip","page":2}`, "2"},
			{"", `{"page":1}`, "ari bo cy 1"},
			{"&page=1", `{"tag_ids":"1","page":2}`, "ari bo 1"},
			{"&tags=vip", `{"unsubscribed_at":{"gt":"1999-01-01"}}`, "bo 1"},
			{"&created_at%5Bgt%5D=2000-01-01T12:00:00Z", `{"created_at":{"gt":"1999-01-01","lt":"2000-01-04"}}`, "cy 1"},
			{"", `{"created_at":{"gt":"1999-01-01","lt":"2000-01-01T12:00:00Z"}}`, "ari bo 1"},
		} {
			assert.Equal(t, tc.found, search(t, server, tc.query, tc.body), "%s %s", tc.query, tc.body)
		}
	})
}

func TestABoundThatIsNoTimeIsRefused(t *testing.T) {
	t.Parallel()
	for query, body := range map[string]string{"&created_at%5Bgt%5D=yesterday": "", "": `{"created_at":{"gt":"2024-13-01"}}`} {
		resp := do(t, newFake(t), "GET", "/fetch/search"+site+query, body)
		assert.Equal(t, 400, resp.StatusCode)
		assert.Contains(t, text(t, resp), `"field":"created_at.gt","message":"is not a time`)
	}
}
