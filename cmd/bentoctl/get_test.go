package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// Whatever can be asked for without changing anything.
var everyRead = []string{
	"subscriber ari@example.com", "subscribers --tags vip --created-after 2024-01-01", "tags", "fields", "segments", "segment segment_1", "form-responses form_1",
	"broadcasts", "sequences", "workflows", "template 1", "stats", "segment-stats segment_1", "report report_1", "ad-stats",
	"conversations --status open --assignee all --inbox 1 --query hello --all", "conversations-with ari@example.com", "conversation 1", "inboxes",
	"delivery-report --start 2024-01-31T08:00:00Z", "delivery-events ari@example.com --start 2024-01-31 --limit 1", "validate-email ari@example.com",
	"ruleset ari@example.com", "moderation Hello", "gender Ari", "geolocation 203.0.113.7", "blacklist --domain acme.example",
}

// Whatever the contract can be asked for without changing anything, get asks for.
func TestGetReadsWhateverThereIsToRead(t *testing.T) {
	server := serving(t, fake.WithBroadcasts(60))
	fakeASite(t)
	for _, args := range everyRead {
		for _, format := range []string{"table", "json", "ndjson", "csv"} {
			r := bentoctl(t.Context(), "", append(append([]string{"get"}, strings.Fields(args)...), "--format", format)...)
			require.Equal(t, 0, r.code, "%s: %s", args, r.err)
			if format == "json" {
				assert.True(t, json.Valid([]byte(r.out)), args)
			}
			assert.NotContains(t, r.out, "…", "%s: nothing is cut where nobody looks", args)
		}
	}
	asked := map[string]bool{}
	for _, x := range server.Exchanges() {
		asked[x.Operation] = true
	}
	for _, op := range gen.Operations() {
		reads := op.Method == http.MethodGet || op.Limit.Name == "experimental" && op.ID != gen.OpMatchSegment
		assert.Equal(t, reads || asked[op.ID], asked[op.ID], op.ID)
	}
}

// fakeASite gives the fake a person with tags and fields, and a conversation with them.
func fakeASite(t *testing.T) {
	t.Helper()
	r := bentoctl(t.Context(), "email,first_name,tags\nari@example.com,\"Ari \x1b[31m\",\"vip,beta\"\n", "import", "subscribers", "-", "--yes", "-q", "--limits", "off", "--output-dir", t.TempDir())
	require.Equal(t, 0, r.code, r.err)
	client, err := bento.FromEnv("AcmeCRM/1.0")
	require.NoError(t, err)
	_, err = client.StartConversation(t.Context(), bento.ConversationStart{InboxID: 1, ContactEmail: "ari@example.com", MessageContent: "Hello"})
	require.NoError(t, err)
}

func TestGetOneThing(t *testing.T) {
	serving(t)
	fakeASite(t)
	r := bentoctl(t.Context(), "", "get", "subscriber", "ari@example.com")
	assert.Contains(t, r.out, "email              ari@example.com\n")
	assert.Contains(t, r.out, `fields.first_name  Ari \x1b[31m`, "what would colour the terminal is shown")
	r = bentoctl(t.Context(), "", "get", "subscriber", "ari@example.com", "--json")
	var person gen.Subscriber
	require.NoError(t, json.Unmarshal([]byte(r.out), &person))
	assert.Equal(t, "ari@example.com", person.Attributes.Email)
	r = bentoctl(t.Context(), "", "get", "subscriber", "nobody@example.com")
	assert.Equal(t, result{1, "", "bentoctl: Bento knows no such subscriber\n"}, r)
	for _, args := range []string{"subscriber", "subscriber a@b.co --uuid x", "template one", "broadcasts --status gone", "subscribers --created-after soon", "tags --format xml", "delivery-report --start soon", "conversation one", "conversations --inbox one", "conversations --status gone", "broadcasts --page 2 --all", "nothing"} {
		assert.Equal(t, 2, bentoctl(t.Context(), "", append([]string{"get"}, strings.Fields(args)...)...).code, args)
	}
}

// What the contract does not name is shown by the names that it has.
func TestGetShowsWhatHasNoKnownNames(t *testing.T) {
	serving(t)
	r := bentoctl(t.Context(), "", "get", "delivery-events", "ari@example.com", "--format", "csv")
	assert.Equal(t, result{0, "", ""}, r, "nothing, and no names")
	r = bentoctl(t.Context(), "", append(letter, "--html", "x")...)
	require.Equal(t, 0, r.code, r.err)
	for format, names := range map[string]string{"csv": "created_at,email,event,subject\n", "table": "created_at         email            event     subject\n"} {
		r = bentoctl(t.Context(), "", "get", "delivery-events", "ari@example.com", "--format", format)
		assert.True(t, strings.HasPrefix(r.out, names), r.out)
		assert.Contains(t, r.out, "Hello\n")
	}
	r = bentoctl(t.Context(), "", "get", "delivery-report")
	assert.Equal(t, result{0, "accepted  1\n", ""}, r)
}

// Every value has a column, whatever the things beside it hold; and a name is shown as a value is.
func TestThingsOfSeveralKindsHaveTheColumnsOfAll(t *testing.T) {
	point(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"events":[{"event":"bounce","details":{"code":550}},{"event":"click","details":{"url":"https://a.example"}},{"event":"open","details":"text","\u001b[2J":1}],"meta":{"page":1}}`)
	}))
	r := bentoctl(t.Context(), "", "get", "delivery-events", "ari@example.com", "--format", "csv")
	require.Equal(t, 0, r.code, r.err)
	header, _, _ := strings.Cut(r.out, "\n")
	assert.Equal(t, "\x1b[2J,details,details.code,details.url,event", header)
	for _, value := range []string{"550", "https://a.example", "text"} {
		assert.Contains(t, r.out, value)
	}
	r = bentoctl(t.Context(), "", "get", "delivery-events", "ari@example.com")
	assert.NotContains(t, r.out, "\x1b")
	assert.Contains(t, r.out, `\x1b[2J`)
}

func TestGetPages(t *testing.T) {
	inNoTime(t, func(t *testing.T, _ *fake.Server) {
		count := func(args ...string) (lines int, said string) {
			r := bentoctl(t.Context(), "", append([]string{"get", "broadcasts"}, args...)...)
			require.Equal(t, 0, r.code, r.err)
			return strings.Count(r.out, "\n"), r.err
		}
		lines, said := count()
		assert.Equal(t, 11, lines, "a header, and a page")
		assert.Equal(t, "page 1; --page 2 for the next, --all for every one\n", said)
		lines, said = count("--page", "9")
		assert.Zero(t, lines)
		assert.Equal(t, "nothing on page 9\n", said)
		lines, _ = count("--all", "--format", "csv", "-q")
		assert.Equal(t, 31, lines)
	}, fake.WithBroadcasts(30))
}

func TestRunOneCommand(t *testing.T) {
	server := serving(t)
	for _, args := range []string{"add-tag ari@example.com vip", "add-tag-via-event ari@example.com beta", "add-field ari@example.com plan pro", "subscribe ari@example.com"} {
		r := bentoctl(t.Context(), "", append([]string{"run"}, strings.Fields(args)...)...)
		assert.Equal(t, 0, r.code, r.err)
	}
	person, _ := server.Subscriber("ari@example.com")
	assert.Len(t, person.Attributes.CachedTagIds, 2)
	assert.Equal(t, "pro", person.Attributes.Fields["plan"])
	for _, args := range []string{"remove-tag ari@example.com vip", "remove-field ari@example.com plan", "unsubscribe ari@example.com", "change-email ari@example.com ari@acme.example"} {
		words := append([]string{"run"}, strings.Fields(args)...)
		r := bentoctl(t.Context(), "", words...)
		assert.Equal(t, 2, r.code, "what is gone after it is asked for first")
		assert.Contains(t, r.err, "--yes confirms")
		r = bentoctl(t.Context(), "", append(words, "--yes")...)
		assert.Equal(t, 0, r.code, r.err)
	}
	person, known := server.Subscriber("ari@acme.example")
	require.True(t, known)
	assert.Len(t, person.Attributes.CachedTagIds, 1)
	assert.Empty(t, person.Attributes.Fields)
	assert.False(t, person.Attributes.UnsubscribedAt.IsZero())
	assert.Equal(t, 2, bentoctl(t.Context(), "", "run", "add-tag", "nobody", "vip").code)
}

func TestRunAFile(t *testing.T) {
	server := serving(t)
	file := write(t, "commands.ndjson", `{"command":"add_tag","email":"ari@example.com","query":"vip"}
{"command":"fly","email":"ari@example.com"}
{"command":"unsubscribe","email":"bo@example.com"}
{"command":"add_tag","email":"nobody","query":"vip"}
`)
	assert.Equal(t, 2, bentoctl(t.Context(), "", "run", "--file", file).code)
	assert.Zero(t, server.Counts().Requests)
	r := bentoctl(t.Context(), "", "run", "--file", file, "--yes")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.out, "2 of 4 commands accepted\n")
	assert.Contains(t, r.out, "commands.ndjson:4: email is not an address")
	assert.Contains(t, r.out, "commands.ndjson:2: ")
	bo, _ := server.Subscriber("bo@example.com")
	assert.False(t, bo.Attributes.UnsubscribedAt.IsZero())
	for _, args := range [][]string{{"--file", "-"}, {"--file", file + "x", "--yes"}, {"--file", write(t, "x.csv", "email\n"), "--yes"}, {"fly", "ari@example.com"}} {
		assert.Equal(t, 2, bentoctl(t.Context(), "", append([]string{"run"}, args...)...).code, args)
	}
}

// refusing is a way to Bento that refuses whatever names odd@example.com.
type refusing struct{ http.RoundTripper }

func (r refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	body := readAllOf(req.Body)
	if strings.Contains(body, "odd@example.com") {
		return &http.Response{
			StatusCode: http.StatusUnprocessableEntity, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(`{"error":"visitor is odd"}`)), Request: req,
		}, nil
	}
	req = req.Clone(req.Context())
	req.Body = io.NopCloser(strings.NewReader(body))
	return r.RoundTripper.RoundTrip(req)
}

// A command that Bento refuses is named by its line, and the others are run.
func TestACommandThatBentoRefusesIsFound(t *testing.T) {
	inNoTime(t, func(t *testing.T, server *fake.Server) {
		http.DefaultTransport = refusing{http.DefaultTransport}
		var lines strings.Builder
		for _, name := range []string{"ari", "bo", "odd", "cy"} {
			lines.WriteString(`{"command":"add_tag","email":"` + name + `@example.com","query":"vip"}` + "\n")
		}
		r := bentoctl(t.Context(), lines.String(), "run", "--file", "-", "--yes")
		assert.Equal(t, 1, r.code)
		assert.Contains(t, r.out, "3 of 4 commands accepted")
		assert.Contains(t, r.out, "line 3: ")
		assert.Contains(t, r.out, "visitor is odd")
		assert.Equal(t, 3, server.Counts().People)
	})
}

// A list of verbs says what each is for.
func TestEveryVerbSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	every(newRoot(&globals{}), func(cmd *cobra.Command) {
		assert.NotEmpty(t, cmd.Short, cmd.CommandPath())
	})
}
