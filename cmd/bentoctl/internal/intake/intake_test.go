package intake_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/cmd/bentoctl/internal/intake"
)

// told reads a text whole, and writes a line for each row: its record, its standing, or why it is
// left out.
func told(t *testing.T, text string, o intake.Options) []string {
	t.Helper()
	return rowsOf(t, openText(t, text, o))
}

func openText(t *testing.T, text string, o intake.Options) *intake.Reader {
	t.Helper()
	files, err := intake.Open("-", strings.NewReader(text))
	require.NoError(t, err)
	r, err := intake.NewReader(files[0], o)
	require.NoError(t, err)
	return r
}

func rowsOf(t *testing.T, r *intake.Reader) (all []string) {
	t.Helper()
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		switch {
		case row.Reason != "":
			all = append(all, fmt.Sprintf("%d: %s", row.Line, row.Reason))
		case row.Standing != intake.Active:
			all = append(all, row.Email+" "+string(row.Standing))
		default:
			require.True(t, json.Valid(row.Record), string(row.Record))
			all = append(all, string(row.Record))
		}
	}
}

// What other tools export is understood as it is, and nobody who has left comes back.
func TestExportsOfOtherTools(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"Mailchimp": {
			"\"Email Address\",\"First Name\",\"Last Name\",MEMBER_RATING,OPTIN_TIME,LEID,NOTES,TAGS\n" +
				"ari@example.com,Ari,Tanaka,2,\"2024-01-31 09:00:00\",123,\"two\nlines\",\"\"\"VIP\"\",\"\"Blog, weekly\"\"\"\n",
			[]string{`{"email":"ari@example.com","first_name":"Ari","last_name":"Tanaka","member_rating":"2","optin_time":"2024-01-31 09:00:00","leid":"123","notes":"two\nlines","tags":"VIP,Blog  weekly"}`},
		},
		"Kit": {
			"first_name,email,created_at,status,tags\nAri,ari@example.com,2024-01-31,active,\"a, b\"\nBo,bo@example.com,2024-01-31,cancelled,\n" +
				"Cy,cy@example.com,,bounced,\nDee,dee@example.com,,complained,\nEli,eli@example.com,,inactive,\n",
			[]string{`{"first_name":"Ari","email":"ari@example.com","created_at":"2024-01-31","tags":"a, b"}`, "bo@example.com unsubscribed", "cy@example.com bounced", "dee@example.com complained", "eli@example.com not confirmed"},
		},
		"Customer.io": {
			"id,cio_id,email,unsubscribed,Plan\n1,a1,ari@example.com,false,pro\n2,a2,bo@example.com,true,pro\n3,a3,,false,pro\n",
			[]string{`{"id":"1","cio_id":"a1","email":"ari@example.com","plan":"pro"}`, "bo@example.com unsubscribed", "4: email is not an address"},
		},
		"ActiveCampaign": {
			"Email,First Name,Last Name,Phone,Tags,Date Created,IP,Status\nari@example.com,Ari,,,vip,2024-01-31,,Active\nbo@example.com,,,,,,,Unsubscribed\ncy@example.com,,,,,,,Bounced\n",
			[]string{`{"email":"ari@example.com","first_name":"Ari","tags":"vip","date_created":"2024-01-31"}`, "bo@example.com unsubscribed", "cy@example.com bounced"},
		},
		"Brevo": {
			"EMAIL;LASTNAME;FIRSTNAME;SMS;EMAIL_BLACKLISTED;ADDED_TIME\nari@example.com;Tanaka;Ari;;No;31-01-2024\nbo@example.com;;;;Yes;31-01-2024\n",
			[]string{`{"email":"ari@example.com","last_name":"Tanaka","first_name":"Ari","added_time":"31-01-2024"}`, "bo@example.com unsubscribed"},
		},
		"Loops": {
			"email,firstName,lastName,subscribed,userId,source\nari@example.com,Ari,Tanaka,true,u1,api\nbo@example.com,,,false,,\n",
			[]string{`{"email":"ari@example.com","first_name":"Ari","last_name":"Tanaka","user_id":"u1","source":"api"}`, "bo@example.com unsubscribed"},
		},
		"Substack": { // active is who pays
			"email,active_subscription,expiry,plan,email_disabled,created_at\nari@example.com,false,,other,false,2024-01-31\nbo@example.com,true,2030-01-31,yearly,true,2024-01-31\n",
			[]string{`{"email":"ari@example.com","active_subscription":"false","plan":"other","created_at":"2024-01-31"}`, "bo@example.com unsubscribed"},
		},
		"Substack, an older one": {
			"email,active_subscription,created_at\nari@example.com,true,2024-01-31\nbo@example.com,false,2024-01-31\n",
			[]string{`{"email":"ari@example.com","created_at":"2024-01-31"}`, "bo@example.com unsubscribed"},
		},
		"where people live": {
			"email,City,State\nari@example.com,Novara,NO\nbo@example.com,Austin,TX\ncy@example.com,,bounced\n",
			[]string{`{"email":"ari@example.com","city":"Novara","state":"NO"}`, `{"email":"bo@example.com","city":"Austin","state":"TX"}`, "cy@example.com bounced"},
		},
		"consent that is no": {
			"email,consent\nari@example.com,Yes\nbo@example.com,No\ncy@example.com,denied\ndee@example.com,0\neli@example.com,Not confirmed\nflo@example.com,\n",
			[]string{`{"email":"ari@example.com"}`, "bo@example.com unsubscribed", "cy@example.com unsubscribed", "dee@example.com unsubscribed", "eli@example.com not confirmed", `{"email":"flo@example.com"}`},
		},
		"NDJSON, names in any manner": {
			`{"email":"ari@example.com","Status":"unsubscribed"}` + "\n" + `{"email":"bo@example.com","unsubscribedAt":"2025-01-01"}` + "\n" + `{"email":"cy@example.com","isSubscribed":false}` + "\n" +
				`{"email":"dee@example.com","consent":false}` + "\n" + `{"email":"eli@example.com","active_subscription":false,"email_disabled":false}` + "\n" + `{"email":"flo@example.com","active_subscription":false}` + "\n" +
				`{"email":"gus@example.com","activeSubscription":false,"emailDisabled":false}` + "\n" + `{"email":"hal@example.com","active_subscription":false,"source":"email_disabled"}` + "\n",
			[]string{"ari@example.com unsubscribed", "bo@example.com unsubscribed", "cy@example.com unsubscribed", "dee@example.com unsubscribed",
				`{"email":"eli@example.com","active_subscription":false,"email_disabled":false}`, "flo@example.com unsubscribed",
				`{"email":"gus@example.com","activeSubscription":false,"emailDisabled":false}`, "hal@example.com unsubscribed"},
		},
		"a plain file": {
			"e-mail\tPlan\tunsubscribed_at\nari@example.com\tpro\t\nbo@example.com\t\t2024-01-31\n",
			[]string{`{"email":"ari@example.com","plan":"pro"}`, "bo@example.com unsubscribed"},
		},
		"NDJSON": {
			"{\"email\":\"ari@example.com\",\"plan\":\"pro\"}\n\n{\"email\":\"bo@example.com\",\"subscribed\":false}\n[]\n{\"email\":\"x\"}\n{\"email\":\n",
			[]string{`{"email":"ari@example.com","plan":"pro"}`, "bo@example.com unsubscribed", "4: not a JSON object", "5: email is not an address", "6: not a JSON object: not JSON"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, told(t, tc.text, intake.Options{}))
			assert.Equal(t, tc.want, told(t, strings.ReplaceAll(tc.text, "\n", "\r\n"), intake.Options{})[:len(tc.want)], "as Windows ends lines")
		})
	}
}

func TestHowAFileIsPackedAndEncodedDoesNotMatter(t *testing.T) {
	t.Parallel()
	text := "email,first_name\nari@example.com,José\n"
	want := []string{`{"email":"ari@example.com","first_name":"José"}`}
	var zipped bytes.Buffer
	packer := gzip.NewWriter(&zipped)
	_, _ = packer.Write([]byte(text))
	require.NoError(t, packer.Close())
	wide := func(order func(uint16) []byte) string {
		all := order(0xfeff)
		for _, unit := range utf16.Encode([]rune(text)) {
			all = append(all, order(unit)...)
		}
		return string(all)
	}
	for name, given := range map[string]string{
		"plain": text, "gzip": zipped.String(), "a mark of UTF-8": "\ufeff" + text, "no newline at its end": strings.TrimSpace(text),
		"UTF-16, little end first": wide(func(u uint16) []byte { return []byte{byte(u), byte(u >> 8)} }),
		"UTF-16, big end first":    wide(func(u uint16) []byte { return []byte{byte(u >> 8), byte(u)} }),
	} {
		assert.Equal(t, want, told(t, given, intake.Options{}), name)
	}
	assert.Equal(t, []string{"2: not UTF-8: convert the file"}, told(t, "email,first_name\nari@example.com,Jos\xe9\n", intake.Options{}))
}

// Mailchimp's ZIP says who has left by the names of its files, and nowhere else.
func TestAZipIsItsFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "export.zip")
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	for _, name := range []string{"lists/subscribed_members_1.csv", "lists/unsubscribed_members_1.csv", "lists/cleaned_members_1.csv", "__MACOSX/x.csv", "read.me"} {
		member, err := archive.Create(name)
		require.NoError(t, err)
		_, _ = io.WriteString(member, "Email Address\n"+filepath.Base(name)[:3]+"@example.com\n")
	}
	require.NoError(t, archive.Close())
	require.NoError(t, os.WriteFile(path, packed.Bytes(), 0o600))
	files, err := intake.Open(path, nil)
	require.NoError(t, err)
	require.Len(t, files, 3)
	var standings []intake.Standing
	for _, f := range files {
		standings = append(standings, intake.StandingOfName(f.Name))
		r, err := intake.NewReader(f, intake.Options{})
		require.NoError(t, err)
		assert.Len(t, rowsOf(t, r), 1)
		require.NoError(t, f.Close())
	}
	assert.Equal(t, []intake.Standing{intake.Active, intake.Unsubscribed, intake.Bounced}, standings)
}

func TestANameThatTellsOfConsent(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]intake.Standing{
		"people.csv": intake.Active, "subscribed_members.csv": intake.Active, "exports/unsubscribed/people.csv": intake.Active,
		"unsubscribed_members_export.csv": intake.Unsubscribed, "Unsubscribes 2024.csv": intake.Unsubscribed, `C:\lists\cleaned.csv`: intake.Bounced,
		"nonsubscribed_members.csv": intake.NotConfirmed, "bounced.ndjson.gz": intake.Bounced, "complaints.csv": intake.Complained,
		"suppression-list.csv": intake.Unsubscribed, "opt-outs.csv": intake.Unsubscribed, "unsubs.csv": intake.Unsubscribed, "bounces.csv": intake.Bounced,
		"unconfirmed.csv": intake.NotConfirmed, "not-confirmed.csv": intake.NotConfirmed,
	} {
		assert.Equal(t, want, intake.StandingOfName(name), name)
	}
}

func TestColumnsBecomeWhatTheUserSays(t *testing.T) {
	t.Parallel()
	text := "Mail,Age,Member,Since,Secret,,status\nari@example.com,30,yes,1706691600,x,7,paused\n"
	o := intake.Options{
		Map: []string{"Mail=email", "Secret=-", "6=shoe_size", "status=plan_status"}, Types: []string{"age=number", "member=bool", "since=date"}, Tags: []string{"a", "b"},
	}
	assert.Equal(t, []string{`{"email":"ari@example.com","age":30,"member":true,"since":"2024-01-31T09:00:00Z","shoe_size":"7","plan_status":"paused","tags":"a,b"}`}, told(t, text, o))
	for _, mapped := range []string{"status=plan_status", "status=-"} { // whatever becomes of the column
		assert.Equal(t, []string{"ari@example.com unsubscribed"}, told(t, "email,status\nari@example.com,cancelled\n", intake.Options{Map: []string{mapped}}))
	}
	assert.Equal(t, []string{"ari@example.com bounced"}, told(t, "email,status\nari@example.com,active\n", intake.Options{As: intake.Bounced}))
	assert.Equal(t, []string{`{"email":"ari@example.com","tags":"a,x"}`, `{"email":"bo@example.com","tags":"x"}`, `{"email":"cy@example.com","tags":"x"}`},
		told(t, `{"email":"ari@example.com","tags":"a"}`+"\n"+`{"email":"bo@example.com"}`+"\n"+`{"email":"cy@example.com","tags":null}`, intake.Options{Tags: []string{"x"}}))
}

// What was left out of NDJSON is given again as it is, once it is mended.
func TestALineThatWasLeftOutIsGivenAgain(t *testing.T) {
	t.Parallel()
	for _, tc := range [][2]string{
		{`{"email":"ari@example.com","plan":"pro"}`, `{"email":"ari@example.com","plan":"pro"}`},
		{` {"email":"ari@example.com" } `, `{"email":"ari@example.com"}`},
		{`{}`, "1: email is not an address"},
		{`[1]`, "1: email is not an address"},
	} {
		line, want := tc[0], tc[1]
		noted, err := intake.Noted([]byte(line), 7, `a "reason"`)
		require.NoError(t, err)
		assert.Contains(t, string(noted), `"bento_line":7,"bento_reason":"a \"reason\""`)
		assert.Equal(t, []string{want}, told(t, string(noted)+"\n", intake.Options{}))
		again, err := intake.Noted(noted, 1, "another")
		require.NoError(t, err)
		if want[0] == '{' {
			assert.Equal(t, []string{want}, told(t, string(again)+"\n", intake.Options{}))
		}
	}
	text, err := intake.Noted([]byte("{ no"), 7, "not a JSON object")
	require.NoError(t, err)
	assert.JSONEq(t, `{"bento_line":7,"bento_reason":"not a JSON object","bento_text":"{ no"}`, string(text))
}

// A key of no length drops no repeat.
func TestAnEventIsKeyedByWhatItsKeyHolds(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{`"o-1"`: true, `""`: false, `1`: false} {
		reader := openText(t, `{"type":"x","email":"ari@example.com","details":{"unique":{"key":`+key+`}}}`, intake.Options{Kind: intake.Events})
		row, err := reader.Next()
		require.NoError(t, err)
		assert.Equal(t, want, row.Keyed, key)
	}
}

func TestEventsOfColumns(t *testing.T) {
	t.Parallel()
	text := "event,email,timestamp,unique_key,fields.plan,details.cart.id,Total\n$purchase,ari@example.com,2024-01-31 09:00:00,o-1,pro,c-1,79\n,bo@example.com,,,,,\n$x,cy@example.com,soon,,,,\n$y,dee@example.com,,,,,\n"
	assert.Equal(t, []string{
		`{"type":"$purchase","email":"ari@example.com","date":"2024-01-31T09:00:00Z","details":{"unique":{"key":"o-1"},"cart":{"id":"c-1"},"total":79},"fields":{"plan":"pro"}}`,
		"3: type is missing", "4: date is not a date such as 2026-01-31 or 2026-01-31T09:00:00Z", `{"type":"$y","email":"dee@example.com"}`,
	}, told(t, text, intake.Options{Kind: intake.Events, Types: []string{"total=number"}}))
	assert.Equal(t, []string{`{"type":"$signed_up","email":"ari@example.com"}`},
		told(t, "email\nari@example.com\n", intake.Options{Kind: intake.Events, EventType: "$signed_up"}))
	both := intake.Options{Kind: intake.Events, EventType: "$p", Map: []string{"Type=-"}}
	assert.Equal(t, []string{`{"type":"$p","email":"ari@example.com"}`}, told(t, "Email,Type\nari@example.com,$z\n", both))
	both.Map = []string{"Type=kind"}
	assert.Equal(t, []string{`{"type":"$p","email":"ari@example.com","details":{"kind":"$z"}}`}, told(t, "Email,Type\nari@example.com,$z\n", both))
}

func TestAFileThatCannotBeReadSaysWhy(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text string
		o    intake.Options
		want string
	}{
		{"", intake.Options{}, "the file is empty"},
		{" \n\n", intake.Options{}, "the file is empty"},
		{"name,plan\n", intake.Options{}, "no column holds addresses: there are name, plan; name it by --map HEADER=email"},
		{"email,Email Address\n", intake.Options{}, `two columns become email, the second is number 2, "Email Address"`},
		{"\x00\x1b[31m" + strings.Repeat("x", 5000) + "\n", intake.Options{}, `there are "\x00\x1b[31mxxx`},
		{"email,\n", intake.Options{}, "column 2 has no name: give it one by --map 2=NAME"},
		{"email\n", intake.Options{Map: []string{"Mail=email"}}, `--map names a column "Mail" that is not there`},
		{"email\n", intake.Options{Map: []string{"Mail"}}, "want NAME=VALUE"},
		{"email,age\n", intake.Options{Types: []string{"age=float"}}, "want number, bool, date or text"},
		{"email\n", intake.Options{Types: []string{"age=number"}}, "which no column becomes"},
		{"email\n", intake.Options{Kind: intake.Events}, "no column holds the type of the event"},
		{
			"Email,Type\n", intake.Options{Kind: intake.Events, EventType: "$p"},
			`column 2, "Type", becomes type, which --event gives for all: leave --event out, or the column by --map 2=-, or keep it under another name by --map 2=NAME`,
		},
		{"email,type,details.a,details.a.b\n", intake.Options{Kind: intake.Events}, "one is within the other"},
		{"{}\n", intake.Options{Map: []string{"a=b"}}, "it is NDJSON, which is sent as it is"},
	} {
		files, err := intake.Open("-", strings.NewReader(tc.text))
		require.NoError(t, err)
		_, err = intake.NewReader(files[0], tc.o)
		require.ErrorContains(t, err, tc.want)
	}
	files, err := intake.Open("-", strings.NewReader("email,a\nari@example.com,\"x\nmore,y\n"))
	require.NoError(t, err)
	r, err := intake.NewReader(files[0], intake.Options{})
	require.NoError(t, err)
	_, err = r.Next()
	require.ErrorContains(t, err, "standard input:2: a quote that opens here is not closed")
	_, err = intake.Open(t.TempDir(), nil)
	require.ErrorContains(t, err, "is a directory")
	_, err = intake.Open(filepath.Join(t.TempDir(), "none.csv"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestALineWithoutEndIsPassedOver(t *testing.T) {
	t.Parallel()
	long := `{"email":"ari@example.com","x":"` + strings.Repeat("x", 2<<20) + `"}`
	fits := `{"email":"bo@example.com","x":"` + strings.Repeat("x", 200<<10) + `"}`
	assert.Equal(t, []string{"1: the line is longer than 1048576 bytes", fits}, told(t, long+"\n"+fits+"\n", intake.Options{}))
}

// A quote that is never closed does not take the whole file into memory.
func TestARowWithoutEndEndsTheFile(t *testing.T) {
	t.Parallel()
	endless := io.MultiReader(strings.NewReader("email,notes\nari@example.com,fine\nbo@example.com,\""), io.LimitReader(sameByte('x'), 1<<30))
	files, err := intake.Open("-", endless)
	require.NoError(t, err)
	r, err := intake.NewReader(files[0], intake.Options{})
	require.NoError(t, err)
	_, err = r.Next()
	require.NoError(t, err)
	_, err = r.Next()
	require.ErrorContains(t, err, "row 2 is longer than 4 MiB")
	assert.Less(t, files[0].Offset(), int64(8<<20))
}

// What cannot be read is handed on as it stands in the file, wherever its pieces end.
func TestARowThatIsNoCSVIsHandedOn(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{"ari@example.com,a \"b\" c", "a \"b\" c", "\"ari@example.com\"x,", strings.Repeat("x", 16<<10-2) + `"`} {
		for _, text := range []string{wrong + "\nbo@example.com,x\n", "\r\n\n" + wrong + "\r\n", wrong} {
			for _, before := range []int{0, 2000, 4094, 4095} { // the reading is of 64 KiB
				text := "email,a\n" + strings.Repeat("cy@example.com,\n", before) + text
				for _, in := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
					files, err := intake.Open("-", in)
					require.NoError(t, err)
					r, err := intake.NewReader(files[0], intake.Options{})
					require.NoError(t, err)
					for range before {
						_, err = r.Next()
						require.NoError(t, err)
					}
					row, err := r.Next()
					require.NoError(t, err)
					assert.NotEmpty(t, row.Reason)
					require.Equal(t, wrong, string(row.Text))
				}
			}
		}
	}
}

type sameByte byte

func (b sameByte) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

// Whatever a file holds, a record is JSON, and nobody is active whom a row of it calls otherwise.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{"email,status\na@b.co,unsubscribed\n", "EMAIL;X\n\"a@b.co\";\"1\n2\"\n", `{"email":"a@b.co","unsubscribed":true}`, "\ufeffemail\t\n", "\xff\xfee\x00", "a|email\n|\n"} {
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, people bool) {
		o := intake.Options{Kind: intake.Events, EventType: "x"}
		if people {
			o = intake.Options{Tags: []string{"t"}}
		}
		files, err := intake.Open("-", bytes.NewReader(text))
		if err != nil {
			return
		}
		_, _, _ = intake.Peek(files[0], o, 2)
		r, err := intake.NewReader(files[0], o)
		if err != nil {
			return
		}
		for range len(text) + 1 {
			row, err := r.Next()
			if err != nil {
				return
			}
			if row.Reason != "" || r.Header() == nil {
				continue
			}
			require.True(t, json.Valid(row.Record), "%q", row.Record)
			for i, c := range r.Columns() {
				if c.Header == "status" && c.Consent && strings.EqualFold(row.Cells[i], "unsubscribed") {
					require.NotEqual(t, intake.Active, row.Standing)
				}
			}
		}
		t.Fatal("more rows than bytes")
	})
}
