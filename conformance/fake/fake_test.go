package fake_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"example.com/bento-go/conformance"
	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newClient returns a client of a fake within the process.
func newClient(t *testing.T, server *fake.Server, opts ...bento.Option) *bento.Client {
	t.Helper()
	pipe := server.Pipe()
	t.Cleanup(func() { _ = pipe.Close() })
	opts = append([]bento.Option{bento.WithHTTPClient(&http.Client{Transport: pipe.Transport()}), bento.WithPace(bento.PaceOff)}, opts...)
	client, err := bento.New(bento.Config{
		PublishableKey: "pk_test", SecretKey: "sk_test", SiteUUID: "site", UserAgent: "AcmeCRM/1.0",
		BaseURL: "http://127.0.0.1" + gen.BasePath,
	}, opts...)
	require.NoError(t, err)
	return client
}

func newFake(t *testing.T, opts ...fake.Option) *fake.Server {
	t.Helper()
	server, err := fake.New(opts...)
	require.NoError(t, err)
	return server
}

// do sends a raw request and judges the answer by the contract: a fake that breaks it teaches
// its users wrong.
func do(t *testing.T, server http.Handler, method, target, body string, change ...func(*http.Request)) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1/api/v1"+target, strings.NewReader(body))
	require.NoError(t, err)
	req.RequestURI = req.URL.RequestURI()
	req.SetBasicAuth("pk_test", "sk_test")
	req.Header.Set("User-Agent", "AcmeCRM/1.0")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, c := range change {
		c(req)
	}
	w := newRecorder()
	server.ServeHTTP(w, req)
	checker, err := conformance.New()
	require.NoError(t, err)
	if op, _ := checker.CheckRequest(&conformance.Request{Method: method, URL: "http://127.0.0.1" + req.RequestURI, Header: req.Header, Body: []byte(body)}); op != "" {
		assert.Empty(t, checker.CheckResponse(op, &conformance.Response{Status: w.status, Header: w.header, Body: w.body.Bytes()}))
	}
	return &http.Response{StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body)}
}

type responseRecorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newRecorder() *responseRecorder { return &responseRecorder{header: http.Header{}} }

func (r *responseRecorder) Header() http.Header         { return r.header }
func (r *responseRecorder) WriteHeader(status int)      { r.status = status }
func (r *responseRecorder) Write(b []byte) (int, error) { return r.body.Write(b) }

func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(body)
}

const (
	site     = "?site_uuid=site"
	oneEvent = `{"events":[{"type":"x","email":"ari@example.com"}]}`
)

func TestTheConventionsAreEnforced(t *testing.T) {
	t.Parallel()
	many := func(key, record string, n int) string {
		return `{"` + key + `":[` + strings.TrimSuffix(strings.Repeat(record+",", n), ",") + `]}`
	}
	drop := func(header string) func(*http.Request) {
		return func(req *http.Request) { req.Header.Del(header) }
	}
	agent := func(name string) func(*http.Request) {
		return func(req *http.Request) { req.Header.Set("User-Agent", name) }
	}
	email := `{"to":"a@example.com","from":"b@example.com","subject":"s","html_body":"h"}`
	for name, tc := range map[string]struct {
		method, target, body string
		change               func(*http.Request)
		status               int
		says                 string
	}{
		"no credentials":      {"GET", "/fetch/tags" + site, "", drop("Authorization"), 401, "HTTP Basic: Access denied."},
		"no site_uuid":        {"GET", "/fetch/tags", "", nil, 401, "Access denied"},
		"no agent":            {"GET", "/fetch/tags" + site, "", drop("User-Agent"), 403, "<!DOCTYPE html>"},
		"generic agent":       {"POST", "/batch/events" + site, oneEvent, agent("python-requests/2.31"), 403, "<!DOCTYPE html>"},
		"unknown path":        {"GET", "/fetch/tagz" + site, "", nil, 404, `{"error":"Not Found"}`},
		"unknown method":      {"PUT", "/fetch/tags" + site, "", nil, 404, `{"error":"Not Found"}`},
		"truncated JSON":      {"POST", "/batch/events" + site, `{"events":[`, nil, 400, `{"errors":[`},
		"no wrapper key":      {"POST", "/batch/events" + site, `{"type":"x"}`, nil, 400, `"field":"events","message":"is required"`},
		"1001 events":         {"POST", "/batch/events" + site, many("events", `{"type":"x","email":"a@example.com"}`, 1001), nil, 400, "at most 1000 items"},
		"1001 subscribers":    {"POST", "/batch/subscribers" + site, many("subscribers", `{"email":"a@example.com"}`, 1001), nil, 400, "at most 1000 items"},
		"61 emails":           {"POST", "/batch/emails" + site, many("emails", email, 61), nil, 400, "at most 60 items"},
		"60 emails":           {"POST", "/batch/emails" + site, many("emails", email, 60), nil, 200, `{"results":60}`},
		"no content type":     {"POST", "/batch/events" + site, oneEvent, drop("Content-Type"), 400, "Content-Type"},
		"page 0":              {"GET", "/fetch/broadcasts" + site + "&page=0", "", nil, 400, "page want at least 1"},
		"page beyond the end": {"GET", "/fetch/broadcasts" + site + "&page=9223372036854775807", "", nil, 200, `{"data":[]}`},
		"email and uuid":      {"GET", "/fetch/subscribers" + site + "&email=a%40example.com&uuid=u", "", nil, 400, "exactly one of email and uuid"},
		"nobody":              {"GET", "/fetch/subscribers" + site + "&email=a%40example.com", "", nil, 200, `{"data":null}`},
		"blank tag":           {"POST", "/fetch/tags" + site, `{"tag":{"name":" "}}`, nil, 422, `{"errors":{"name":["can't be blank"]}}`},
		"email to nobody":     {"POST", "/batch/emails" + site, `{"emails":[` + strings.Replace(email, "a@example.com", "nobody", 1) + `]}`, nil, 422, `"field":"emails.0.to","message":"is invalid"`},
		"some events failed":  {"POST", "/batch/events" + site, `{"events":[{"type":"x","email":"nobody"},{"type":"x","email":"a@example.com"}]}`, nil, 200, `{"errors":[{"error":"Email is invalid","index":0}],"failed":1,"results":1}`},
		"all events failed":   {"POST", "/batch/events" + site, `{"events":[{"type":"x","email":"nobody"}]}`, nil, 422, `{"errors":[{"error":"Email is invalid","index":0}],"failed":1,"results":0}`},
		"no person was meant": {"POST", "/batch/subscribers" + site, `{"subscribers":[{"email":"nobody"}]}`, nil, 200, `{"failed":1,"results":0}`},
		"a deletion as JSON":  {"POST", "/data_deletion_requests" + site, `{"data_deletion_request":{"email":"nobody@example.com"}}`, nil, 404, "visitor_not_found"},
		"no such segment":     {"GET", "/stats/segment" + site + "&segment_id=none", "", nil, 200, `{"subscriber_count":0,"unsubscriber_count":0,"user_count":0}`},
		"a tag of no name":    {"DELETE", "/fetch/tags/1" + site, `{"tag":{"name":"vip"}}`, nil, 404, "Tag not found"},
		"approved for never":  {"POST", "/batch/broadcasts" + site, `{"broadcasts":[{"name":"n","subject":"s","type":"plain","approved":true}]}`, nil, 201, "Send at can't be blank"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newFake(t)
			change := tc.change
			if change == nil {
				change = func(*http.Request) {}
			}
			resp := do(t, server, tc.method, tc.target, tc.body, change)
			assert.Equal(t, tc.status, resp.StatusCode)
			assert.Contains(t, text(t, resp), tc.says)
			assert.Equal(t, 1, server.Counts().Requests)
		})
	}
}

func TestOneAccountCanBeTheOnlyOne(t *testing.T) {
	t.Parallel()
	server := newFake(t, fake.WithCredentials("pk_test", "sk_test", "site"))
	assert.Equal(t, 200, do(t, server, "GET", "/fetch/tags"+site, "").StatusCode)
	assert.Equal(t, 401, do(t, server, "GET", "/fetch/tags?site_uuid=other", "").StatusCode)
	assert.Equal(t, 401, do(t, server, "GET", "/fetch/tags"+site, "", func(r *http.Request) { r.SetBasicAuth("pk_test", "wrong") }).StatusCode)
}

func TestLenientTakesWhatProductionEvidentlyTakes(t *testing.T) {
	t.Parallel()
	inBody := `{"site_uuid":"site","events":[{"type":"x","email":"ari@example.com"}]}`
	generic := func(r *http.Request) { r.Header.Set("User-Agent", "node-fetch/1.0") }
	assert.Equal(t, 401, do(t, newFake(t), "POST", "/batch/events", inBody).StatusCode)
	assert.Equal(t, 200, do(t, newFake(t, fake.Lenient()), "POST", "/batch/events", inBody, generic).StatusCode)
	assert.Equal(t, 401, do(t, newFake(t, fake.Lenient()), "POST", "/batch/events", oneEvent).StatusCode)
	form := func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }
	deletion := "site_uuid=site&data_deletion_request[email]=nobody@example.com"
	assert.Equal(t, 401, do(t, newFake(t), "POST", "/data_deletion_requests", deletion, form).StatusCode)
	assert.Equal(t, 404, do(t, newFake(t, fake.Lenient()), "POST", "/data_deletion_requests", deletion, form).StatusCode)
}

func TestWhatIsSentIsKept(t *testing.T) {
	t.Parallel()
	server := newFake(t, fake.WithBroadcasts(60))
	client := newClient(t, server)
	ctx := t.Context()
	record := bento.SubscriberRecord{Email: "Ari@Example.com", FirstName: new("Ari"), Tags: new("customer, vip")}
	record.Set("plan", "pro")
	_, err := client.ImportSubscribers(ctx, []bento.SubscriberRecord{record})
	require.NoError(t, err)
	_, err = client.ImportSubscribers(ctx, []bento.SubscriberRecord{{Email: "ari@example.com", RemoveTags: new("vip")}})
	require.NoError(t, err)

	found, err := client.SubscriberByEmail(ctx, "ari@example.com")
	require.NoError(t, err)
	require.NotNil(t, found)
	assert.Equal(t, "pro", found.Attributes.Fields["plan"])
	assert.Equal(t, "Ari", found.Attributes.Fields["first_name"], "what is left out stays")
	assert.Len(t, found.Attributes.CachedTagIds, 1)
	again, err := client.SubscriberByUUID(ctx, found.Attributes.UUID)
	require.NoError(t, err)
	assert.Equal(t, found, again)

	purchase := bento.Event{Type: "$purchase", Email: "ari@example.com", Details: gen.EventDetails{"unique": map[string]any{"key": "order-1"}}}
	_, err = client.TrackEvents(ctx, []bento.Event{purchase, purchase})
	require.NoError(t, err)
	assert.Len(t, server.Events(), 1, "a purchase with the same key counts once")
	_, err = client.SendEmails(ctx, []bento.Email{{To: "ari@example.com", From: "a@acme.example", Subject: "Hi", HTMLBody: "<p>"}})
	require.NoError(t, err)
	assert.Equal(t, "Hi", server.Emails()[0].Subject)

	tag, err := client.CreateTag(ctx, "customer")
	require.NoError(t, err)
	tags, err := client.ListTags(ctx)
	require.NoError(t, err)
	assert.Len(t, tags, 2)
	assert.Equal(t, tags[0].ID, tag.ID, "the tag that the import made")

	n := 0
	for _, err := range client.Broadcasts(ctx, bento.BroadcastFilters{}) {
		require.NoError(t, err)
		n++
	}
	assert.Equal(t, 60, n)
	kept, ok := server.Subscriber("ari@example.com")
	assert.True(t, ok)
	assert.Equal(t, "pro", kept.Attributes.Fields["plan"])
	_, ok = server.Subscriber("nobody@example.com")
	assert.False(t, ok)
	assert.Equal(t, fake.Counts{
		Requests: 15, Subscribers: fake.Records{Accepted: 2}, Events: fake.Records{Accepted: 2, Repeated: 1},
		Emails: fake.Records{Accepted: 1}, People: 1, Tags: 2, Duplicates: 1,
	}, server.Counts())
}

func TestItBreaksOnDemand(t *testing.T) {
	t.Parallel()
	faults, err := fake.ParseFaults("listTags#1=429:90, listTags#2=503, listTags#3=html:502, createTag=reset")
	require.NoError(t, err)
	server := newFake(t, fake.WithFaults(faults...))
	first := do(t, server, "GET", "/fetch/tags"+site, "")
	assert.Equal(t, 429, first.StatusCode)
	assert.Equal(t, "90", first.Header.Get("Retry-After"))
	assert.Equal(t, 503, do(t, server, "GET", "/fetch/tags"+site, "").StatusCode)
	third := do(t, server, "GET", "/fetch/tags"+site, "")
	assert.Equal(t, 502, third.StatusCode)
	assert.Contains(t, text(t, third), "<!DOCTYPE html>")
	assert.Equal(t, 200, do(t, server, "GET", "/fetch/tags"+site, "").StatusCode)

	_, err = newClient(t, server, bento.WithRetry(bento.RetryPolicy{MaxAttempts: 1})).CreateTag(t.Context(), "vip")
	require.ErrorIs(t, err, bento.ErrNetwork)
	require.ErrorIs(t, err, bento.ErrOutcomeUnknown)
	assert.Equal(t, 4, server.Counts().Faults)
}

// A client waits out the documented limit: a minute, in no time.
func TestLimitsAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		docs, err := fake.ParseLimits("docs")
		require.NoError(t, err)
		server := newFake(t, fake.WithLimits(docs))
		pipe := server.Pipe()
		client, err := bento.New(bento.Config{
			PublishableKey: "pk_test", SecretKey: "sk_test", SiteUUID: "site", UserAgent: "AcmeCRM/1.0", BaseURL: "http://127.0.0.1" + gen.BasePath,
		}, bento.WithHTTPClient(&http.Client{Transport: pipe.Transport()}), bento.WithPace(bento.PaceOff))
		require.NoError(t, err)
		start := time.Now()
		for range 101 {
			_, err := client.ListTags(context.Background())
			require.NoError(t, err)
		}
		assert.InDelta(t, time.Minute, time.Since(start), float64(2*time.Second))
		assert.Equal(t, 1, server.Counts().Limited)
		_ = pipe.Close()
		synctest.Wait()
	})
}

func TestASpecThatCannotBeIsExplained(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{"x", "listTags", "listTagz=503", "listTags#0=503", "listTags#x=503", "listTags=", "listTags=200", "listTags=429:-1", "listTags=html", "listTags=reset:1", "*=999"} {
		_, err := fake.ParseFaults(spec)
		require.ErrorContains(t, err, fmt.Sprintf("fault %q", spec))
		require.ErrorContains(t, err, "OPERATION[#N|/N|~P]=ACTION")
	}
	for _, spec := range []string{"", "on", "0/min", "100", "-1/min", "x/min"} {
		_, err := fake.ParseLimits(spec)
		require.ErrorContains(t, err, "want off, docs", spec)
	}
}

// A body that is not read to its end is a refusal like any other: it is counted, and remembered.
func TestABodyThatIsTooLargeOrBreaksOffIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*http.Request){
		"too large":        func(req *http.Request) { req.ContentLength = 11 << 20 },
		"too large unsaid": func(req *http.Request) { req.Body = io.NopCloser(bytes.NewReader(make([]byte, 11<<20))) },
		"it breaks off":    func(req *http.Request) { req.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF)) },
		"it breaks off late": func(req *http.Request) {
			req.Body = io.NopCloser(io.MultiReader(bytes.NewReader(make([]byte, 1<<20)), iotest.ErrReader(io.ErrUnexpectedEOF)))
		},
	} {
		server := newFake(t)
		resp := do(t, server, "POST", "/batch/events"+site, oneEvent, change)
		assert.Equal(t, 400, resp.StatusCode, name)
		assert.Contains(t, text(t, resp), "larger than 10 MiB", name)
		assert.Equal(t, fake.Counts{Requests: 1, Refused: 1}, server.Counts(), name)
		if passed := server.Exchanges(); assert.Len(t, passed, 1, name) {
			assert.Equal(t, 400, passed[0].Status, name)
			assert.Contains(t, passed[0].Verdict[0], "broke off", name)
		}
	}
}

// The examples of the conventions page, as they go over the wire.
func TestTheConventionsRecordingReplays(t *testing.T) {
	t.Parallel()
	file, err := os.Open("../testdata/conventions.har")
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	server := newFake(t)
	for x, err := range conformance.ReadHAR(file, file.Name()) {
		require.NoError(t, err)
		if x.Response.Status >= 300 {
			continue
		}
		_, target, _ := strings.Cut(x.Request.URL, gen.BasePath)
		resp := do(t, server, x.Request.Method, target, string(x.Request.Body))
		assert.Less(t, resp.StatusCode, 300, "entry %d: %s", x.Source.Entry, target)
	}
}

// Names are made of keys letter by letter, whatever the alphabet; a command without its query is
// refused.
func TestOddKeysAndCommandsDoNoHarm(t *testing.T) {
	t.Parallel()
	server := newFake(t)
	assert.Contains(t, text(t, do(t, server, "POST", "/fetch/fields"+site, `{"field":{"key":"état_civil"}}`)), "État Civil")
	assert.Contains(t, text(t, do(t, server, "POST", "/fetch/fields"+site, `{"field":{"key":"__"}}`)), `"name":""`)
	assert.Contains(t, text(t, do(t, server, "POST", "/fetch/commands"+site, `{"command":[
		{"command":"change_email","email":"a@example.com","query":null},{"command":"add_field","email":"a@example.com","query":"x"},
		{"command":"add_tag","email":"a@example.com"}]}`)), `"field":"command.0.query"`)
	for _, address := range []string{"", "a@example.com"} {
		_, ok := server.Subscriber(address)
		assert.False(t, ok)
	}
}

// The forms that older clients send work here as they evidently do there.
func TestOlderFormsAreTaken(t *testing.T) {
	t.Parallel()
	server := newFake(t)
	assert.Contains(t, text(t, do(t, server, "POST", "/fetch/commands"+site, `{"command":{"command":"add_tag","email":"a@example.com","query":"vip"}}`)), `"results":1`)
	assert.Contains(t, text(t, do(t, server, "POST", "/experimental/validation"+site+"&email=nobody", "")), `{"valid":false}`)
	assert.Contains(t, text(t, do(t, server, "POST", "/experimental/content_moderation"+site+"&content=Hello", "")), `{"valid":true}`)
}

// Nobody gets the id of somebody else, and a new address never makes two of one.
func TestPeopleStayApart(t *testing.T) {
	t.Parallel()
	server := newFake(t)
	run := func(command string) {
		assert.Contains(t, text(t, do(t, server, "POST", "/fetch/commands"+site, `{"command":[`+command+`]}`)), `"results":`)
	}
	run(`{"command":"add_tag","email":"a@example.com","query":"vip"},{"command":"add_field","email":"b@example.com","query":{"key":"plan","value":"pro"}}`)
	run(`{"command":"change_email","email":"a@example.com","query":"b@example.com"}`)
	_, gone := server.Subscriber("a@example.com")
	assert.False(t, gone)
	merged, _ := server.Subscriber("b@example.com")
	assert.Len(t, merged.Attributes.CachedTagIds, 1)
	assert.Equal(t, "pro", merged.Attributes.Fields["plan"])
	run(`{"command":"subscribe","email":"c@example.com"}`)
	other, _ := server.Subscriber("c@example.com")
	assert.NotEqual(t, merged.ID, other.ID)
	assert.Equal(t, 2, server.Counts().People)
}

// A draft is listed as one, and not among what was sent.
func TestDraftsAreListedAsDrafts(t *testing.T) {
	t.Parallel()
	server := newFake(t, fake.WithBroadcasts(1))
	draft := `{"name":"Draft","subject":"s","content":"c","type":"plain","from":{"email":"a@acme.example"}}`
	assert.Contains(t, text(t, do(t, server, "POST", "/batch/broadcasts"+site, `{"broadcasts":[`+draft+`]}`)), `"results":1`)
	for status, want := range map[string]int{"": 1, "&status=sent": 1, "&status=draft": 1, "&status=any": 2, "&status=scheduled": 0} {
		assert.Equal(t, want, strings.Count(text(t, do(t, server, "GET", "/fetch/broadcasts"+site+status, "")), `"type":"broadcasts"`), status)
	}
}

func FuzzParseFaults(f *testing.F) {
	for _, seed := range []string{"trackEvents#2=429:5,listTags=html:502,*#7=reset", "=", "#", ",,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		faults, err := fake.ParseFaults(spec)
		for _, fault := range faults {
			if err == nil && !fault.Reset && (fault.Status < 400 || fault.Status > 599) {
				t.Fatalf("%q: %+v", spec, fault)
			}
		}
	})
}
