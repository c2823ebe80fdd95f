package bento_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

func page(ids ...string) answer {
	items := make([]string, len(ids))
	for i, id := range ids {
		items[i] = fmt.Sprintf(`{"id":%q,"type":"broadcasts","attributes":{"name":"News %s"}}`, id, id)
	}
	return answerJSON(200, `{"data":[`+strings.Join(items, ",")+`]}`)
}

func TestPagesAreWalkedFromOneUntilOneIsEmpty(t *testing.T) {
	t.Parallel()
	s := scripted(t, page("1", "2"), page("3"), page())
	var ids []string
	for broadcast, err := range s.client().Broadcasts(t.Context(), bento.BroadcastFilters{}) {
		require.NoError(t, err)
		ids = append(ids, string(broadcast.ID))
	}
	assert.Equal(t, []string{"1", "2", "3"}, ids)
	for i, req := range s.seen {
		assert.Equal(t, strconv.Itoa(i+1), req.URL.Query().Get("page"))
	}
}

func TestTheNextPageIsAskedForOnlyWhenNeeded(t *testing.T) {
	t.Parallel()
	s := scripted(t, page("1", "2"))
	for range s.client().Broadcasts(t.Context(), bento.BroadcastFilters{}) {
		break
	}
	assert.Len(t, s.seen, 1)
}

func TestAFailedPageEndsTheWalk(t *testing.T) {
	t.Parallel()
	s := scripted(t, page("1"), answerJSON(401, `{}`))
	var errs []error
	for _, err := range s.client().Broadcasts(t.Context(), bento.BroadcastFilters{}) {
		errs = append(errs, err)
	}
	require.Len(t, errs, 2)
	require.NoError(t, errs[0])
	require.ErrorIs(t, errs[1], bento.ErrUnauthorized)
}

func TestAServerThatIgnoresPageIsNoticed(t *testing.T) {
	t.Parallel()
	s := scripted(t, page("1", "2"), page("1", "2"), page("1", "2"))
	var last error
	for _, err := range s.client().Broadcasts(t.Context(), bento.BroadcastFilters{}) {
		last = err
	}
	require.ErrorIs(t, last, bento.ErrUnexpectedAnswer)
	require.ErrorContains(t, last, "page 2 brings the items of page 1")
	assert.Len(t, s.seen, 2)
}

func TestReadsRefuseWhatCannotBe(t *testing.T) {
	t.Parallel()
	c := scripted(t).client()
	_, err := c.ListBroadcasts(t.Context(), bento.BroadcastFilters{}, 0)
	require.ErrorIs(t, err, bento.ErrInvalid)
	require.ErrorContains(t, err, "pages start at 1")
	_, err = c.SubscriberByEmail(t.Context(), "Ari <ari@example.com>")
	require.ErrorIs(t, err, bento.ErrInvalid)
	_, err = c.SubscriberByUUID(t.Context(), "")
	require.ErrorIs(t, err, bento.ErrInvalid)
	_, err = c.CreateTag(t.Context(), " ")
	require.ErrorIs(t, err, bento.ErrInvalid)
}

func TestSubscribersAreFoundOrNot(t *testing.T) {
	t.Parallel()
	s := scripted(t,
		answerJSON(200, `{"data":{"id":"42","type":"visitors","attributes":{"uuid":"u-1","email":"a+b@example.com","fields":{"plan":"pro"},"unsubscribed_at":null}}}`),
		answerJSON(200, `{"data":null}`), answerJSON(200, `{}`))
	c := s.client()
	found, err := c.SubscriberByEmail(t.Context(), "a+b@example.com")
	require.NoError(t, err)
	assert.Equal(t, "pro", found.Attributes.Fields["plan"])
	assert.True(t, found.Attributes.UnsubscribedAt.IsZero())
	assert.Equal(t, "a+b@example.com", s.seen[0].URL.Query().Get("email"), "a plus sign survives")
	for range 2 {
		found, err = c.SubscriberByUUID(t.Context(), "u-2")
		require.NoError(t, err)
		assert.Nil(t, found)
	}
}

func TestSubscribersAreListedByThePage(t *testing.T) {
	t.Parallel()
	s := scripted(t, answerJSON(200, `{"data":[{"id":"42","type":"visitors","attributes":{"uuid":"u-1","email":"a@example.com"}}],"meta":{"page":3}}`))
	c := s.client()
	found, err := c.ListSubscribers(t.Context(), gen.SearchSubscribersParams{Tags: new("vip")}, 3)
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, "3", s.seen[0].URL.Query().Get("page"))
	assert.Equal(t, "vip", s.seen[0].URL.Query().Get("tags"))
	_, err = c.ListSubscribers(t.Context(), gen.SearchSubscribersParams{}, 0)
	require.ErrorIs(t, err, bento.ErrInvalid)
}

func TestTagsAreListedAndCreated(t *testing.T) {
	t.Parallel()
	s := scripted(t,
		answerJSON(200, `{"data":[{"id":"1","type":"tags","attributes":{"name":"vip","discarded_at":null}}]}`),
		answerJSON(201, `{"data":{"id":"2","type":"tags","attributes":{"name":"タグ"}}}`))
	c := s.client()
	tags, err := c.ListTags(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "vip", tags[0].Attributes.Name)
	tag, err := c.CreateTag(t.Context(), "タグ")
	require.NoError(t, err)
	assert.Equal(t, "タグ", tag.Attributes.Name)
	assert.JSONEq(t, `{"tag":{"name":"タグ"}}`, s.seen[1].body)
}

// What calls itself a success and says nothing that the contract knows is no empty list, and nobody.
func TestAStrangeSuccessIsNoEmptyList(t *testing.T) {
	t.Parallel()
	for body, strange := range map[string]bool{`{}`: false, `[]`: false, `{"data":[]}`: false, `{"message":"Site is not approved"}`: true} {
		_, err := scripted(t, answerJSON(200, body)).client().ListTags(t.Context())
		assert.Equal(t, strange, errors.Is(err, bento.ErrUnexpectedAnswer), body)
		for _, err := range scripted(t, answerJSON(200, body)).client().Broadcasts(t.Context(), bento.BroadcastFilters{}) {
			require.ErrorIs(t, err, bento.ErrUnexpectedAnswer)
			assert.True(t, strange, body)
		}
	}
	_, err := scripted(t, answerJSON(200, `{"message":"Site is not approved"}`)).client().SubscriberByEmail(t.Context(), "ari@example.com")
	require.ErrorIs(t, err, bento.ErrUnexpectedAnswer)
	_, err = scripted(t, respond(200, "text/plain", `{"message":"Site is not approved"}`)).client().ListTags(t.Context())
	require.ErrorContains(t, err, "not declared as JSON")
	none, err := scripted(t, answerJSON(200, `{"data":{"user_count":0,"subscriber_count":0,"unsubscriber_count":0}}`)).client().SiteStats(t.Context())
	require.NoError(t, err, "a site that has nobody")
	assert.Zero(t, none.UserCount)
	nobody, err := scripted(t, answerJSON(200, `{"data":null}`)).client().SubscriberByEmail(t.Context(), "ari@example.com")
	require.NoError(t, err)
	assert.Nil(t, nobody)
}
