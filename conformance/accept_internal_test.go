package conformance

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A sample is a body of the contract's own examples.
type sample struct {
	name string
	content
	body []byte
}

// samples are the JSON examples of a contract, in an order that does not change.
func samples(t testing.TB, c *Checker) []sample {
	t.Helper()
	var all []sample
	add := func(name string, side Side, bodies openapi3.Content) {
		media := bodies["application/json"]
		if media == nil {
			return
		}
		examples := map[string]any{"": media.Example}
		for key, example := range media.Examples {
			examples[key] = example.Value.Value
		}
		for _, key := range slices.Sorted(maps.Keys(examples)) {
			if examples[key] == nil {
				continue
			}
			body, err := json.Marshal(examples[key])
			require.NoError(t, err)
			all = append(all, sample{name + " " + key, content{side, media.Schema.Value}, body})
		}
	}
	for path, item := range c.doc.Paths.Map() {
		for method, op := range item.Operations() {
			name := method + " " + path
			if op.RequestBody != nil {
				add(name, SideRequest, op.RequestBody.Value.Content)
			}
			for status, answer := range op.Responses.Map() {
				add(name+" "+status, SideResponse, answer.Value.Content)
			}
		}
	}
	slices.SortFunc(all, func(a, b sample) int { return cmp.Compare(a.name, b.name) })
	return all
}

// slowly is the judgment of the authority alone.
func slowly(of content, body []byte) []Finding {
	value, err := decodeJSON(body)
	if err != nil {
		return []Finding{{Message: err.Error()}}
	}
	findings := validate(of.side, of.schema, value)
	if isEvents(of.side, of.schema) {
		findings = append(findings, checkPurchases(body)...)
	}
	return findings
}

func newTestChecker(t testing.TB) *Checker {
	t.Helper()
	c, err := New()
	require.NoError(t, err)
	return c
}

// Of the contract's own examples only those of commands, which their discriminator tells apart,
// have to be judged slowly.
func TestTheExamplesAreSurelyFine(t *testing.T) {
	t.Parallel()
	c := newTestChecker(t)
	for _, s := range samples(t, c) {
		if strings.Contains(s.name, "/fetch/commands") && s.side == SideRequest {
			continue
		}
		assert.True(t, c.sure[s.content].accepts(s.body, nil), "%s: %s", s.name, s.body)
		assert.Empty(t, slowly(s.content, s.body), s.name)
	}
}

// spoiled changes a body as accidents and programs do.
func spoiled(rng *rand.Rand, body, other []byte) []byte {
	changed := bytes.Clone(body)
	at := rng.IntN(len(changed) + 1)
	tokens := []string{
		`null`, `true`, `-0`, `1e30`, `9223372036854775808`, `1.5`, `""`, `"\ud800"`, `"\u0061"`, "\xff", `{}`, `[]`, `,`, `:`, `"`, `"a":1,`, `"data":null,`,
		`[1]`, `"sk_live_0123456789"`, `"ghp_0123456789012345678901"`, `"x glpat-01234567890123456789"`, `"xoxb-0123456789"`, `"whsec_0123456789"`, `"AKIA0123456789ABCDEF"`, `"order-1_and-2_more"`, `"firstName"`, `"api_key":"x",`, `"2024-02-30T00:00:00Z"`, `"a@b"`, ` `, `{"a":{"b":[{"C":1}]}}`, `"id"`, `0`,
	}
	switch rng.IntN(6) {
	case 0:
		if len(changed) > 0 {
			changed[rng.IntN(len(changed))] = byte(rng.IntN(256))
		}
	case 1:
		changed = changed[:at]
	case 2:
		changed = slices.Insert(changed, at, []byte(tokens[rng.IntN(len(tokens))])...)
	case 3: // a value for another
		var values [][]byte
		for v := range bytes.SplitSeq(other, []byte(":")) {
			values = append(values, v)
		}
		value := values[rng.IntN(len(values))]
		changed = slices.Insert(changed, at, value...)
	case 4: // one token in the place of another
		from := bytes.IndexByte(changed[min(at, len(changed)-1):], ':') + min(at, len(changed)-1) + 1
		to := from + max(0, bytes.IndexAny(changed[from:], ",}]"))
		changed = slices.Replace(changed, from, to, []byte(tokens[rng.IntN(len(tokens))])...)
	case 5: // a stretch twice
		to := at + rng.IntN(len(changed)-at+1)
		changed = slices.Insert(changed, to, changed[at:to]...)
	}
	return changed
}

// The acceptor never takes what the authority would object to.
func TestSureIsSure(t *testing.T) {
	t.Parallel()
	c := newTestChecker(t)
	all := samples(t, c)
	rng := rand.New(rand.NewPCG(1, 2))
	accepted, refused := 0, 0
	for range 40_000 {
		s := all[rng.IntN(len(all))]
		body := s.body
		for range 1 + rng.IntN(3) {
			if len(body) > 0 {
				body = spoiled(rng, body, all[rng.IntN(len(all))].body)
			}
		}
		if !c.sure[s.content].accepts(body, nil) {
			refused++
			continue
		}
		accepted++
		require.Empty(t, slowly(s.content, body), "%s: %q", s.name, body)
	}
	t.Logf("%d accepted, %d left to the authority", accepted, refused)
	assert.Greater(t, accepted, 400)
}

func FuzzAccept(f *testing.F) {
	c, err := New()
	if err != nil {
		f.Fatal(err)
	}
	all := samples(f, c)
	for i, s := range all {
		f.Add(uint16(i), s.body)
	}
	f.Fuzz(func(t *testing.T, which uint16, body []byte) {
		s := all[int(which)%len(all)]
		if !c.sure[s.content].accepts(body, nil) {
			return
		}
		if findings := slowly(s.content, body); len(findings) > 0 {
			t.Fatalf("%s: accepted %q, but %v", s.name, body, findings)
		}
	})
}

// Bodies alone, of both kinds: the acceptor, and the authority for comparison.
func BenchmarkBodies(b *testing.B) {
	c := newTestChecker(b)
	list := func(head, item string, n int) []byte {
		items := make([]string, n)
		for i := range items {
			items[i] = strings.ReplaceAll(item, "%d", strconv.Itoa(i))
		}
		return []byte(head + strings.Join(items, ",") + "]}")
	}
	events := c.operation("trackEvents").RequestBody.Value.Content["application/json"].Schema.Value
	tags := c.operation("listTags").Responses.Value("200").Value.Content["application/json"].Schema.Value
	for name, bench := range map[string]struct {
		of   content
		body []byte
	}{
		"events": {content{SideRequest, events}, list(`{"events":[`, `{"type":"$purchase","email":"person%d@example.com","date":"2026-06-10T09:30:00Z",`+
			`"fields":{"first_name":"Ari","seats":3},"details":{"unique":{"key":"order-%d"},"value":{"currency":"USD","amount":7995}}}`, 1000)},
		"tags": {content{SideResponse, tags}, list(`{"data":[`, `{"id":"%d","type":"tags","attributes":{"name":"newsletter of %d, in German","created_at":"2024-08-06T05:44:04.444Z","discarded_at":null}}`, 1000)},
	} {
		b.Run(name+"/accept", func(b *testing.B) {
			b.SetBytes(int64(len(bench.body)))
			b.ReportAllocs()
			for b.Loop() {
				if !c.sure[bench.of].accepts(bench.body, nil) {
					b.Fatal("not accepted")
				}
			}
		})
		b.Run(name+"/json.Valid", func(b *testing.B) { // which looks at the grammar alone
			b.SetBytes(int64(len(bench.body)))
			for b.Loop() {
				if !json.Valid(bench.body) {
					b.Fatal("not JSON")
				}
			}
		})
		b.Run(name+"/authority", func(b *testing.B) {
			b.SetBytes(int64(len(bench.body)))
			b.ReportAllocs()
			for b.Loop() {
				if len(slowly(bench.of, bench.body)) > 0 {
					b.Fatal("not conformant")
				}
			}
		})
	}
}
