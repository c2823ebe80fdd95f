package bento_test

import (
	"context"
	"iter"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// An operationCall is a method with arguments that it takes, what it sends and what it makes of
// the answer.
type operationCall struct {
	do     func(context.Context, *bento.Client) (any, error)
	sends  string // method and path
	query  string // beside site_uuid
	body   string
	answer string
	want   any
}

func one[T any](seq iter.Seq2[T, error]) (any, error) {
	for item, err := range seq {
		return item, err
	}
	return nil, nil //nolint:nilnil // nothing was there
}

var june = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

// said is the answer to a message.
const said = `{"success":true,"message":{"id":9,"private":true},"conversation":{"id":12,"status":"open"},"contact":{"id":4}}`

var operationCalls = map[string]operationCall{
	"ListFields": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			all, err := c.ListFields(ctx)
			return len(all), err
		}, "GET /fetch/fields", "", "", `{"data":[{"id":"1","type":"visitors-fields","attributes":{"name":"Plan","key":"plan"}}]}`, 1,
	},
	"CreateField": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			field, err := c.CreateField(ctx, "plan")
			return field != nil, err
		}, "POST /fetch/fields", "", `{"field":{"key":"plan"}}`, `{"data":{"id":"1","type":"visitors-fields","attributes":{"name":"Plan","key":"plan"}}}`, true,
	},
	"DeleteTag": {
		func(ctx context.Context, c *bento.Client) (any, error) { return nil, c.DeleteTag(ctx, "7", "vip") },
		"DELETE /fetch/tags/7", "", `{"tag":{"name":"vip"}}`, `{"message":"ok"}`, nil,
	},
	"CreateSubscriber": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			person, err := c.CreateSubscriber(ctx, "ari@example.com")
			return person != nil, err
		}, "POST /fetch/subscribers", "", `{"subscriber":{"email":"ari@example.com"}}`,
		`{"data":{"id":"42","type":"visitors","attributes":{"uuid":"u-1","email":"ari@example.com"}}}`, true,
	},
	"SubscriberByUUID": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			person, err := c.SubscriberByUUID(ctx, "u-1")
			return person != nil, err
		}, "GET /fetch/subscribers", "uuid=u-1", "", `{"data":{"id":"42","type":"visitors","attributes":{"uuid":"u-1","email":"ari@example.com"}}}`, true,
	},
	"ListSegments": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			all, err := c.ListSegments(ctx)
			return len(all), err
		}, "GET /fetch/segments", "", "", `{"data":[{"id":"1","type":"segments","attributes":{}}]}`, 1,
	},
	"Segment": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			segment, err := c.Segment(ctx, "s1")
			return segment != nil, err
		}, "GET /fetch/segments/s1", "", "", `{"data":{"id":"1","type":"segments","attributes":{}}}`, true,
	},
	"MatchSegment": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			return c.MatchSegment(ctx, "s1", "ari@example.com")
		}, "POST /fetch/segments/s1/match", "", `{"email":"ari@example.com"}`, `{"data":{"segment_id":"s1","email":"ari@example.com","match":true}}`, true,
	},
	"MatchSegment of somebody else": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			return c.MatchSegment(ctx, "s1", "bo@example.com")
		}, "POST /fetch/segments/s1/match", "", `{"email":"bo@example.com"}`, `{"data":{"match":false}}`, false,
	},
	"ListSequences": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			all, err := c.ListSequences(ctx, 2)
			return len(all), err
		}, "GET /fetch/sequences", "page=2", "", `{"data":[{"id":"1","type":"sequences","attributes":{}}]}`, 1,
	},
	"Sequences": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			first, err := one(c.Sequences(ctx))
			return first.(bento.Sequence).ID, err
		}, "GET /fetch/sequences", "page=1", "", `{"data":[{"id":"1","type":"sequences","attributes":{}}]}`, gen.ID("1"),
	},
	"CreateSequenceEmail": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			template, err := c.CreateSequenceEmail(ctx, "q1", bento.SequenceEmail{Subject: "s", HTML: "h"})
			return template != nil, err
		}, "POST /fetch/sequences/q1/emails/templates", "", `{"email_template":{"subject":"s","html":"h"}}`,
		`{"data":{"id":"1","type":"email_templates","attributes":{}}}`, true,
	},
	"ListWorkflows": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			all, err := c.ListWorkflows(ctx, 1)
			return len(all), err
		}, "GET /fetch/workflows", "page=1", "", `{"data":[{"id":"1","type":"workflows","attributes":{}}]}`, 1,
	},
	"Workflows": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			first, err := one(c.Workflows(ctx))
			return first.(bento.Workflow).ID, err
		}, "GET /fetch/workflows", "page=1", "", `{"data":[{"id":"1","type":"workflows","attributes":{}}]}`, gen.ID("1"),
	},
	"EmailTemplate": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			template, err := c.EmailTemplate(ctx, 1)
			return template != nil, err
		}, "GET /fetch/emails/templates/1", "", "", `{"data":{"id":"1","type":"email_templates","attributes":{}}}`, true,
	},
	"UpdateEmailTemplate by its subject": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			template, err := c.UpdateEmailTemplate(ctx, 1, bento.EmailTemplateChange{Subject: new("s")})
			return template != nil, err
		}, "PATCH /fetch/emails/templates/1", "", `{"email_template":{"subject":"s"}}`, `{"data":{"id":"1","type":"email_templates","attributes":{}}}`, true,
	},
	"SearchSubscribers": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			first, err := one(c.SearchSubscribers(ctx, gen.SearchSubscribersParams{Tags: new("vip")}))
			return first.(bento.Subscriber).ID, err
		}, "GET /fetch/search", "page=1&tags=vip", "", `{"data":[{"id":"1","type":"visitors","attributes":{"uuid":"u-1","email":"a@example.com"}}]}`, gen.ID("1"),
	},
	"UpdateEmailTemplate": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			template, err := c.UpdateEmailTemplate(ctx, 1, bento.EmailTemplateChange{HTML: new("h")})
			return template != nil, err
		}, "PATCH /fetch/emails/templates/1", "", `{"email_template":{"html":"h"}}`, `{"data":{"id":"1","type":"email_templates","attributes":{}}}`, true,
	},
	"ListFormResponses": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			all, err := c.ListFormResponses(ctx, "f1")
			return len(all), err
		}, "GET /fetch/responses", "id=f1", "", `{"data":[{"id":"1","type":"responses","attributes":{}}]}`, 1,
	},
	"ListBroadcasts": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			all, err := c.ListBroadcasts(ctx, bento.BroadcastFilters{}, 3)
			return len(all), err
		}, "GET /fetch/broadcasts", "page=3", "", `{"data":[{"id":"1","type":"broadcasts","attributes":{}}]}`, 1,
	},
	"SiteStats": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			stats, err := c.SiteStats(ctx)
			return stats.UserCount, err
		}, "GET /stats/site", "", "", `{"user_count":3}`, 3,
	},
	"SegmentStats": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			stats, err := c.SegmentStats(ctx, "s1")
			return stats.UserCount, err
		}, "GET /stats/segment", "segment_id=s1", "", `{"user_count":3}`, 3,
	},
	"Report": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			report, err := c.Report(ctx, "r1")
			return report.Data, err
		}, "GET /stats/report", "report_id=r1", "", `{"report_data":{"data":7}}`, nil,
	},
	"AdStats": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			_, err := c.AdStats(ctx, gen.GetAdStatsParams{Value: new("x")})
			return nil, err
		}, "GET /stats/ads", "value=x", "", `{}`, nil,
	},
	"DeliveryReport": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			report, err := c.DeliveryReport(ctx, bento.DeliveryWindow{})
			return report.Data["sent"], err
		}, "GET /delivery/report", "", "", `{"data":{"sent":3},"meta":{}}`, 3,
	},
	"DeliveryReport of a window": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			_, err := c.DeliveryReport(ctx, bento.DeliveryWindow{Start: june, End: june})
			return nil, err
		}, "GET /delivery/report", "end_date=2026-06-01T08%3A00%3A00Z&start_date=2026-06-01T08%3A00%3A00Z", "", `{"data":[]}`, nil,
	},
	"DeliveryEvents": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			all, err := c.DeliveryEvents(ctx, "ari@example.com", bento.DeliveryWindow{}, 0)
			return len(all), err
		}, "GET /delivery/events", "email=ari%40example.com", "", `{"events":[{"event":"sent"}],"meta":{}}`, 1,
	},
	"DeliveryEvents of a window": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			all, err := c.DeliveryEvents(ctx, "ari@example.com", bento.DeliveryWindow{Start: june}, 100)
			return len(all), err
		}, "GET /delivery/events", "email=ari%40example.com&limit=100&start_date=2026-06-01T08%3A00%3A00Z", "", `{"events":[]}`, 0,
	},
	"ListConversations": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			all, err := c.ListConversations(ctx, bento.ConversationFilters{Q: new("order")}, 2)
			return len(all), err
		}, "GET /chat/conversations", "page=2&q=order", "", `{"conversations":[{"id":12,"contact":null,"assignee":null,"last_message":null}],"meta":{}}`, 1,
	},
	"Conversations": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			first, err := one(c.Conversations(ctx, bento.ConversationFilters{Status: new(gen.ConversationFilterOpen)}))
			return first.(bento.Conversation).ID, err
		}, "GET /chat/conversations", "page=1&status=open", "", `{"conversations":[{"id":12}]}`, gen.Number(12),
	},
	"ConversationsByEmail": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			found, err := c.ConversationsByEmail(ctx, "ari@example.com")
			return len(found.Conversations), err
		}, "GET /chat/conversations/by_email", "contact_email=ari%40example.com", "", `{"contact":{"id":4},"conversations":[{"id":12}]}`, 1,
	},
	"Conversation": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			found, err := c.Conversation(ctx, 12)
			return len(found.Messages), err
		}, "GET /chat/conversations/12", "", "", `{"id":12,"messages":[{"id":"9","sender":[]}]}`, 1,
	},
	"ListInboxes": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			all, err := c.ListInboxes(ctx)
			return len(all), err
		}, "GET /chat/inboxes", "", "", `{"success":true,"inboxes":[{"id":1,"greeting_enabled":null}]}`, 1,
	},
	"StartConversation": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			result, err := c.StartConversation(ctx, bento.ConversationStart{InboxID: 1, ContactEmail: "ari@example.com", MessageContent: "Hello"})
			return result.Conversation.ID, err
		}, "POST /chat/messages", "", `{"inbox_id":1,"contact_email":"ari@example.com","message_content":"Hello"}`, said, 12,
	},
	"ReplyToConversation": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			result, err := c.ReplyToConversation(ctx, 12, "Hello")
			return result.Message.ID, err
		}, "POST /chat/conversations/12/messages", "", `{"message_content":"Hello"}`, said, 9,
	},
	"AddConversationNote": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			result, err := c.AddConversationNote(ctx, 12, "Hello")
			return bool(result.Message.Private), err
		}, "POST /chat/conversations/12/notes", "", `{"content":"Hello"}`, said, true,
	},
	"SetConversationStatus": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			result, err := c.SetConversationStatus(ctx, 12, gen.ConversationStatusSnoozed)
			return bool(result.Success), err
		}, "POST /chat/conversations/12/status", "", `{"status":"snoozed"}`, `{"success":true,"conversation":{"id":12,"status":"snoozed"}}`, true,
	},
	"RequestDataDeletion": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			return nil, c.RequestDataDeletion(ctx, "ari@example.com")
		}, "POST /data_deletion_requests", "", "data_deletion_request%5Bemail%5D=ari%40example.com&site_uuid=" + testSite, `{}`, nil,
	},
	"ValidateEmail": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			return c.ValidateEmail(ctx, gen.ValidateEmailBody{Email: "ari@example.com"})
		}, "POST /experimental/validation", "", `{"email":"ari@example.com"}`, `{"valid":true}`, true,
	},
	"ApplyRuleset": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			result, err := c.ApplyRuleset(ctx, gen.ApplyRulesetBody{Email: "ari@example.com"})
			return result.Reasons, err
		}, "POST /experimental/jesses_ruleset", "", `{"email":"ari@example.com"}`, `{"reasons":["new"]}`, []string{"new"},
	},
	"ModerateContent": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			_, err := c.ModerateContent(ctx, "text")
			return nil, err
		}, "POST /experimental/content_moderation", "", `{"content":"text"}`, `{"valid":true,"reasons":[],"safe_original_content":"text"}`, nil,
	},
	"GuessGender": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			guess, err := c.GuessGender(ctx, "Ari")
			return guess.Confidence, err
		}, "POST /experimental/gender", "", `{"name":"Ari"}`, `{"gender":null,"confidence":null}`, nil,
	},
	"Geolocate": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			where, err := c.Geolocate(ctx, "192.0.2.1")
			return len(where), err
		}, "GET /experimental/geolocation", "ip=192.0.2.1", "", `{"city":"Bonn"}`, 1,
	},
	"CheckBlacklist by domain": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			_, err := c.CheckBlacklist(ctx, "example.com", "")
			return nil, err
		}, "GET /experimental/blacklist", "domain=example.com", "", `{"query":"example.com","description":"d","results":{}}`, nil,
	},
	"CheckBlacklist by address": {
		func(ctx context.Context, c *bento.Client) (any, error) {
			_, err := c.CheckBlacklist(ctx, "", "192.0.2.1")
			return nil, err
		}, "GET /experimental/blacklist", "ip=192.0.2.1", "", `{"query":"192.0.2.1","description":"d","results":{}}`, nil,
	},
}

// Every method sends what it was given, and hands out what came back, or the error.
func TestEveryMethodSendsWhatItWasGiven(t *testing.T) {
	t.Parallel()
	for name, call := range operationCalls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scripted(t, answerJSON(200, call.answer), answerJSON(401, `{}`))
			c := s.client()
			got, err := call.do(t.Context(), c)
			require.NoError(t, err)
			if call.want != nil {
				assert.EqualValues(t, call.want, got)
			}
			req := s.seen[0]
			assert.Equal(t, call.sends, req.Method+" "+req.URL.Path[len("/some/prefix/api/v1"):])
			query := req.URL.Query()
			query.Del("site_uuid")
			assert.Equal(t, call.query, query.Encode())
			if len(call.body) > 0 && call.body[0] == '{' {
				assert.JSONEq(t, call.body, req.body)
			} else {
				assert.Equal(t, call.body, req.body)
			}
			_, err = call.do(t.Context(), c)
			require.ErrorIs(t, err, bento.ErrUnauthorized)
		})
	}
}

// What names nothing is refused before anything is sent.
func TestNoMethodSendsWhatNamesNothing(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(context.Context, *bento.Client) error{
		"CreateField":            func(ctx context.Context, c *bento.Client) error { _, err := c.CreateField(ctx, ""); return err },
		"DeleteTag without id":   func(ctx context.Context, c *bento.Client) error { return c.DeleteTag(ctx, "", "vip") },
		"DeleteTag without name": func(ctx context.Context, c *bento.Client) error { return c.DeleteTag(ctx, "7", "") },
		"CreateSubscriber":       func(ctx context.Context, c *bento.Client) error { _, err := c.CreateSubscriber(ctx, "x"); return err },
		"SubscriberByUUID":       func(ctx context.Context, c *bento.Client) error { _, err := c.SubscriberByUUID(ctx, ""); return err },
		"Segment":                func(ctx context.Context, c *bento.Client) error { _, err := c.Segment(ctx, ""); return err },
		"MatchSegment": func(ctx context.Context, c *bento.Client) error {
			_, err := c.MatchSegment(ctx, "", "ari@example.com")
			return err
		},
		"MatchSegment of nobody": func(ctx context.Context, c *bento.Client) error {
			_, err := c.MatchSegment(ctx, "s1", "ari")
			return err
		},
		"ListSequences":            func(ctx context.Context, c *bento.Client) error { _, err := c.ListSequences(ctx, 0); return err },
		"ListWorkflows":            func(ctx context.Context, c *bento.Client) error { _, err := c.ListWorkflows(ctx, 0); return err },
		"EmailTemplate":            func(ctx context.Context, c *bento.Client) error { _, err := c.EmailTemplate(ctx, 0); return err },
		"ListFormResponses":        func(ctx context.Context, c *bento.Client) error { _, err := c.ListFormResponses(ctx, ""); return err },
		"SegmentStats":             func(ctx context.Context, c *bento.Client) error { _, err := c.SegmentStats(ctx, ""); return err },
		"Report":                   func(ctx context.Context, c *bento.Client) error { _, err := c.Report(ctx, ""); return err },
		"RequestDataDeletion":      func(ctx context.Context, c *bento.Client) error { return c.RequestDataDeletion(ctx, "x") },
		"GuessGender":              func(ctx context.Context, c *bento.Client) error { _, err := c.GuessGender(ctx, ""); return err },
		"Geolocate":                func(ctx context.Context, c *bento.Client) error { _, err := c.Geolocate(ctx, ""); return err },
		"CheckBlacklist":           func(ctx context.Context, c *bento.Client) error { _, err := c.CheckBlacklist(ctx, "", ""); return err },
		"CreateBroadcasts of none": func(ctx context.Context, c *bento.Client) error { _, err := c.CreateBroadcasts(ctx, nil); return err },
		"ListConversations": func(ctx context.Context, c *bento.Client) error {
			_, err := c.ListConversations(ctx, bento.ConversationFilters{}, 0)
			return err
		},
		"ConversationsByEmail": func(ctx context.Context, c *bento.Client) error {
			_, err := c.ConversationsByEmail(ctx, "ari")
			return err
		},
		"Conversation": func(ctx context.Context, c *bento.Client) error { _, err := c.Conversation(ctx, 0); return err },
		"StartConversation with nobody": func(ctx context.Context, c *bento.Client) error {
			_, err := c.StartConversation(ctx, bento.ConversationStart{InboxID: 1, MessageContent: "Hello"})
			return err
		},
		"StartConversation nowhere": func(ctx context.Context, c *bento.Client) error {
			_, err := c.StartConversation(ctx, bento.ConversationStart{ContactEmail: "ari@example.com", MessageContent: "Hello"})
			return err
		},
		"StartConversation about nothing": func(ctx context.Context, c *bento.Client) error {
			_, err := c.StartConversation(ctx, bento.ConversationStart{InboxID: 1, ContactEmail: "ari@example.com"})
			return err
		},
		"ReplyToConversation, which": func(ctx context.Context, c *bento.Client) error {
			_, err := c.ReplyToConversation(ctx, 0, "Hello")
			return err
		},
		"ReplyToConversation with nothing": func(ctx context.Context, c *bento.Client) error {
			_, err := c.ReplyToConversation(ctx, 12, "")
			return err
		},
		"AddConversationNote, to which": func(ctx context.Context, c *bento.Client) error {
			_, err := c.AddConversationNote(ctx, 0, "Hello")
			return err
		},
		"AddConversationNote of nothing": func(ctx context.Context, c *bento.Client) error {
			_, err := c.AddConversationNote(ctx, 12, "")
			return err
		},
		"SetConversationStatus of which": func(ctx context.Context, c *bento.Client) error {
			_, err := c.SetConversationStatus(ctx, 0, gen.ConversationStatusOpen)
			return err
		},
		"SetConversationStatus to none": func(ctx context.Context, c *bento.Client) error {
			_, err := c.SetConversationStatus(ctx, 12, "all")
			return err
		},
		"DeliveryReport of no time": func(ctx context.Context, c *bento.Client) error {
			_, err := c.DeliveryReport(ctx, bento.DeliveryWindow{Start: june.Add(1), End: june})
			return err
		},
		"DeliveryEvents of nobody": func(ctx context.Context, c *bento.Client) error {
			_, err := c.DeliveryEvents(ctx, "ari", bento.DeliveryWindow{}, 1)
			return err
		},
		"DeliveryEvents of no time": func(ctx context.Context, c *bento.Client) error {
			_, err := c.DeliveryEvents(ctx, "ari@example.com", bento.DeliveryWindow{Start: june.Add(1), End: june}, 1)
			return err
		},
		"DeliveryEvents, fewer than none": func(ctx context.Context, c *bento.Client) error {
			_, err := c.DeliveryEvents(ctx, "ari@example.com", bento.DeliveryWindow{}, -1)
			return err
		},
		"DeliveryEvents, too many": func(ctx context.Context, c *bento.Client) error {
			_, err := c.DeliveryEvents(ctx, "ari@example.com", bento.DeliveryWindow{}, 101)
			return err
		},
		"CreateSequenceEmail": func(ctx context.Context, c *bento.Client) error {
			_, err := c.CreateSequenceEmail(ctx, "", bento.SequenceEmail{})
			return err
		},
		"UpdateEmailTemplate": func(ctx context.Context, c *bento.Client) error {
			_, err := c.UpdateEmailTemplate(ctx, 0, bento.EmailTemplateChange{HTML: new("h")})
			return err
		},
		"UpdateEmailTemplate by nothing": func(ctx context.Context, c *bento.Client) error {
			_, err := c.UpdateEmailTemplate(ctx, 1, bento.EmailTemplateChange{})
			return err
		},
		"ValidateEmail": func(ctx context.Context, c *bento.Client) error {
			valid, err := c.ValidateEmail(ctx, gen.ValidateEmailBody{})
			assert.False(t, valid)
			return err
		},
		"ApplyRuleset": func(ctx context.Context, c *bento.Client) error {
			_, err := c.ApplyRuleset(ctx, gen.ApplyRulesetBody{})
			return err
		},
	} {
		s := scripted(t)
		require.ErrorIs(t, do(t.Context(), s.client()), bento.ErrInvalid, name)
		assert.Empty(t, s.seen, name)
	}
}

// Every walk tells its pages apart by the ids of what is on them.
func TestEveryWalkGoesToItsEnd(t *testing.T) {
	t.Parallel()
	item := func(id string) answer {
		return answerJSON(200, `{"data":[{"id":"`+id+`","type":"t","attributes":{"uuid":"u","email":"a@example.com"}}],"conversations":[{"id":`+id+`}]}`)
	}
	count := func(n *int, err error) { require.NoError(t, err); *n++ }
	for name, walk := range map[string]func(*bento.Client, *int){
		"Broadcasts": func(c *bento.Client, n *int) {
			for _, err := range c.Broadcasts(t.Context(), bento.BroadcastFilters{}) {
				count(n, err)
			}
		},
		"Sequences": func(c *bento.Client, n *int) {
			for _, err := range c.Sequences(t.Context()) {
				count(n, err)
			}
		},
		"Workflows": func(c *bento.Client, n *int) {
			for _, err := range c.Workflows(t.Context()) {
				count(n, err)
			}
		},
		"Conversations": func(c *bento.Client, n *int) {
			for _, err := range c.Conversations(t.Context(), bento.ConversationFilters{}) {
				count(n, err)
			}
		},
		"SearchSubscribers": func(c *bento.Client, n *int) {
			for _, err := range c.SearchSubscribers(t.Context(), gen.SearchSubscribersParams{}) {
				count(n, err)
			}
		},
	} {
		n := 0
		walk(scripted(t, item("1"), item("2"), answerJSON(200, `{"data":[],"conversations":[]}`)).client(), &n)
		assert.Equal(t, 2, n, name)
	}
}

// A walk without an end is ended.
func TestAWalkWithoutAnEndIsEnded(t *testing.T) {
	t.Parallel()
	items, last := 0, error(nil)
	fetch := func(page int) ([]int, error) { return []int{page}, nil }
	for _, err := range bento.Pages(gen.OpListBroadcasts, fetch, func(i int) gen.ID { return gen.ID(strconv.Itoa(i)) }) {
		if last = err; err == nil {
			items++
		}
	}
	require.ErrorIs(t, last, bento.ErrUnexpectedAnswer)
	require.ErrorContains(t, last, "no end after 100000 pages")
	assert.Equal(t, 100_000, items)
}

// A success that names no resource is not one.
func TestAnAnswerWithoutItsResourceIsAnError(t *testing.T) {
	t.Parallel()
	for name, call := range operationCalls {
		switch name {
		case "CreateField", "CreateSubscriber", "Segment", "CreateSequenceEmail", "EmailTemplate", "UpdateEmailTemplate":
			_, err := call.do(t.Context(), scripted(t, answerJSON(200, `{"data":null}`)).client())
			require.ErrorIs(t, err, bento.ErrUnexpectedAnswer, name)
			require.ErrorContains(t, err, "the answer holds no data", name)
		}
	}
}

// The commands say what the contract calls them.
func TestEveryCommandHasItsName(t *testing.T) {
	t.Parallel()
	for want, command := range map[string]bento.Command{
		`{"command":"add_tag","email":"a@example.com","query":"vip"}`:                        bento.AddTag("a@example.com", "vip"),
		`{"command":"add_tag_via_event","email":"a@example.com","query":"vip"}`:              bento.AddTagViaEvent("a@example.com", "vip"),
		`{"command":"remove_tag","email":"a@example.com","query":"vip"}`:                     bento.RemoveTag("a@example.com", "vip"),
		`{"command":"add_field","email":"a@example.com","query":{"key":"plan","value":"a"}}`: bento.AddField("a@example.com", "plan", "a"),
		`{"command":"remove_field","email":"a@example.com","query":"plan"}`:                  bento.RemoveField("a@example.com", "plan"),
		`{"command":"subscribe","email":"a@example.com"}`:                                    bento.Subscribe("a@example.com"),
		`{"command":"unsubscribe","email":"a@example.com"}`:                                  bento.Unsubscribe("a@example.com"),
		`{"command":"change_email","email":"a@example.com","query":"b@example.com"}`:         bento.ChangeEmail("a@example.com", "b@example.com"),
	} {
		encoded, err := bento.EncodeRecord(command)
		require.NoError(t, err)
		assert.JSONEq(t, want, string(encoded))
	}
	_, err := scripted(t).client().RunCommands(t.Context(), []bento.Command{bento.AddTag("nobody", "vip")})
	require.ErrorIs(t, err, bento.ErrInvalid)
}
