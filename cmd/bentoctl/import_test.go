package main

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// serving starts a fake, and makes the environment name it.
func serving(t *testing.T, opts ...fake.Option) *fake.Server {
	t.Helper()
	server, err := fake.New(opts...)
	require.NoError(t, err)
	point(t, server)
	return server
}

func point(t *testing.T, handler http.Handler) {
	t.Helper()
	listening := httptest.NewServer(handler)
	t.Cleanup(listening.Close)
	pointTo(t, listening.URL+gen.BasePath)
}

func pointTo(t *testing.T, base string) {
	t.Helper()
	for name, value := range map[string]string{
		bento.EnvBaseURL: base, bento.EnvPublishableKey: "pk_canary", bento.EnvSecretKey: "sk_canary", bento.EnvSiteUUID: "site_canary",
		bento.EnvUserAgent: "AcmeCRM/1.0",
	} {
		t.Setenv(name, value)
	}
}

// inNoTime runs f beside a Bento that bentoctl reaches by a pipe, in a bubble of time: a pace costs none.
func inNoTime(t *testing.T, f func(t *testing.T, server *fake.Server), opts ...fake.Option) {
	t.Helper()
	through := http.DefaultTransport
	defer func() { http.DefaultTransport = through }()
	synctest.Test(t, func(t *testing.T) {
		server, err := fake.New(opts...)
		require.NoError(t, err)
		pipe := server.Pipe()
		http.DefaultTransport = pipe.Transport()
		pointTo(t, "http://127.0.0.1"+gen.BasePath)
		f(t, server)
		require.NoError(t, pipe.Close())
	})
}

// crowd is a CSV of n of them.
func crowd(n int) string {
	var text strings.Builder
	text.WriteString("email,first_name,plan\n")
	for i := range n {
		fmt.Fprintf(&text, "person%d@example.com,Ari,pro\n", i)
	}
	return text.String()
}

func faultsOf(t *testing.T, spec string) fake.Option {
	t.Helper()
	armed, err := fake.ParseFaults(spec)
	require.NoError(t, err)
	return fake.WithFaults(armed...)
}

func TestAnImportTellsWhatBecameOfEveryRow(t *testing.T) {
	server := serving(t)
	file := write(t, "people.csv", "Email Address,First Name,Status,Seats\n"+
		"ari@example.com,Ari,active,3\nbo@example.com,,unsubscribed,\nnot an address,,,\ncy@example.com,,bounced,\ndee@example.com,Dee,active,many\neli@example.com,Eli\n")
	r := bentoctl(t.Context(), "", "import", "subscribers", file, "--yes", "--type", "seats=number", "--tag", "imported", "--limits", "off")
	assert.Equal(t, 1, r.code, r.err)
	assert.Contains(t, r.err, "First Name     → first_name\n")
	assert.Contains(t, r.err, "Status         says who may be written to\n")
	assert.Contains(t, r.err, "not imported: 3 rows")
	for _, want := range []string{"6 rows read", "1 accepted", "2 not active  1 bounced, 1 unsubscribed", "3 left out", "line 4: email is not an address", "line 6: seats is not a number", "line 7: 2 cells under 4 columns"} {
		assert.Contains(t, r.out, want)
	}
	ari, known := server.Subscriber("ari@example.com")
	require.True(t, known)
	assert.EqualValues(t, 3, ari.Attributes.Fields["seats"])
	assert.Equal(t, 1, server.Counts().People, "who may not be written to is not imported")
	dir := filepath.Dir(file)
	rejected, err := os.ReadFile(filepath.Join(dir, "people.rejected.csv"))
	require.NoError(t, err)
	assert.Equal(t, "Email Address,First Name,Status,Seats,bento_line,bento_reason,bento_raw\nnot an address,,,,4,email is not an address,\n"+
		"dee@example.com,Dee,active,many,6,seats is not a number,\neli@example.com,Eli,,,7,2 cells under 4 columns,\n", string(rejected))
	suppressed, err := os.ReadFile(filepath.Join(dir, "people.suppressed.csv"))
	require.NoError(t, err)
	assert.Contains(t, string(suppressed), "bo@example.com,,unsubscribed,,3,unsubscribed\n")
	left, err := filepath.Glob(filepath.Join(dir, "*.bentoctl-import"))
	require.NoError(t, err)
	assert.Empty(t, left, "a checkpoint of what is done is of no use")

	// What was left out is mended, and given again as it is.
	mended := write(t, "mended.csv", strings.Replace(strings.Replace(string(rejected), "many", "7", 1), "not an address", "fae@example.com", 1))
	r = bentoctl(t.Context(), "", "import", "subscribers", mended, "--yes", "-q", "--type", "Seats=number", "--limits", "off", "--map", "Seats=Seats")
	assert.Equal(t, result{}, r)
	assert.Equal(t, 4, server.Counts().People)
}

// A row that is no CSV is set aside as it stands in the file, so that it can be mended there.
func TestARowThatIsNoCSVIsKept(t *testing.T) {
	server := serving(t)
	file := write(t, "people.csv", "email,first_name,plan\n\"ari@example.com,\"Ari \"the\" Great\",pro\r\nbo@example.com,Bo,pro\ncy@example.com,Cy \"C\" C,"+strings.Repeat("x", 20<<10)+"\n")
	r := bentoctl(t.Context(), "", "import", "subscribers", file, "--yes", "--limits", "off")
	assert.Equal(t, 1, r.code, r.err)
	set := filepath.Join(filepath.Dir(file), "people.rejected.csv")
	text, err := os.ReadFile(set)
	require.NoError(t, err)
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, []string{"email", "first_name", "plan", "bento_line", "bento_reason", "bento_raw"}, rows[0])
	assert.Equal(t, []string{"", "", "", "2", `extraneous or missing " in quoted-field`, `"ari@example.com,"Ari "the" Great",pro`}, rows[1])
	assert.Equal(t, "4", rows[2][3])
	assert.Equal(t, `cy@example.com,Cy "C" C,`+strings.Repeat("x", 16<<10-24)+"…", rows[2][5], "as much of it as anybody looks at")
	mended := strings.Replace(string(text), ",,,2", "ari@example.com,Ari the Great,pro,2", 1)
	r = bentoctl(t.Context(), "", "import", "subscribers", write(t, "mended.csv", mended), "--yes", "--limits", "off")
	assert.Contains(t, r.err, "bento_raw     is left out\n")
	ari, known := server.Subscriber("ari@example.com")
	require.True(t, known)
	assert.Equal(t, map[string]any{"first_name": "Ari the Great", "plan": "pro"}, map[string]any(ari.Attributes.Fields))
}

func TestADryRunSendsAndWritesNothing(t *testing.T) {
	server := serving(t)
	file := write(t, "people.csv", crowd(2500)+"nobody,,\n")
	r := bentoctl(t.Context(), "", "import", "subscribers", file, "--dry-run", "--sample", "1", "--limit", "2000")
	assert.Equal(t, 0, r.code, r.err)
	assert.Contains(t, r.out, `{"email":"person0@example.com","first_name":"Ari","plan":"pro"}`)
	assert.NotContains(t, r.out, "person1@")
	assert.Contains(t, r.out, "2,000 to be sent")
	r = bentoctl(t.Context(), "", "import", "subscribers", file, "--dry-run", "--json")
	assert.Equal(t, 1, r.code)
	var report struct {
		Files []struct {
			Read    int
			LeftOut int `json:"left_out"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(r.out), &report))
	assert.Equal(t, 2501, report.Files[0].Read)
	assert.Equal(t, 1, report.Files[0].LeftOut)
	assert.Zero(t, server.Counts().Requests)
	entries, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}

// Nobody is imported by accident: not without a word, not from a file whose name says otherwise.
func TestAnImportIsMeant(t *testing.T) {
	server := serving(t)
	file := write(t, "people.csv", crowd(3))
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"subscribers", file}, "not confirmed: nothing was sent (--yes confirms)"},
		{[]string{"subscribers", "-"}, "give --yes"},
		{[]string{"subscribers", "--yes", write(t, "unsubscribed_members.csv", crowd(3))}, "--as unsubscribed, or --as active"},
		{[]string{"subscribers", "--yes", "--as", "gone", file}, `--as "gone"`},
		{[]string{"subscribers", "--yes", "--suppress", "no", file}, `--suppress "no"`},
		{[]string{"subscribers", "--yes", "--limits", "fast", file}, `--limits "fast"`},
		{[]string{"subscribers", "--yes", file + "x"}, "no such file"},
		{[]string{"subscribers", "--yes", write(t, "x.csv", "a,b\n")}, "no column holds addresses"},
		{[]string{"subscribers"}, "FILE is missing"},
		{[]string{"events", "--yes", "--unknown", "perhaps", file}, `--unknown "perhaps"`},
	} {
		r := bentoctl(t.Context(), "", append([]string{"import"}, tc.args...)...)
		assert.Equal(t, 2, r.code, tc.args)
		assert.Contains(t, r.err, tc.want)
	}
	assert.Zero(t, server.Counts().Requests)
	r := bentoctl(t.Context(), "yes\n", "import", "subscribers", file, "--limits", "off")
	assert.Equal(t, 0, r.code, r.err)
	r = bentoctl(t.Context(), crowd(2), "import", "subscribers", "-", "--confirm", "--limits", "off", "--output-dir", t.TempDir())
	assert.Equal(t, 0, r.code, "other tools say --confirm: %s", r.err)
	assert.Equal(t, 5, server.Counts().Subscribers.Accepted)
}

func TestWhoHasLeftIsToldToBento(t *testing.T) {
	server := serving(t)
	file := write(t, "people.csv", "email,status\nari@example.com,active\nbo@example.com,unsubscribed\n")
	r := bentoctl(t.Context(), "", "import", "subscribers", file, "--yes", "--suppress", "unsubscribe", "--limits", "off")
	assert.Equal(t, 0, r.code, r.err)
	bo, known := server.Subscriber("bo@example.com")
	require.True(t, known)
	assert.False(t, bo.Attributes.UnsubscribedAt.IsZero())
	r = bentoctl(t.Context(), "", "import", "subscribers", write(t, "cleaned.csv", "email\ncy@example.com\n"), "--yes", "--as", "bounced", "--suppress", "unsubscribe", "--limits", "off")
	assert.Equal(t, 0, r.code, r.err)
	cy, _ := server.Subscriber("cy@example.com")
	assert.False(t, cy.Attributes.UnsubscribedAt.IsZero())
	ops := server.Exchanges()
	assert.Equal(t, []string{gen.OpRunCommands, gen.OpImportSubscribers, gen.OpRunCommands}, []string{ops[0].Operation, ops[1].Operation, ops[2].Operation}, "who has left first")
}

// Lines that the contract does not allow are left out, each with what is wrong with it.
func TestEventsAreJudgedByTheContract(t *testing.T) {
	server := serving(t)
	lines := `{"type":"$a","email":"ari@example.com"}
{"type":"","email":"ari@example.com"}
{"type":"$a","email":"ari@example.com","bogus":1}
{"type":"$a","email":"ari@example.com","fields":{"a":tru}}
{"type":"$b","email":"ari@example.com","details":{"unique":{"key":"1"}}}
`
	r := bentoctl(t.Context(), lines, "import", "events", "-", "--yes", "--limits", "off", "--output-dir", t.TempDir())
	assert.Equal(t, 1, r.code)
	for _, want := range []string{"2 accepted", "line 2: type must not be empty", "line 3: bogus is not in the contract", "line 4: the body is not JSON"} {
		assert.Contains(t, r.out, want)
	}
	assert.Equal(t, map[string]int{"$a": 1, "$b": 1}, server.EventTypes())
}

// What Bento refuses for what is in it is found, and the rest is imported.
func TestTheRecordThatBentoRefusesIsFound(t *testing.T) {
	server, err := fake.New()
	require.NoError(t, err)
	point(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		all := readAllOf(req.Body)
		if strings.Contains(all, "person77@") {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = w.Write([]byte(`{"error":"person is odd"}`))
			return
		}
		req.Body = io.NopCloser(strings.NewReader(all))
		server.ServeHTTP(w, req)
	}))
	r := bentoctl(t.Context(), "", "import", "subscribers", write(t, "people.csv", crowd(200)), "--yes", "--limits", "off")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.out, "199 accepted")
	assert.Contains(t, r.out, "line 79:")
	assert.Contains(t, r.out, "person is odd")
}

// An import takes as long as the limit asks, hardly longer, and nothing of it is refused.
func TestAnImportIsAsFastAsTheLimitAllows(t *testing.T) {
	file := write(t, "people.csv", crowd(50_000))
	limits, err := fake.ParseLimits("60/min:sliding")
	require.NoError(t, err)
	inNoTime(t, func(t *testing.T, server *fake.Server) {
		began := time.Now()
		r := bentoctl(t.Context(), "", "import", "subscribers", file, "--yes", "--limits", "60/min")
		took := time.Since(began)
		assert.Equal(t, 0, r.code, r.err)
		counts := server.Counts()
		assert.Equal(t, 50_000, counts.Subscribers.Accepted)
		assert.Zero(t, counts.Limited)
		ideal := 50 * time.Second // fifty requests at sixty a minute
		assert.LessOrEqual(t, took.Seconds(), 1.03*ideal.Seconds())
		t.Logf("%v, ideal %v: %.3f", took, ideal, took.Seconds()/ideal.Seconds())
		assert.Contains(t, r.err, "people.csv: █", "it tells how far it is, ten seconds apart")
		assert.Contains(t, r.err, " left\n")
	}, fake.WithLimits(limits))
}

// An answer that counts too few is told, and the import goes on: sending the same again would bring
// the same answer.
func TestAnAnswerThatCountsTooFewDoesNotStopAnImport(t *testing.T) {
	var asked atomic.Int32
	point(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		asked.Add(1)
		_ = readAllOf(req.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"results":990,"failed":0}`)
	}))
	file := write(t, "people.csv", crowd(2000))
	r := bentoctl(t.Context(), "", "import", "subscribers", file, "--yes", "--limits", "off")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.out, "1,980 accepted")
	assert.Contains(t, r.out, "20 unknown")
	assert.Contains(t, r.out, "lines 1002 to 2001: Bento's answer counts fewer records than were sent")
	assert.EqualValues(t, 2, asked.Load())
	left, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*.bentoctl-import"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

// The members of Mailchimp's ZIP are imported by what their names say.
func TestAZipIsImportedByItsNames(t *testing.T) {
	server := serving(t)
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	for name, email := range map[string]string{"subscribed_1.csv": "ari", "unsubscribed_1.csv": "bo", "cleaned_1.csv": "cy"} {
		member, err := archive.Create(name)
		require.NoError(t, err)
		_, _ = io.WriteString(member, "Email Address\n"+email+"@example.com\n")
	}
	require.NoError(t, archive.Close())
	file := write(t, "export.zip", packed.String())
	r := bentoctl(t.Context(), "", "import", "subscribers", file, "--yes", "--limits", "off")
	assert.Equal(t, 0, r.code, r.err)
	assert.Equal(t, 2, strings.Count(r.err, ": nobody is imported"))
	named := write(t, "unsubscribed.zip", packed.String())
	assert.Contains(t, bentoctl(t.Context(), "", "import", "subscribers", named, "--yes").err, "say what they are by --as unsubscribed")
	assert.Equal(t, 2, strings.Count(bentoctl(t.Context(), "", "import", "subscribers", named, "--yes", "--limits", "off", "--as", "active").err, ": nobody is imported"), "its members say so")
	assert.Equal(t, 1, server.Counts().People)
	set, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*.suppressed.csv"))
	require.NoError(t, err)
	assert.Len(t, set, 2)
}
