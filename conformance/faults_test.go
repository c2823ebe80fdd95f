package conformance_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

// Mistakes that old pages spread are explained as such.
func TestOldMistakesAreExplained(t *testing.T) {
	t.Parallel()
	for want, x := range map[string]*conformance.Exchange{
		"typo of old pages":         good("POST", "/batch/broadcasts", `{"broadcasts":[{"name":"n","subject":"s","content":"c","type":"plain","from":{"email":"a@example.com"},"segement_id":"1"}]}`, `{"results":1}`),
		"belongs to each email":     good("POST", "/batch/emails", `{"transactional":true,"emails":[{"to":"a@example.com","from":"b@example.com","subject":"s","html_body":"h"}]}`, `{"results":1}`),
		"joined by commas":          good("POST", "/batch/subscribers", `{"subscribers":[{"email":"a@example.com","tags":["a"]}]}`, `{"results":1}`),
		"stand beside email":        good("POST", "/batch/subscribers", `{"subscribers":[{"email":"a@example.com","fields":{"a":1}}]}`, `{"results":1}`),
		"not by \"key:value\"":      good("POST", "/fetch/commands", `{"command":[{"command":"add_field","email":"a@example.com","query":"a:b"}]}`, `{"results":1}`),
		"has no .json":              good("GET", "/experimental/blacklist.json?domain=example.com", "", `{"query":"x"}`),
		"ip_address is an old name": good("GET", "/experimental/blacklist?ip_address=192.0.2.1", "", `{"query":"x"}`),
		"deleted by its id":         good("DELETE", "/fetch/tags", `{"tag":{"name":"a"}}`, `{"message":"x"}`),
	} {
		var hints []string
		for _, f := range newChecker(t).Check(x).Findings {
			hints = append(hints, f.Hint)
		}
		assert.Contains(t, strings.Join(hints, "\n"), want)
	}
}

// What is wrong, and the one finding that says so. Most of these kin-openapi lets pass by default.
func TestEachFaultIsFoundWhereItIs(t *testing.T) {
	t.Parallel()
	tags := `{"data":[{"id":"1","type":"tags","attributes":{"name":"vip"}}]}`
	header := func(name, value string) func(*conformance.Exchange) {
		return func(x *conformance.Exchange) { x.Request.Header.Set(name, value) }
	}
	body := func(b string) func(*conformance.Exchange) {
		return func(x *conformance.Exchange) { x.Request.Body = []byte(b) }
	}
	post := func() *conformance.Exchange {
		return good("POST", "/batch/events", oneEvent, `{"results":1,"failed":0}`)
	}
	get := func() *conformance.Exchange { return good("GET", "/fetch/tags", "", tags) }
	template := func() *conformance.Exchange {
		return good("GET", "/fetch/emails/templates/7", "", `{"data":{"id":7,"type":"email_templates","attributes":{}}}`)
	}
	deletion := func() *conformance.Exchange {
		x := good("POST", "/data_deletion_requests", "data_deletion_request[email]=a@example.com", `{"status":"queued"}`)
		x.Request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		x.Response.Status = 202
		return x
	}
	search := func() *conformance.Exchange { return good("GET", "/fetch/search", "", `{"data":[]}`) }
	commands := func() *conformance.Exchange {
		return good("POST", "/fetch/commands", `{"command":[{"command":"subscribe","email":"a@example.com"}]}`, `{"results":1}`)
	}
	validation := func() *conformance.Exchange {
		x := good("POST", "/experimental/validation", "", `{"valid":true}`)
		x.Request.Header.Del("Content-Type")
		return x
	}
	answer := func(b string) func(*conformance.Exchange) {
		return func(x *conformance.Exchange) { x.Response.Body = []byte(b) }
	}
	status := func(n int) func(*conformance.Exchange) {
		return func(x *conformance.Exchange) { x.Response.Status = n }
	}
	url := func(u string) func(*conformance.Exchange) {
		return func(x *conformance.Exchange) { x.Request.URL = "https://app.bentonow.com/api/v1" + u }
	}
	emails := func(b string) func(*conformance.Exchange) {
		return func(x *conformance.Exchange) { *x = *good("POST", "/batch/emails", b, `{"results":1}`) }
	}
	for name, tc := range map[string]struct {
		of     func() *conformance.Exchange
		change func(*conformance.Exchange)
		want   string // rule, pointer, part of the message
	}{
		"no site_uuid":           {get, url("/fetch/tags"), "request.site-uuid||missing"},
		"blank site_uuid":        {get, url("/fetch/tags?site_uuid="), "request.site-uuid||missing"},
		"no auth":                {get, func(x *conformance.Exchange) { x.Request.Header.Del("Authorization") }, "request.auth||no Authorization"},
		"bearer auth":            {get, header("Authorization", "Bearer "+canary), "request.auth||not Basic"},
		"auth is not base64":     {get, header("Authorization", "Basic "+canary+"!"), "request.auth||base64"},
		"auth without a secret":  {get, header("Authorization", "Basic cGs6"), "request.auth||publishable_key:secret_key"},
		"auth without a user":    {get, header("Authorization", "Basic OmNhbmFyeQ=="), "request.auth||publishable_key:secret_key"},
		"auth of nothing":        {get, header("Authorization", "Basic "), "request.auth||publishable_key:secret_key"},
		"no agent":               {get, func(x *conformance.Exchange) { x.Request.Header.Del("User-Agent") }, "request.user-agent||no User-Agent"},
		"generic agent":          {get, header("User-Agent", "Go-http-client/1.1"), "request.user-agent||generic"},
		"unknown path":           {get, url("/fetch/tagz?site_uuid=x"), "request.path||"},
		"trailing slash":         {get, url("/fetch/tags/?site_uuid=x"), "request.path||"},
		"off the base path":      {get, func(x *conformance.Exchange) { x.Request.URL = "https://app.bentonow.com/fetch/tags?site_uuid=x" }, "request.path||"},
		"unknown method":         {get, func(x *conformance.Exchange) { x.Request.Method = "PUT" }, "request.method||"},
		"unknown parameter":      {get, url("/fetch/tags?site_uuid=x&limit=" + canary), "request.query.unknown||no parameter limit"},
		"parameter twice":        {get, url("/fetch/broadcasts?site_uuid=x&page=1&page=2"), "request.query||page is given more than once"},
		"page 0":                 {get, url("/fetch/broadcasts?site_uuid=x&page=0"), "request.query||page want at least 1"},
		"page one":               {get, url("/fetch/broadcasts?site_uuid=x&page=" + canary), "request.query||page want an integer"},
		"page 1e3":               {get, url("/fetch/broadcasts?site_uuid=x&page=1e3"), "request.query||page want an integer"},
		"bad percent-encoding":   {get, url("/fetch/tags?site_uuid=x&a=%zz"), "request.query||percent-encoded"},
		"site_uuid twice":        {get, url("/fetch/tags?site_uuid=x&site_uuid=" + canary), "request.query||site_uuid is given more than once"},
		"template by name":       {template, url("/fetch/emails/templates/" + canary + "?site_uuid=x"), "request.path||id want an integer"},
		"template 0":             {template, url("/fetch/emails/templates/0?site_uuid=x"), "request.path||id want at least 1"},
		"form in two minds":      {deletion, body("data_deletion_request[email]=a@example.com&data_deletion_request=" + canary), "request.body.encoding||twice"},
		"body on a GET":          {get, body(`{"a":1}`), "request.body.schema||takes no body"},
		"no content type":        {post, func(x *conformance.Exchange) { x.Request.Header.Del("Content-Type") }, "request.content-type||no Content-Type"},
		"form content type":      {post, header("Content-Type", "application/x-www-form-urlencoded"), "request.content-type||application/x-www-form-urlencoded"},
		"latin-1":                {post, header("Content-Type", "application/json; charset=iso-8859-1"), "request.content-type||charset"},
		"empty body":             {post, body(""), "request.body.schema||empty"},
		"truncated body":         {post, body(`{"events":[`), "request.body.encoding||breaks off"},
		"not JSON":               {post, body(canary), "request.body.encoding||not JSON"},
		"duplicate key":          {post, body(`{"events":[{"type":"x","type":"` + canary + `","email":"a@example.com"}]}`), "request.body.encoding||twice"},
		"bytes after the value":  {post, body(oneEvent + "{}"), "request.body.encoding||after"},
		"invalid UTF-8":          {post, body("{\"events\":[{\"type\":\"\xff\",\"email\":\"a@example.com\"}]}"), "request.body.encoding||UTF-8"},
		"half a character":       {post, body(`{"events":[{"type":"\ud800","email":"a@example.com"}]}`), "request.body.encoding||half a character"},
		"nested without end":     {post, body(`{"events":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`), "request.body.encoding||deeper"},
		"no wrapper key":         {post, body(`{}`), "request.body.schema|/events|required"},
		"no events":              {post, body(`{"events":[]}`), "request.body.schema|/events|at least 1 item"},
		"1001 events":            {post, body(manyEvents(1001)), "request.body.schema|/events|at most 1000 items"},
		"an event is a string":   {post, body(`{"events":["` + canary + `"]}`), "request.body.schema|/events/0|want an object"},
		"no email":               {post, body(`{"events":[{"type":"x"}]}`), "request.body.schema|/events/0/email|required"},
		"empty type":             {post, body(`{"events":[{"type":"","email":"a@example.com"}]}`), "request.body.schema|/events/0/type|not be empty"},
		"type is null":           {post, body(`{"events":[{"type":null,"email":"a@example.com"}]}`), "request.body.schema|/events/0/type|not be null"},
		"misspelt member":        {post, body(eventBody(`"field":{}`)), "request.body.schema|/events/0/field|not in the contract"},
		"date without a time":    {post, body(eventBody(`"date":"2026-06-10"`)), "request.body.schema|/events/0/date|date-time"},
		"bad email":              {post, body(`{"events":[{"type":"x","email":"` + canary + `"}]}`), "payload.email|/events/0/email|malformed"},
		"camelCase field":        {post, body(eventBody(`"fields":{"firstName":"` + canary + `"}`)), "payload.field-name|/events/0/fields/firstName|"},
		"secret by name":         {post, body(eventBody(`"details":{"a":[{"api_key":"` + canary + `"}]}`)), "payload.secret|/events/0/details/a/0/api_key|"},
		"secret in camelCase":    {post, body(eventBody(`"details":{"clientSecret":"` + canary + `"}`)), "payload.secret|/events/0/details/clientSecret|"},
		"secret in a sentence":   {post, body(eventBody(`"details":{"note":"use sk_live_` + canary + canary + `, please"}`)), "payload.secret|/events/0/details/note|"},
		"web token":              {post, body(eventBody(`"details":{"note":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI` + canary + `.x-_x"}`)), "payload.secret|/events/0/details/note|"},
		"secret in a list":       {post, body(eventBody(`"details":{"notes":["a",["sk_live_` + canary + canary + `"]]}`)), "payload.secret|/events/0/details/notes/1/0|"},
		"secret by value":        {post, body(eventBody(`"fields":{"note":"sk_live_` + canary + canary + `"}`)), "payload.secret|/events/0/fields/note|"},
		"61 emails":              {post, emails(`{"emails":[` + strings.TrimSuffix(strings.Repeat(`{"to":"a@example.com","from":"b@example.com","subject":"s","html_body":"h"},`, 61), ",") + `]}`), "request.body.schema|/emails|at most 60 items"},
		"transactional on top":   {post, emails(`{"transactional":true,"emails":[{"to":"a@example.com","from":"b@example.com","subject":"s","html_body":"h"}]}`), "request.body.schema|/transactional|not in the contract"},
		"a success of its own":   {get, status(206), "response.status||206"},
		"undocumented status":    {get, status(418), "response.status.drift||418"},
		"moved":                  {get, status(301), "response.status||301"},
		"not modified":           {get, status(304), "response.status||304"},
		"undocumented, for HEAD": {get, func(x *conformance.Exchange) { x.Request.Method = "HEAD"; x.Response.Status = 418 }, "response.status.drift||418"},
		"HTML for a success":     {get, func(x *conformance.Exchange) { x.Response.Header.Set("Content-Type", "text/html") }, "response.content-type||text/html"},
		"answer without a type":  {get, func(x *conformance.Exchange) { x.Response.Header.Del("Content-Type") }, "response.content-type||no Content-Type"},
		"empty success":          {get, answer(""), "response.body.schema||empty"},
		"answer is not JSON":     {get, answer("{invalid-json"), "response.body.encoding||not JSON"},
		"answer of another type": {get, answer(`{"data":123}`), "response.body.schema|/data|want an array"},
		"answer lacks a member":  {get, answer(`{"data":[{"id":"1","type":"tags"}]}`), "response.body.schema|/data/0/attributes|required"},
		"1e30 for an integer":    {post, answer(`{"results":1e30}`), "response.body.schema|/results|integer"},
		"2^63 for an integer":    {post, answer(`{"results":9223372036854775808}`), "response.body.schema|/results|integer"},
		"1.5 for an integer":     {post, answer(`{"results":1.5}`), "response.body.schema|/results|integer"},
		"1e30 for one of two":    {template, answer(`{"data":{"id":1e30,"type":"email_templates","attributes":{}}}`), "response.body.schema|/data/id|integer"},
		"a purchase without key": {post, body(`{"events":[{"type":"$purchase","email":"a@example.com","details":{"value":{"currency":"USD","amount":1}}}]}`), "payload.purchase|/events/0/details/unique/key|unique key"},
		"a purchase of nothing":  {post, body(`{"events":[{"type":"$purchase","email":"a@example.com"}]}`), "payload.purchase|/events/0/details/value|no value"},
		"a purchase as a number": {post, body(`{"events":[{"type":"$purchase","email":"a@example.com","details":{"unique":{"key":1},"value":99.00}}]}`), "payload.amount|/events/0/details/value|not an object"},
		"an amount in dollars":   {post, body(`{"events":[{"type":"x","email":"a@example.com"},{"type":"x","email":"a@example.com","details":{"value":{"amount":79.95}}}]}`), "payload.amount|/events/1/details/value/amount|whole number"},
		"an amount as text":      {post, body(`{"events":[{"type":"$purchase","email":"a@example.com","details":{"unique":{"key":"a"},"value":{"amount":"7995"}}}]}`), "payload.amount|/events/0/details/value/amount|whole number"},
		"a field made up":        {commands, body(`{"command":[{"command":"add_field","email":"a@example.com","query":{"key":"firstName","value":1}}]}`), "payload.field-name|/command/0/query/key|"},
		"an unknown member":      {post, answer(`{"results":1,"warning":"` + canary + `"}`), "response.body.drift|/warning|"},
		"an error of no shape": {get, func(x *conformance.Exchange) {
			x.Response.Status = 400
			x.Response.Body = []byte(`{"errors":7}`)
		}, "response.body.schema|/errors|want array, object, string"},
		"a filter of no kind":       {search, body(`{"created_at":{"near":"2024-01-01"}}`), "request.body.schema|/created_at/near|not in the contract"},
		"an unknown filter":         {search, body(`{"foo":1}`), "request.body.schema|/foo|not in the contract"},
		"filters that break off":    {search, body(`{"created_at":`), "request.body.encoding||breaks off"},
		"a bracket left open":       {deletion, body("data_deletion_request[email=a@example.com"), "request.body.encoding||not a form"},
		"a range left open":         {search, url("/fetch/search?site_uuid=x&created_at[gt=1"), "request.query.unknown||no parameter"},
		"an email without a body":   {post, emails(`{"emails":[{"to":"a@b.example","from":"a@b.example","subject":"x"}]}`), "request.body.schema|/emails/0|needs html_body or text_body or layout_id"},
		"a field that nests":        {post, body(eventBody(`"fields":{"plan":{"name":"` + canary + `"}}`)), "request.body.schema|/events/0/fields/plan|none of the shapes"},
		"email and uuid":            {get, url("/fetch/subscribers?site_uuid=x&email=a@example.com&uuid=u"), "request.query||exactly one of email and uuid"},
		"neither email nor uuid":    {get, url("/fetch/subscribers?site_uuid=x"), "request.query||exactly one of email and uuid"},
		"add_tag without a tag":     {commands, body(`{"command":[{"command":"add_tag","email":"a@example.com"}]}`), "request.body.schema|/command/0/query|required"},
		"add_field as text":         {commands, body(`{"command":[{"command":"add_field","email":"a@example.com","query":"` + canary + `:x"}]}`), "request.body.schema|/command/0/query|want an object"},
		"unsubscribe with an extra": {commands, body(`{"command":{"command":"unsubscribe","email":"a@example.com","query":"` + canary + `"}}`), "request.body.schema|/command/query|at most 0 characters"},
		"an unknown command":        {commands, body(`{"command":[{"command":"` + canary + `","email":"a@example.com"}]}`), "request.body.schema|/command/0|names no known shape"},
		"a bad input in the query":  {validation, url("/experimental/validation?site_uuid=x&email="), "request.body.schema|/email|at least 3"},
		"an unknown input":          {validation, url("/experimental/validation?site_uuid=x&email=a@example.com&mail=x"), "request.query.unknown||mail"},
		"a picture":                 {post, header("Content-Type", "image/png"), "request.content-type||is image/png"},
		"parts":                     {post, header("Content-Type", "multipart/form-data; boundary=x"), "request.content-type||is multipart/form-data"},
		"a type of its own":         {post, header("Content-Type", canary+"/x"), "request.content-type||of a strange type"},
		"a long type":               {post, header("Content-Type", "text/"+strings.Repeat("x", 55)), "request.content-type||of a strange type"},
		"a type just so long":       {post, header("Content-Type", "text/"+strings.Repeat("x", 54)), "request.content-type||xxx"},
		"a form for JSON":           {post, header("Content-Type", "application/x-www-form-urlencoded"), "request.content-type||not application/json"},
		"a form called JSON":        {deletion, header("Content-Type", "application/json"), "request.body.encoding||not JSON"},
		"a byte on a GET":           {get, body("1"), "request.body.schema||takes no body"},
		"a filter of a byte":        {search, body("1"), "request.body.schema||want an object"},
		"a type hides no body":      {func() *conformance.Exchange { return good("POST", "/batch/events", `{}`, `{"results":1}`) }, header("Content-Type", "text/xml"), "request.body.schema|/events|required"},
		"a type, its body unknown": {post, func(x *conformance.Exchange) {
			x.Request.Body, x.Request.BodyState = nil, conformance.BodyMissing
			x.Request.Header.Set("Content-Type", "text/xml")
		}, "request.content-type||text/xml"},
		"a status of no class":   {get, status(600), "response.status||600"},
		"the last of the others": {get, status(399), "response.status||399"},
		"a picture for an error": {get, func(x *conformance.Exchange) {
			x.Response.Status = 400
			x.Response.Header.Set("Content-Type", "image/png")
		}, "response.content-type.drift||image/png"},
		"a name that is a secret":                 {post, answer(`{"results":1,"sk_live_0123456789":1}`), "response.body.drift|/(name withheld)|"},
		"a name that may be a number of somebody": {post, answer(`{"results":1,"49a":1}`), "response.body.drift|/(name withheld)|"},
		"events where there are none":             {commands, body(`{"command":[{"command":"subscribe","email":"a@example.com"}],"events":[{"type":"$purchase"}]}`), "request.body.schema|/events|not in the contract"},
		"an input beside a body that nobody kept": {validation, func(x *conformance.Exchange) {
			x.Request.URL += "&email=a@example.com"
			x.Request.BodyState = conformance.BodyMissing
		}, "request.query.unknown||no parameter email"},
		"no input at all": {validation, url("/experimental/validation?site_uuid=x"), "request.body.schema||empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := tc.of()
			tc.change(x)
			verdict := newChecker(t).Check(x)
			require.Empty(t, verdict.Skipped)
			parts := strings.Split(tc.want, "|")
			var texts []string
			hit := false
			for _, f := range verdict.Findings {
				texts = append(texts, fmt.Sprintf("%s|%s|%s", f.Rule, f.Pointer, f.Message))
				hit = hit || f.Rule == parts[0] && f.Pointer == parts[1] && strings.Contains(f.Message, parts[2])
				assert.NotEmpty(t, f.Hint)
				assert.Equal(t, strings.HasPrefix(f.Rule, "response."), f.Side == conformance.SideResponse)
			}
			assert.True(t, hit, "want %s, found %q", tc.want, texts)
			assert.LessOrEqual(t, len(texts), 2, "one fault, one finding: %q", texts)
			assert.NotContains(t, strings.Join(texts, "\n"), canary)
		})
	}
}

func TestANumberThatIsNoIntegerIsFoundOnce(t *testing.T) {
	t.Parallel()
	for _, number := range []string{"1.5", "1e30", "9223372036854775808"} {
		assert.Len(t, newChecker(t).Check(good("POST", "/batch/events", oneEvent, `{"results":`+number+`}`)).Findings, 1, number)
	}
	both := good("POST", "/batch/events", oneEvent, `{"results":"one","failed":1e30}`)
	assert.Len(t, newChecker(t).Check(both).Findings, 2, "another fault hides none")
}

// Of a command both its own schema and that of its shape name the address.
func TestAnAddressOfACommandIsFoundOnce(t *testing.T) {
	t.Parallel()
	x := good("POST", "/fetch/commands", `{"command":[{"command":"add_tag","email":"nobody","query":"vip"}]}`, `{"results":1}`)
	assert.Equal(t, "payload.email /command/0/email: an email address is malformed", said(newChecker(t), x))
}

// A key is one fault, by its name or by its looks; what stands below a secret's name is another.
func TestASecretIsFoundOnce(t *testing.T) {
	t.Parallel()
	for member, want := range map[string]int{`"api_key":"sk_live_0123456789"`: 1, `"secret":{"password":"x"}`: 2, `"secret":["sk_live_0123456789","a"]`: 2} {
		assert.Len(t, newChecker(t).Check(good("POST", "/batch/events", eventBody(`"details":{`+member+`}`), `{"results":1}`)).Findings, want, member)
	}
}
