package conformance

import (
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func quoted(texts ...string) []string {
	for i, text := range texts {
		texts[i] = `"` + text + `"`
	}
	return texts
}

func TestNumbersThatAreSure(t *testing.T) {
	t.Parallel()
	const eighteen = "123456789012345678"
	for schema, e := range map[string]edges{
		`{}`: {sure: []string{"0", "-0", "-1.5", eighteen, "0." + eighteen}, slow: []string{eighteen + "9", "0." + eighteen + "9", "1e3"}},
		`{"type":"number"}`: {
			sure: []string{"0", "-0", "9", "1.0", "0.9"}, slow: []string{"1e3", "1E3", "1.5e3"}, wrong: []string{`"0"`},
		},
		`{"type":"number","minimum":0.5}`:               {slow: []string{"1", "0.5"}, wrong: []string{"0.4", "0"}},
		`{"type":"number","maximum":0.5}`:               {slow: []string{"0", "0.5"}, wrong: []string{"0.6", "1"}},
		`{"type":"integer"}`:                            {sure: []string{"0", "9", "-9", eighteen, "-" + eighteen}, wrong: []string{"-0", "1.5", "1.0", "1e3"}},
		`{"type":"integer","minimum":-5,"maximum":105}`: {sure: []string{"-5", "0", "10", "105"}, wrong: []string{"-6", "106", "1000", "-10"}},
		`{"type":"integer","format":"of-another"}`:      {slow: []string{"1"}},
		`{"type":"array","items":{"type":"integer"}}`:   {sure: []string{"[1,2]", "[ 1 ,\t2\r\n]"}},
	} {
		e.hold(t, SideResponse, schema)
	}
}

func TestTextThatIsSure(t *testing.T) {
	t.Parallel()
	for schema, e := range map[string]edges{
		`{"type":"string"}`:               {sure: quoted(``, `ä`, `\n`, `\"\\\/\b\f\r\t`, `\u00e4\ud7ff\ue000\uFFFF`), slow: quoted(`\ud83d\ude00`), wrong: quoted(`\ud800`, `\udfff`)},
		`{"type":"string","minLength":1}`: {sure: quoted(`a`, `ä`, `\n`), wrong: quoted(``)},
		`{"type":"string","minLength":2}`: {sure: quoted(`ab`), slow: quoted(`äöü`, `\n\n`), wrong: quoted(``, `a`, `ä`, `\n`)},
		`{"type":"string","maxLength":2}`: {sure: quoted(``, `ab`, `ä`), slow: quoted(`äö`, `\n`), wrong: quoted(`abc`, `\n\n\n`)},
		`{"type":"string","maxLength":1}`: {sure: quoted(`a`), slow: quoted(`ä`), wrong: quoted(`ab`)},
		`{"type":"string","enum":["a"]}`:  {sure: quoted(`a`), slow: quoted(`\u0061`), wrong: quoted(``, `A`, `aa`, `\u0062`)},
	} {
		e.hold(t, SideResponse, schema)
	}
}

func TestTimesThatAreSure(t *testing.T) {
	t.Parallel()
	edges{
		sure: quoted(
			"2026-01-31T00:00:00Z", "2026-04-30T19:59:59Z", "2026-12-31T23:59:59Z", "2024-02-29T09:09:09Z", "2000-02-29T00:00:00Z", "1904-02-29T00:00:00Z", "2026-10-20T10:20:30Z",
			"2026-01-01T00:00:00.1Z", "2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00-19:59", "2026-01-01T00:00:00.5+05:30",
		),
		wrong: quoted(
			"2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-04-31T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2200-02-29T00:00:00Z",
			"2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026/01/01T00:00:00Z", "2026-01-01T00-00-00Z",
			"026-01-01T00:00:00Z", "2026-1-01T00:00:00Z", "20a6-01-01T00:00:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.aZ", "2026-01-01T00:00:00+1:00",
			"2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+01-00", "2026-01-01T00:00:00*01:00", "2026-01-01T00:00:00+01:0a", "2026-01-01T00:00:00+a1:00", "2026-01-01T00:00:00ZZ",
			"2026-01-01T00:00:0:Z", "2026-01-01T00:00:00.1:Z", "2026-01-01T00:00:00+/1:00", "2026-01-01T00:00:00+0::00", "2026-01-01T00:00:00+01:/0",
			"2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00X", "2026-01-01T00:00:00.1",
		),
		slow: quoted("2026-01-01T00:00:60Z", "2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00+20:00"),
	}.hold(t, SideResponse, `{"type":"string","format":"date-time"}`)
}

func TestAddressesThatAreSure(t *testing.T) {
	t.Parallel()
	local, label := strings.Repeat("a", 64), strings.Repeat("b", 63)
	long := local + "@" + label + "." + label + "." + strings.Repeat("c", 59) + "."
	edges{
		sure: quoted("a@b.c", "ari.b-c_d+e@mail.example.co", "ARI9@EXAMPLE-1.COM", local+"@b.co", "a@"+label+".co", long+"d"),
		wrong: quoted(
			"", "@", "a", "a@", "@b.co", "a@b", "a@.co", "a@b.", "a@b..co", "a b@c.de", "a b.de", "a@ b.de", "a@.b.de", "a@b c.de", "a@@b.co", "a@b.co@c.de", "a"+local+"@b.co", "a@b"+label+".co", long+"dd",
		),
		slow: quoted("a@b_c.de"),
	}.hold(t, SideRequest, `{"type":"string","format":"email"}`)
}

func TestNamesOfFieldsThatAreSure(t *testing.T) {
	t.Parallel()
	sixty := strings.Repeat("a", 60)
	edges{
		sure:  quoted("a", "z", "first_name", "plan_9", "a_1_b", "key", sixty),
		wrong: quoted("", "A", "firstName", "first name", "first-name", "a{", "a`", "a/", "a:", "_a", "a_", "a__b"),
		slow:  quoted("ä", sixty+"a", "monkeys", "my_key", "passenger", "discard"),
	}.hold(t, SideRequest, `{"type":"string","x-bento-field-name":true}`)
}

// Of what looks like a key nothing is sure.
func TestValuesThatAreSurelyNoSecret(t *testing.T) {
	t.Parallel()
	values := edges{
		sure: []string{
			`"short"`, `"_underscored_text"`, `"a_long_way_to_go"`, `"ab-cd-efghijklm"`, `["sk_live_", ["a longer note"]]`, `"A quiet, longer note"`, `"one_two_three_four"`, `"sk_live_"`, `"live_long_and_prosper"`, `"a-b-c-d-e-f-g-h"`, `"glpat-of-nobody"`, `"xoxo-and-a-hug"`, `"AKIA and Else"`,
			`"eyJ is how it begins"`, `"Beware of the dog"`, `"----- a line -----"`, `1`, `true`, `[1]`, `{"a":"b"}`,
		},
		wrong: []string{
			`"sk_live_01234567"`, `"pk_test_01234567"`, `"ghp_01234567890123456789"`, `"glpat-01234567890123456789"`, `"xoxb-0123456789"`, `"whsec_0123456789"`, `"AKIA0123456789ABCDEF"`,
			`"eyJ0123456789.eyJ0123456789.0"`, `"-----BEGIN PRIVATE KEY-----"`, `"Bearer 01234567890123456789"`, `"see sk_live_01234567"`, `"sk_live_\u003012345678"`,
			` "sk_live_01234567"`, `{"a":"sk_live_01234567"}`, `["sk_live_01234567"]`, `[1, ["a", "sk_live_01234567"]]`,
		},
		slow: []string{`"a longer note\n"`, `"Bearer of good news"`},
	}
	for i := range values.sure {
		values.sure[i] = `{"note":` + values.sure[i] + `}`
	}
	for i := range values.wrong {
		values.wrong[i] = `{"note":` + values.wrong[i] + `}`
	}
	for i := range values.slow {
		values.slow[i] = `{"note":` + values.slow[i] + `}`
	}
	values.hold(t, SideRequest, `{"type":"object","additionalProperties":true}`)
}

// What is looked for first is in all that looks like a key.
func FuzzAKeyHasItsMark(f *testing.F) {
	for _, key := range []string{
		"pk_live_01234567", "sk_test_01234567", "ghp_01234567890123456789", "see ghs_01234567890123456789", "glpat-01234567890123456789", "xoxb-0123456789",
		"whsec_0123456789", "AKIA0123456789ABCDEF", "eyJ0123456789.eyJ0123456789.0", "-----BEGIN RSA PRIVATE KEY-----", " Bearer 01234567890123456789\n",
	} {
		require.True(f, isSecretValue(key), key)
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, text string) {
		assert.Equal(t, secretValue.MatchString(strings.TrimSpace(text)), isSecretValue(text))
	})
}

func TestHowMuchIsSure(t *testing.T) {
	t.Parallel()
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	members := func(n int) string {
		var object strings.Builder
		for i := range n {
			object.WriteString(`,"a` + strconv.Itoa(i) + `":1`)
		}
		return "{" + object.String()[1:] + "}"
	}
	forty := members(40)
	edges{
		sure:  []string{nested(65), `{"a":` + nested(64) + `}`, strings.Repeat(`{"a":`, 64) + `1` + strings.Repeat(`}`, 64), members(64), `[` + forty + `,` + forty + `]`, `{"a":{"a":{"a":1}},"b":{"a":1}}`},
		slow:  []string{nested(66), `{"a":` + nested(65) + `}`, members(65), `[` + forty[:len(forty)-1] + `,"b":` + forty + `}]`},
		wrong: []string{`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"a":{"b":1},"a":2}`, `[{"a":1,"b":{"a":1,"a":2}}]`},
	}.hold(t, SideResponse, `{"nullable":true}`)

	edges{sure: []string{`{"a":` + nested(64) + `}`}, slow: []string{`{"a":` + nested(65) + `}`}}.hold(t, SideRequest, `{"type":"object","additionalProperties":true}`)

	properties := func(n int) string {
		s := &openapi3.Schema{Type: &openapi3.Types{"object"}, Properties: openapi3.Schemas{}}
		for i := range n {
			s.Properties["a"+strconv.Itoa(i)] = openapi3.NewSchemaRef("", &openapi3.Schema{Type: &openapi3.Types{"integer"}})
		}
		text, err := s.MarshalJSON()
		require.NoError(t, err)
		return string(text)
	}
	edges{sure: []string{members(64)}, wrong: []string{`{"a1":1,"a1":1}`}}.hold(t, SideResponse, properties(64))
	a, _ := acceptorOf(t, SideResponse, properties(65))
	assert.Nil(t, a)
}

// A schema may hold itself, as a tree does.
func TestASchemaThatHoldsItself(t *testing.T) {
	t.Parallel()
	tree := &openapi3.Schema{Type: &openapi3.Types{"object"}, Properties: openapi3.Schemas{}}
	tree.Properties["left"], tree.Properties["right"] = openapi3.NewSchemaRef("", tree), openapi3.NewSchemaRef("", tree)
	a := compileAcceptor(SideResponse, tree, newRegistry(&openapi3.T{Paths: openapi3.NewPaths()}))
	require.NotNil(t, a)
	deep := func(n int) []byte { return []byte(strings.Repeat(`{"left":`, n) + `{}` + strings.Repeat(`}`, n)) }
	assert.True(t, a.accepts([]byte(`{"left":{},"right":{"left":{}}}`), nil))
	assert.False(t, a.accepts([]byte(`{"left":{"right":1}}`), nil))
	assert.True(t, a.accepts(deep(64), nil))
	assert.False(t, a.accepts(deep(65), nil), "this deep is left to the authority")
}

// A purchase without its key and its amount is a finding. All that is none is sure, and as most programs write
// purchases they are plain, which is quickest.
func TestDetailsThatAreSure(t *testing.T) {
	t.Parallel()
	c := newTestChecker(t)
	by := content{SideRequest, c.operation("trackEvents").RequestBody.Value.Content["application/json"].Schema.Value}
	for _, tc := range []struct {
		kind, details string
		plain, fine   bool
	}{
		{"$purchase", `{"unique":{"key":"order-1"},"value":{"currency":"USD","amount":7995}}`, true, true},
		{"$purchase", `{"value":{"amount":0,"currency":"USD"},"unique":{"key":"1"}}`, true, true},
		{"$purchase", `{"unique":{"key":"order-1"},"value":{"currency":"USD","amount":9},"cart":{"items":[{"name":"x"}]}}`, true, true},
		{"$purchase", `{"unique":{ "key":"order-1"},"value":{"currency":"USD","amount":7995}}`, false, true},
		{"$purchase", `{"unique":{"key":"order-1"},"value":{"currency":"USD","amount": 7995}}`, false, true},
		{"$purchase", `{"unique":{"key":"order-1"},"value":{"amount":-5,"currency":"USD"}}`, false, true},
		{"$purchase", `{"unique":{"key":"order-1"},"value":{"tax":{"amount":1},"amount":5}}`, false, true},
		{"$purchase", `{"unique":{"key":"order-1"},"value":{"tax":{"amount":1}}}`, false, false},
		{"$purchase", `{"unique":{"key":"order-1"},"value":{"amount":0.5}}`, false, false},
		{"$purchase", `{"unique":{"key":"order-1"},"value":{"amount":"79"}}`, false, false},
		{"$purchase", `{"unique":{"key":"order-1"},"value":{"currency":"USD"}}`, false, false},
		{"$purchase", `{"unique":{"key":"order-1"},"value":["amount",{"amount":1}]}`, false, false},
		{"$purchase", `{"unique":{"key":""},"value":{"currency":"USD","amount":7995}}`, false, false},
		{"$purchase", `{"unique":{"key":null},"value":{"currency":"USD","amount":7995}}`, false, false},
		{"$purchase", `{"value":{"currency":"USD","amount":7995}}`, false, false},
		{"$purchase", `{"unique":{"key":"order-1"}}`, false, false},
		{"$purchase", `{}`, false, false},
		{"$signed_up", `{}`, true, true},
		{"$signed_up", `{"unique":{"key":""}}`, true, true},
		{"$signed_up", `{"value":{"amount":9}}`, false, true},
		{"$signed_up", `{"unique":{"key":"a"},"value":{"amount":9}}`, true, true},
		{"$signed_up", `{"unique":{"key":"a"},"value":{"amount":9.5}}`, false, false},
	} {
		var found [2][]byte
		membersOf([]byte(tc.details), detailMembers, found[:])
		assert.Equal(t, tc.plain, plainDetails([]byte(`"`+tc.kind+`"`), found[0], found[1]), "%s %s", tc.kind, tc.details)
		body := []byte(`{"events":[{"type":"` + tc.kind + `","email":"ari@example.com","details":` + tc.details + `}]}`)
		assert.Equal(t, tc.fine, len(slowly(by, body)) == 0, "%s", body)
		assert.Equal(t, tc.fine, c.sure[by].accepts(body, nil), "%s", body)
	}
	spaced := []byte(`{"events":[{"email":"ari@example.com","type": "$purchase"}]}`)
	assert.False(t, c.sure[by].accepts(spaced, nil))
	assert.NotEmpty(t, slowly(by, spaced))
	fields := []byte(`{"events":[{"type":"$purchase","email":"ari@example.com","details":{"unique":{"key":"1"},"value":{"amount":1}},"fields":{"unique":"a","value":"b"}}]}`)
	assert.True(t, c.sure[by].accepts(fields, nil), "fields are no details")
	second := []byte(`{"events":[{"type":"$purchase","email":"ari@example.com","details":{"unique":{"key":"1"},"value":{"amount":1}}},{"type":"$purchase","email":"ari@example.com"}]}`)
	assert.False(t, c.sure[by].accepts(second, nil), "what the first says is not the second's")
	assert.NotEmpty(t, slowly(by, second))
}
