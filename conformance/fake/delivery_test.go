package fake_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/conformance/fake/faketest"
	bento "example.com/bento-go/wrapper"
)

// Deliveries are those of the time asked for, the latest first, also after a restart.
func TestDeliveriesAreThoseOfTheTimeAskedFor(t *testing.T) {
	t.Parallel()
	store := &memory{}
	b := faketest.New(t, fake.WithStore(store))
	for _, subject := range []string{"one", "two"} {
		_, err := b.Client.SendEmails(t.Context(), []bento.Email{
			{To: "ari@example.com", From: "a@acme.example", Subject: subject, HTMLBody: "x"}, {To: "bo@example.com", From: "a@acme.example", Subject: subject, HTMLBody: "x"},
		})
		require.NoError(t, err)
	}
	require.NoError(t, b.Server.Close())
	b = faketest.New(t, fake.WithStore(store))
	events, err := b.Client.DeliveryEvents(t.Context(), "ari@example.com", bento.DeliveryWindow{}, 0)
	require.NoError(t, err)
	require.Len(t, events, 2)
	assert.Equal(t, "two", events[0]["subject"])
	events, err = b.Client.DeliveryEvents(t.Context(), "ari@example.com", bento.DeliveryWindow{}, 1)
	require.NoError(t, err)
	assert.Len(t, events, 1)
	yesterday := time.Now().AddDate(0, 0, -1)
	events, err = b.Client.DeliveryEvents(t.Context(), "ari@example.com", bento.DeliveryWindow{End: yesterday}, 0)
	require.NoError(t, err)
	assert.Empty(t, events)
	report, err := b.Client.DeliveryReport(t.Context(), bento.DeliveryWindow{})
	require.NoError(t, err)
	assert.EqualValues(t, 4, report.Data["accepted"])
	report, err = b.Client.DeliveryReport(t.Context(), bento.DeliveryWindow{Start: time.Now().Add(-2 * time.Hour), End: time.Now().Add(-time.Hour)})
	require.NoError(t, err)
	assert.EqualValues(t, 0, report.Data["accepted"])
}

// The ends of the time have two names each; what is none is refused.
func TestATimeThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	server := newFake(t)
	for _, path := range []string{"/delivery/report" + site, "/delivery/events" + site + "&email=ari@example.com"} {
		for query, status := range map[string]int{
			"&from=2026-06-01T08:00:00Z&to=2026-06-01T08:00:00Z":                    200,
			"&start_date=2026-06-01T08:00:00Z&end_date=2026-06-01T10:00:00%2B02:00": 200,
			"&from=2026-06-01T08:00:01Z&to=2026-06-01T08:00:00Z":                    400,
			"&from=soon":                 400,
			"&to=soon":                   400,
			"&from=2026-02-30T08:00:00Z": 400,
			"&to=2026-02-30T08:00:00Z":   400,
		} {
			assert.Equal(t, status, do(t, server, "GET", path+query, "").StatusCode, path+query)
		}
	}
}
