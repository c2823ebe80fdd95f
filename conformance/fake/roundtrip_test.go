package fake_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	contract "example.com/bento-go"
	"example.com/bento-go/conformance"
	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// Every operation, from the client's method to the fake and back into generated types, in an
// order in which later ones find what earlier ones left.
var roundTrips = []struct {
	operation string
	call      func(context.Context, *bento.Client) (ok bool, err error)
}{
	{gen.OpImportSubscribers, func(ctx context.Context, c *bento.Client) (bool, error) {
		r, err := c.ImportSubscribers(ctx, []bento.SubscriberRecord{{Email: "ari@example.com", FirstName: new("Ari"), Tags: new("vip")}})
		return r.Accepted == 1, err
	}},
	{gen.OpTrackEvents, func(ctx context.Context, c *bento.Client) (bool, error) {
		r, err := c.TrackEvents(ctx, []bento.Event{{Type: "$signed_up", Email: "ari@example.com"}})
		return r.Accepted == 1, err
	}},
	{gen.OpSendEmails, func(ctx context.Context, c *bento.Client) (bool, error) {
		r, err := c.SendEmails(ctx, []bento.Email{{To: "ari@example.com", From: "a@acme.example", Subject: "s", HTMLBody: "h"}})
		return r.Accepted == 1, err
	}},
	{gen.OpCreateBroadcasts, func(ctx context.Context, c *bento.Client) (bool, error) {
		draft := bento.BroadcastDraft{Name: "n", Subject: "s", Content: "c", Type: "plain", From: gen.BroadcastSender{Email: "a@acme.example"}}
		bad := draft
		bad.From.Email = "nobody"
		r, err := c.CreateBroadcasts(ctx, []bento.BroadcastDraft{draft, bad})
		var partly *bento.BatchError
		if !errors.As(err, &partly) {
			return false, err
		}
		return len(r.Broadcasts) == 1 && r.Failures[0].Index == 1 && partly.Result.Problems[0].First == 1 && partly.Result.Accepted == 1, nil
	}},
	{gen.OpRunCommands, func(ctx context.Context, c *bento.Client) (bool, error) {
		r, err := c.RunCommands(ctx, []bento.Command{
			bento.AddTag("ari@example.com", "new"), bento.RemoveTag("ari@example.com", "vip"), bento.AddField("ari@example.com", "plan", "pro"),
			bento.AddTagViaEvent("ari@example.com", "other"), bento.AddField("ari@example.com", "gone", 1), bento.RemoveField("ari@example.com", "gone"),
			bento.Unsubscribe("bo@example.com"), bento.Subscribe("cy@example.com"), bento.ChangeEmail("cy@example.com", "di@example.com"),
		})
		return r.Accepted == 9, err
	}},
	{gen.OpGetSubscriber, func(ctx context.Context, c *bento.Client) (bool, error) {
		s, err := c.SubscriberByEmail(ctx, "ari@example.com")
		return s.Attributes.Fields["plan"] == "pro" && s.Attributes.Fields["gone"] == nil && len(s.Attributes.CachedTagIds) == 2, err
	}},
	{gen.OpCreateSubscriber, func(ctx context.Context, c *bento.Client) (bool, error) {
		s, err := c.CreateSubscriber(ctx, "eve@example.com")
		return s.Attributes.Email == "eve@example.com", err
	}},
	{gen.OpSearchSubscribers, func(ctx context.Context, c *bento.Client) (bool, error) {
		n := 0
		for s, err := range c.SearchSubscribers(ctx, gen.SearchSubscribersParams{Tags: new("new"), CreatedAt: &gen.TimeRange{Gt: new("2024-01-01")}}) {
			if err != nil || s.Attributes.Email != "ari@example.com" {
				return false, err
			}
			n++
		}
		return n == 1, nil
	}},
	{gen.OpRequestDataDeletion, func(ctx context.Context, c *bento.Client) (bool, error) {
		if err := c.RequestDataDeletion(ctx, "eve@example.com"); err != nil {
			return false, err
		}
		return errors.Is(c.RequestDataDeletion(ctx, "eve@example.com"), bento.ErrNotFound), nil
	}},
	{gen.OpCreateTag, func(ctx context.Context, c *bento.Client) (bool, error) {
		t, err := c.CreateTag(ctx, "tmp")
		return t.Attributes.Name == "tmp", err
	}},
	{gen.OpListTags, func(ctx context.Context, c *bento.Client) (bool, error) {
		t, err := c.ListTags(ctx)
		return len(t) == 4, err
	}},
	{gen.OpDeleteTag, func(ctx context.Context, c *bento.Client) (bool, error) {
		return true, c.DeleteTag(ctx, "4", "tmp")
	}},
	{gen.OpListFields, func(ctx context.Context, c *bento.Client) (bool, error) {
		f, err := c.ListFields(ctx)
		return len(f) == 3 && f[0].Attributes.Name == "First Name", err
	}},
	{gen.OpCreateField, func(ctx context.Context, c *bento.Client) (bool, error) {
		f, err := c.CreateField(ctx, "loyalty_points")
		return f.Attributes.Name == "Loyalty Points", err
	}},
	{gen.OpListSegments, func(ctx context.Context, c *bento.Client) (bool, error) {
		s, err := c.ListSegments(ctx)
		return s[0].ID == "segment_1", err
	}},
	{gen.OpGetSegment, func(ctx context.Context, c *bento.Client) (bool, error) {
		s, err := c.Segment(ctx, "segment_1")
		return s.Attributes.Name == "Everybody", err
	}},
	{gen.OpMatchSegment, func(ctx context.Context, c *bento.Client) (bool, error) {
		there, err := c.MatchSegment(ctx, "segment_1", "ari@example.com")
		if err != nil {
			return false, err
		}
		nobody, err := c.MatchSegment(ctx, "segment_1", "nobody@example.com")
		return there && !nobody, err
	}},
	{gen.OpListBroadcasts, func(ctx context.Context, c *bento.Client) (bool, error) {
		b, err := c.ListBroadcasts(ctx, bento.BroadcastFilters{Status: new(gen.BroadcastStatusSent)}, 1)
		return b[0].Attributes.Stats.OpenRate == 40, err
	}},
	{gen.OpListSequences, func(ctx context.Context, c *bento.Client) (bool, error) {
		for s, err := range c.Sequences(ctx) {
			return s.ID == "sequence_1" && !s.Attributes.CreatedAt.IsZero(), err
		}
		return false, nil
	}},
	{gen.OpCreateSequenceEmail, func(ctx context.Context, c *bento.Client) (bool, error) {
		t, err := c.CreateSequenceEmail(ctx, "sequence_1", bento.SequenceEmail{Subject: "s", HTML: "h", DelayInterval: new(gen.DelayIntervalDays)})
		return t.ID == "2", err
	}},
	{gen.OpListWorkflows, func(ctx context.Context, c *bento.Client) (bool, error) {
		for w, err := range c.Workflows(ctx) {
			return w.Attributes.Status == "live", err
		}
		return false, nil
	}},
	{gen.OpGetEmailTemplate, func(ctx context.Context, c *bento.Client) (bool, error) {
		t, err := c.EmailTemplate(ctx, 2)
		return t.Attributes.Subject == "s", err
	}},
	{gen.OpUpdateEmailTemplate, func(ctx context.Context, c *bento.Client) (bool, error) {
		t, err := c.UpdateEmailTemplate(ctx, 2, bento.EmailTemplateChange{Subject: new("new")})
		return t.Attributes.Subject == "new" && t.Attributes.HTML == "h", err
	}},
	{gen.OpListFormResponses, func(ctx context.Context, c *bento.Client) (bool, error) {
		r, err := c.ListFormResponses(ctx, "form_1")
		return len(r) == 1 && r[0].Attributes.Data["type"] == "$form", err
	}},
	{gen.OpGetSiteStats, func(ctx context.Context, c *bento.Client) (bool, error) {
		s, err := c.SiteStats(ctx)
		return s == bento.PeopleCount{UserCount: 3, SubscriberCount: 2, UnsubscriberCount: 1}, err
	}},
	{gen.OpGetSegmentStats, func(ctx context.Context, c *bento.Client) (bool, error) {
		s, err := c.SegmentStats(ctx, "segment_1")
		return s.UserCount == 3, err
	}},
	{gen.OpGetReport, func(ctx context.Context, c *bento.Client) (bool, error) {
		r, err := c.Report(ctx, "report_1")
		return r.Data == 3.0, err
	}},
	{gen.OpGetAdStats, func(ctx context.Context, c *bento.Client) (bool, error) {
		a, err := c.AdStats(ctx, gen.GetAdStatsParams{Dimension: new(gen.AdDimensionCampaign)})
		return a.Dimension == "campaign", err
	}},
	{gen.OpGetDeliveryReport, func(ctx context.Context, c *bento.Client) (bool, error) {
		r, err := c.DeliveryReport(ctx, bento.DeliveryWindow{Start: time.Now().Add(-time.Hour)})
		return r.Data["accepted"] == 1.0, err
	}},
	{gen.OpListDeliveryEvents, func(ctx context.Context, c *bento.Client) (bool, error) {
		e, err := c.DeliveryEvents(ctx, "Ari@example.com", bento.DeliveryWindow{}, 0)
		return len(e) == 1 && e[0]["event"] == "accepted", err
	}},
	{gen.OpListInboxes, func(ctx context.Context, c *bento.Client) (bool, error) {
		i, err := c.ListInboxes(ctx)
		return len(i) == 1 && i[0].ID == 1, err
	}},
	{gen.OpStartConversation, func(ctx context.Context, c *bento.Client) (bool, error) {
		r, err := c.StartConversation(ctx, bento.ConversationStart{InboxID: 1, ContactEmail: "ari@example.com", ContactName: "Ari", MessageContent: "Hello"})
		return bool(r.Success) && r.Conversation.ID == 1 && r.Contact.Name == "Ari" && !r.Message.CreatedAt.IsZero(), err
	}},
	{gen.OpReplyToConversation, func(ctx context.Context, c *bento.Client) (bool, error) {
		r, err := c.ReplyToConversation(ctx, 1, "It is on its way.")
		return r.Message.Content == "It is on its way." && !bool(r.Message.Private), err
	}},
	{gen.OpAddConversationNote, func(ctx context.Context, c *bento.Client) (bool, error) {
		r, err := c.AddConversationNote(ctx, 1, "Called before.")
		return bool(r.Message.Private) && r.Message.ID == 3, err
	}},
	{gen.OpSetConversationStatus, func(ctx context.Context, c *bento.Client) (bool, error) {
		result, err := c.SetConversationStatus(ctx, 1, gen.ConversationStatusResolved)
		return bool(result.Success), err
	}},
	{gen.OpGetConversation, func(ctx context.Context, c *bento.Client) (bool, error) {
		one, err := c.Conversation(ctx, 1)
		return one.Status == "resolved" && len(one.Messages) == 3 && one.LastMessage == "It is on its way.", err
	}},
	{gen.OpListConversations, func(ctx context.Context, c *bento.Client) (bool, error) {
		n := 0
		for one, err := range c.Conversations(ctx, bento.ConversationFilters{Status: new(gen.ConversationFilterResolved), Q: new("called")}) {
			if err != nil || one.Contact.Email != "ari@example.com" || one.Messages != nil {
				return false, err
			}
			n++
		}
		return n == 1, nil
	}},
	{gen.OpListConversationsByEmail, func(ctx context.Context, c *bento.Client) (bool, error) {
		r, err := c.ConversationsByEmail(ctx, "Ari@example.com")
		return r.Contact.Name == "Ari" && len(r.Conversations) == 1, err
	}},
	{gen.OpValidateEmail, func(ctx context.Context, c *bento.Client) (bool, error) {
		return c.ValidateEmail(ctx, gen.ValidateEmailBody{Email: "ari@example.com"})
	}},
	{gen.OpApplyRuleset, func(ctx context.Context, c *bento.Client) (bool, error) {
		r, err := c.ApplyRuleset(ctx, gen.ApplyRulesetBody{Email: "nobody"})
		return !r.Valid && len(r.Reasons) == 1, err
	}},
	{gen.OpModerateContent, func(ctx context.Context, c *bento.Client) (bool, error) {
		r, err := c.ModerateContent(ctx, "")
		return !r.Valid && r.Reasons[0] == "Content is required", err
	}},
	{gen.OpGuessGender, func(ctx context.Context, c *bento.Client) (bool, error) {
		g, err := c.GuessGender(ctx, "Ari")
		return g.Gender == nil, err
	}},
	{gen.OpGeolocate, func(ctx context.Context, c *bento.Client) (bool, error) {
		l, err := c.Geolocate(ctx, "192.0.2.1")
		return len(l) == 0, err
	}},
	{gen.OpCheckBlacklist, func(ctx context.Context, c *bento.Client) (bool, error) {
		b, err := c.CheckBlacklist(ctx, "example.com", "")
		return b.Query == "example.com", err
	}},
}

func TestEveryOperationGoesRoundTrip(t *testing.T) {
	t.Parallel()
	server := newFake(t, fake.WithBroadcasts(1))
	pipe := server.Pipe()
	t.Cleanup(func() { _ = pipe.Close() })
	var recording bytes.Buffer
	recorder := conformance.NewRecorder(pipe.Transport(), &recording)
	client, err := bento.New(bento.Config{
		PublishableKey: "pk_test", SecretKey: "sk_test", SiteUUID: "site-uuid", UserAgent: "AcmeCRM/1.0", BaseURL: "http://127.0.0.1" + gen.BasePath,
	}, bento.WithHTTPClient(&http.Client{Transport: recorder}), bento.WithPace(bento.PaceOff))
	require.NoError(t, err)

	made := map[string]bool{}
	for _, trip := range roundTrips {
		ok, err := trip.call(t.Context(), client)
		require.NoError(t, err, trip.operation)
		assert.True(t, ok, trip.operation)
		made[trip.operation] = true
	}
	for _, op := range gen.Operations() {
		assert.True(t, made[op.ID], "%s makes no round trip", op.ID)
	}
	require.NoError(t, recorder.Close())
	checker, err := conformance.New()
	require.NoError(t, err)
	report := conformance.NewReport(checker)
	for x, err := range conformance.ReadHAR(&recording, "recording") {
		require.NoError(t, err)
		if x.Response.Status < 300 { // what was wrong on purpose is not judged
			assert.Empty(t, withoutWarnings(report.Add(x).Findings), x.Request.URL)
		}
	}
	assert.Equal(t, len(gen.Operations()), report.Coverage().Operations.Seen)
}

func withoutWarnings(findings []conformance.Finding) []conformance.Finding {
	var rest []conformance.Finding
	for _, f := range findings {
		if f.Severity != conformance.SeverityWarning {
			rest = append(rest, f)
		}
	}
	return rest
}

// sourcesOf returns the sources that the contract names for each operation.
func sourcesOf(t *testing.T) map[string][]any {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI())
	require.NoError(t, err)
	sources := map[string][]any{}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			sources[op.OperationID], _ = op.Extensions["x-source"].([]any)
		}
	}
	return sources
}

// Each method of the client says which operation of the contract it speaks for and where the
// facts come from, and each operation has one.
func TestEveryOperationHasAMethodThatNamesIt(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../wrapper/*.go")
	require.NoError(t, err)
	line := regexp.MustCompile(`(?m)^// Contract: ([A-Z]+) (\S+) \(openapi\.yaml, (\w+)\)\.\n// Source: (\S+)\nfunc \(c \*Client\) [A-Z]`)
	named, sources := map[string]bool{}, sourcesOf(t)
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, match := range line.FindAllStringSubmatch(string(source), -1) {
			op, ok := gen.OperationByID(match[3])
			require.True(t, ok, "%s: no operation %s", file, match[3])
			assert.Equal(t, op.Method+" "+op.Path, match[1]+" "+match[2], file)
			assert.Contains(t, sources[op.ID], match[4], "%s: not a source of %s", file, op.ID)
			named[op.ID] = true
		}
	}
	for _, op := range gen.Operations() {
		assert.True(t, named[op.ID], "no method speaks for %s", op.ID)
	}
}
