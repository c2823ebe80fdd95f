package natsstore_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/natsstore"
)

// What keeps an outbox from being opened is one error, which says what to do, and nothing that is
// secret.
func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	noJetStream := started(t, &server.Options{}).ClientURL()
	locked := started(t, &server.Options{StoreDir: t.TempDir(), Username: "ari", Password: "open sesame"})
	host := locked.Addr().String()
	guest := &server.User{Username: "guest", Password: "s3cret", Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"$JS.API.STREAM.CREATE.>"}}}}
	mute := &server.User{Username: "mute", Password: "s3cret", Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"$JS.API.>"}}}}
	strict := started(t, &server.Options{StoreDir: t.TempDir(), Users: []*server.User{guest, mute}}).Addr().String()
	small := started(t, &server.Options{StoreDir: t.TempDir(), JetStreamMaxStore: 1 << 20, JetStreamMaxMemory: 1 << 20})
	short := started(t, &server.Options{StoreDir: t.TempDir(), MaxPayload: 64 << 10}).ClientURL()
	none := filepath.Join(t.TempDir(), "none")
	junk := filepath.Join(t.TempDir(), "junk.pem")
	require.NoError(t, os.WriteFile(junk, []byte("junk"), 0o600))
	for name, c := range map[string]struct {
		url  string
		opts []natsstore.Option
		want string
	}{
		"no URL":                 {"", nil, "want something like nats://"},
		"a URL of the web":       {"https://ari:s3cret@example.com", nil, "want something like nats://"},
		"a URL that is none":     {"nats://ari:s3cret@exa mple:%zz", nil, "cannot be read"},
		"nobody there":           {"nats://ari:s3cret@127.0.0.1:1", nil, "no server answers there"},
		"nobody at either":       {"nats://ari:s3cret@127.0.0.1:1,127.0.0.1:2", nil, "nats://127.0.0.1:1,nats://127.0.0.1:2: no server answers there"},
		"a name nobody has":      {"nats://ari:s3cret@n1.invalid", nil, "correct the URL"},
		"half a password":        {"nats://ari:12,sesame@127.0.0.1:1", nil, "write %2C"},
		"small messages":         {short, nil, "max_payload"},
		"no JetStream":           {noJetStream, nil, "start it with -js"},
		"a wrong password":       {"nats://ari:s3cret@" + host, nil, "correct the credentials"},
		"no password":            {"nats://" + host, nil, "correct the credentials"},
		"streams may not be":     {"nats://guest:s3cret@" + strict, nil, "$JS.API.STREAM.CREATE"},
		"JetStream may not be":   {"nats://mute:s3cret@" + strict, nil, "needs permission"},
		"a name with dots":       {url(t), []natsstore.Option{natsstore.WithName("a.b")}, "use up to 64 letters"},
		"too many replicas":      {url(t), []natsstore.Option{natsstore.WithName(fresh()), natsstore.WithReplicas(3)}, "replicas > 1 not supported"},
		"too little room":        {small.ClientURL(), nil, "WithCapacity"},
		"seven replicas":         {url(t), []natsstore.Option{natsstore.WithReplicas(7)}, "1, 3 or 5"},
		"no credentials file":    {url(t), []natsstore.Option{natsstore.WithCredentials(none)}, none},
		"no CA file":             {url(t), []natsstore.Option{natsstore.WithCA(none)}, none},
		"a CA file that is none": {url(t), []natsstore.Option{natsstore.WithCA(junk)}, "holds no certificate"},
		"a certificate of none":  {url(t), []natsstore.Option{natsstore.WithClientCertificate(junk, junk)}, "certificate and key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := natsstore.Open(t.Context(), c.url, c.opts...)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "natsstore: ")
			for _, secret := range []string{"s3cret", "sesame"} {
				assert.NotContains(t, err.Error(), secret)
			}
		})
	}
}

// A stream that would drop entries, or that belongs to others, is not used.
func TestStreamsThatWouldLoseEntriesAreRefused(t *testing.T) {
	t.Parallel()
	js := jetstreamOf(t)
	for name, c := range map[string]struct {
		stream string
		change func(*jetstream.StreamConfig)
		want   string
	}{
		"of others":           {"entries", func(c *jetstream.StreamConfig) { c.Metadata = nil }, "belongs to something else"},
		"of another version":  {"state", func(c *jetstream.StreamConfig) { c.Metadata["bento-outbox"] = "0" }, `version "0"`},
		"a work queue":        {"entries", func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy }, "want limits"},
		"old ones go":         {"entries", func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld }, "--discard=new"},
		"they age":            {"entries", func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour }, "--max-age=-1"},
		"they are counted":    {"entries", func(c *jetstream.StreamConfig) { c.MaxMsgs = 10 }, "--max-msgs=-1"},
		"no transactions":     {"entries", func(c *jetstream.StreamConfig) { c.AllowAtomicPublish = false }, "--allow-batch"},
		"states are bounded":  {"state", func(c *jetstream.StreamConfig) { c.MaxBytes = 1 << 20 }, "--max-bytes=-1"},
		"states have a past":  {"state", func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 2 }, "--max-msgs-per-subject=1"},
		"other subjects":      {"state", func(c *jetstream.StreamConfig) { c.Subjects = []string{c.Name + ".>"} }, "its subjects are"},
		"messages are small":  {"state", func(c *jetstream.StreamConfig) { c.MaxMsgSize = 4096 }, "--max-msg-size=-1"},
		"nothing may go":      {"entries", func(c *jetstream.StreamConfig) { c.DenyDelete = true }, "make it anew"},
		"no reading directly": {"entries", func(c *jetstream.StreamConfig) { c.AllowDirect = false }, "--allow-direct"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outboxName := fresh()
			require.NoError(t, open(t, outboxName).Close())
			stream, err := js.Stream(t.Context(), outboxName+"-"+c.stream)
			require.NoError(t, err)
			config := stream.CachedInfo().Config
			require.NoError(t, js.DeleteStream(t.Context(), config.Name))
			c.change(&config)
			_, err = js.CreateStream(t.Context(), config)
			require.NoError(t, err)
			_, err = natsstore.Open(t.Context(), url(t), natsstore.WithName(outboxName))
			require.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, config.Name)
		})
	}
}

// What weakens the promises is told, but hinders nobody.
func TestOpenWarns(t *testing.T) {
	t.Parallel()
	var told bytes.Buffer
	logger := natsstore.WithLogger(slog.New(slog.NewTextHandler(&told, nil)))
	name := fresh()
	s := open(t, name, logger)
	assert.Contains(t, told.String(), "on one server only")
	assert.NotContains(t, told.String(), "in memory")
	require.NoError(t, s.Close())

	js := jetstreamOf(t)
	stream, err := js.Stream(t.Context(), name+"-entries")
	require.NoError(t, err)
	config := stream.CachedInfo().Config
	require.NoError(t, js.DeleteStream(t.Context(), config.Name))
	config.Storage = jetstream.MemoryStorage
	_, err = js.CreateStream(t.Context(), config)
	require.NoError(t, err)
	open(t, name, logger)
	assert.Contains(t, told.String(), "in memory")
}

// Who only looks makes nothing: neither an outbox, nor the half of one that is missing.
func TestLookingMakesNothing(t *testing.T) {
	t.Parallel()
	name, js := fresh(), jetstreamOf(t)
	refused := func(stream string) {
		t.Helper()
		_, err := natsstore.Open(t.Context(), url(t), natsstore.WithName(name), natsstore.WithoutCreating())
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.ErrorContains(t, err, "natsstore: "+url(t)+": the stream "+name+stream+": there is no outbox of this name")
		_, err = js.Stream(t.Context(), name+stream)
		require.ErrorIs(t, err, jetstream.ErrStreamNotFound)
	}
	refused("-entries")
	put(t, open(t, name), event(""))
	stats, err := open(t, name, natsstore.WithoutCreating()).Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, stats.Waiting())
	require.NoError(t, js.DeleteStream(t.Context(), name+"-state"))
	refused("-state")
}

// An outbox that is opened with another capacity has that from then on.
func TestTheCapacityIsChanged(t *testing.T) {
	t.Parallel()
	name := fresh()
	small := open(t, name, natsstore.WithCapacity(1000))
	large := event("")
	large.Record = make([]byte, 2000)
	_, err := small.Put(t.Context(), []outbox.Entry{large})
	require.ErrorIs(t, err, outbox.ErrFull)
	put(t, open(t, name, natsstore.WithCapacity(10_000)), large)
	_, err = open(t, name).Put(t.Context(), []outbox.Entry{large, large, large, large, large})
	require.ErrorIs(t, err, outbox.ErrFull, "who says nothing changes nothing")
}

// A stream that has lost what it had acknowledged would give new entries the numbers of old ones.
func TestAStreamThatWasRolledBackIsRefused(t *testing.T) {
	t.Parallel()
	name, now := fresh(), time.Now()
	s := open(t, name)
	ids := put(t, s, event(""), event(""))
	lease := acquire(t, s, "me", now)
	_, _, err := s.Next(t.Context(), lease, 10, now)
	require.NoError(t, err)
	require.NoError(t, s.Begin(t.Context(), lease, ids, now))
	require.NoError(t, s.Settle(t.Context(), lease, verdicts(outbox.Accepted, ids...), now))
	require.NoError(t, s.Close())
	anew(t, name+"-entries")
	s = open(t, name)
	_, err = s.Acquire(t.Context(), outbox.Events, "you", now.Add(time.Hour), time.Minute)
	require.ErrorIs(t, err, outbox.ErrDamaged)
}

// Half an outbox is not made whole: without its state parked emails would be sent again, and without its
// entries new ones would be taken for those that were delivered.
func TestHalfAnOutboxIsRefused(t *testing.T) {
	t.Parallel()
	for stream, remedy := range map[string]string{"-entries": "already: without it entries would be lost or sent again; take out what is left", "-state": "restore it from a backup"} {
		t.Run(stream, func(t *testing.T) {
			t.Parallel()
			name, now := fresh(), time.Now()
			s := open(t, name)
			put(t, s, event(""), event(""))
			require.NoError(t, deliver(t, s, acquire(t, s, "me", now), now))
			js := jetstreamOf(t)
			require.NoError(t, js.DeleteStream(t.Context(), name+stream))
			for range 2 {
				_, err := natsstore.Open(t.Context(), url(t), natsstore.WithName(name))
				require.ErrorIs(t, err, outbox.ErrDamaged)
				require.ErrorContains(t, err, "the stream "+name+stream+": ")
				require.ErrorContains(t, err, remedy)
				_, err = js.Stream(t.Context(), name+stream)
				require.ErrorIs(t, err, jetstream.ErrStreamNotFound, "it makes nothing")
			}
		})
	}
}

// Whoever is first of those that open an outbox, it is made once, and they all have it.
func TestMachinesThatOpenAnOutboxAtOnce(t *testing.T) {
	t.Parallel()
	const machines = 6
	for range 5 {
		name := fresh()
		var all sync.WaitGroup
		for range machines {
			all.Go(func() {
				s, err := natsstore.Open(context.Background(), url(t), natsstore.WithName(name))
				if err != nil {
					t.Error(err)
					return
				}
				defer func() { _ = s.Close() }()
				_, err = s.Acquire(context.Background(), outbox.Events, "me", time.Now(), time.Minute)
				_, err2 := s.Put(context.Background(), events(3))
				if err = errors.Join(err, err2); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		assert.Equal(t, 3*machines, left(t, name+"-entries"))
	}
}

func TestAStoreThatIsClosed(t *testing.T) {
	t.Parallel()
	s := open(t, fresh())
	require.NoError(t, s.Close())
	_, err := s.Put(t.Context(), []outbox.Entry{event("")})
	require.ErrorIs(t, err, outbox.ErrClosed)
	_, err = s.Stats(t.Context())
	require.ErrorIs(t, err, outbox.ErrClosed)
	require.ErrorIs(t, s.Wake(t.Context(), func(outbox.Lane) {}), outbox.ErrClosed)
}

// A server that goes away is an error, in time, and no more than that when it is back.
func TestAServerThatGoesAway(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	v.start()
	s, err := natsstore.Open(t.Context(), v.url())
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	put(t, s, event(""))
	v.kill()
	begun := time.Now()
	_, err = s.Put(t.Context(), []outbox.Entry{event("")})
	require.Error(t, err)
	_, err = s.Acquire(t.Context(), outbox.Events, "me", time.Now(), time.Minute)
	require.Error(t, err)
	require.NotErrorIs(t, err, outbox.ErrLost)
	assert.Less(t, time.Since(begun), 15*time.Second)
	v.start()
	require.Eventually(t, func() bool {
		stats, err := s.Stats(t.Context())
		return err == nil && stats.Waiting() == 1
	}, 15*time.Second, 50*time.Millisecond)
}

// A cluster of which the most are down says so, and not only that it is not available.
func TestAClusterWithoutAMajoritySaysSo(t *testing.T) {
	t.Parallel()
	err := natsstore.Remedy(&jetstream.APIError{Code: 503, ErrorCode: 10008, Description: "JetStream system temporarily unavailable"})
	require.ErrorContains(t, err, "no majority: start those that are down")
	require.ErrorContains(t, natsstore.Remedy(jetstream.ErrJetStreamNotEnabledForAccount), "the account has no JetStream")
}
