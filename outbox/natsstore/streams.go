package natsstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"example.com/bento-go/outbox"
)

// schemaKey marks a stream as one of an outbox, and tells the version of what is in it.
const schemaKey, schemaVersion = "bento-outbox", "1"

// prepare makes sure of the server and of the streams.
func (s *Store) prepare(ctx context.Context, set settings) error {
	if version := s.conn.ConnectedServerVersion(); !newEnough(version) {
		return fmt.Errorf("the server is nats-server %s: transactions need %d.%d or newer", version, needMajor, needMinor)
	}
	if payload := s.conn.MaxPayload(); payload < needPayload {
		return fmt.Errorf("the server takes messages of %d bytes: want a megabyte, which is its default (max_payload)", payload)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*requestFor)
	s.opening.Store(&cancel)
	defer func() {
		s.opening.Store(nil)
		cancel()
	}()
	js, err := jetstream.New(s.conn)
	if err != nil {
		return err
	}
	fallback := 1
	if s.conn.ConnectedClusterName() != "" {
		fallback = 3
	}
	opening := opening{js, set, fallback, s.streams}
	var all []jetstream.StreamConfig
	for _, want := range s.configs() {
		config, err := opening.stream(ctx, want)
		if err != nil {
			if told := s.refusal.Load(); told != nil {
				err = told.err
			}
			return fmt.Errorf("the stream %s: %w", want.Name, remedy(err))
		}
		all = append(all, config)
		if want.Name == s.streams.entries {
			s.copied.Store(config.Replicas > 1)
		}
	}
	s.warn(ctx, all)
	return nil
}

// An opening opens streams.
type opening struct {
	js       jetstream.JetStream
	set      settings
	fallback int // replicas of what is made, if nobody says how many
	streams  streams
}

// configs are the streams as they have to be.
func (s *Store) configs() []jetstream.StreamConfig {
	base := jetstream.StreamConfig{
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
		MaxMsgs: -1, MaxBytes: -1, MaxMsgsPerSubject: -1, MaxMsgSize: -1, MaxConsumers: -1,
		AllowDirect: true, AllowAtomicPublish: true, Metadata: map[string]string{schemaKey: schemaVersion},
	}
	entries, state := base, base
	entries.Name, entries.Subjects, entries.MaxBytes = s.streams.entries, s.subjects.entries(), DefaultCapacity
	entries.Description = "What an outbox has still to deliver to Bento, in order"
	state.Name, state.Subjects, state.MaxMsgsPerSubject, state.AllowMsgTTL = s.streams.state, []string{s.subjects.state()}, 1, true
	state.Description = "What became of the entries of an outbox"
	return []jetstream.StreamConfig{entries, state}
}

// stream opens a stream, or makes it, and returns its settings.
func (o *opening) stream(ctx context.Context, want jetstream.StreamConfig) (jetstream.StreamConfig, error) {
	js, set, bounded := o.js, o.set, want.MaxBytes > 0
	got, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		got, err = o.create(ctx, want)
	}
	if err != nil {
		return want, err
	}
	config := got.CachedInfo().Config
	if err := fits(config, want); err != nil {
		return want, err
	}
	changed := false
	if set.replicas > 0 && config.Replicas != set.replicas {
		config.Replicas, changed = set.replicas, true
	}
	if bounded && set.capacity > 0 && config.MaxBytes != set.capacity {
		config.MaxBytes, changed = set.capacity, true
	}
	if changed {
		if got, err = js.UpdateStream(ctx, config); err != nil {
			return want, err
		}
	}
	return got.CachedInfo().Config, nil
}

// joinFor is how long is waited for the servers of a cluster that has just been started: it answers when
// the most have joined, and keeps a copy on each when all have. joinEvery is between two attempts.
const joinFor, joinEvery = 10 * time.Second, 250 * time.Millisecond

// create makes a stream, unless that would make an outbox whole of which half is lost.
func (o *opening) create(ctx context.Context, want jetstream.StreamConfig) (jetstream.Stream, error) {
	if o.set.existing {
		return nil, none{}
	}
	if got, err := o.begun(ctx, want.Name); got != nil || err != nil {
		return got, err
	}
	if want.Replicas = o.fallback; o.set.replicas > 0 {
		want.Replicas = o.set.replicas
	}
	if want.MaxBytes > 0 && o.set.capacity > 0 {
		want.MaxBytes = o.set.capacity
	}
	got, err := o.js.CreateStream(ctx, want)
	for begun := time.Now(); hasCode(err, codeNoPeers) && time.Since(begun) < joinFor && pause(ctx, joinEvery) == nil; {
		got, err = o.js.CreateStream(ctx, want)
	}
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another was quicker
		return o.js.Stream(ctx, want.Name)
	}
	return got, err
}

// begun is an error if one of the streams was in use already and the other, of this name, is not there:
// both are made before anything comes into either. Others may be making them, or have begun to use them,
// meanwhile: then it is the stream.
func (o *opening) begun(ctx context.Context, missing string) (jetstream.Stream, error) {
	other, remedy := o.streams.entries, "restore it from a backup (nats stream restore), or "+rescue
	if missing == other {
		other, remedy = o.streams.state, rescue
	}
	used, err := o.js.Stream(ctx, other)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, nil //nolint:nilnil // there is none, and nothing wrong
	case err != nil:
		return nil, err
	case used.CachedInfo().State.LastSeq == 0:
		return nil, nil //nolint:nilnil // as above
	}
	got, err := o.js.Stream(ctx, missing)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		err = fmt.Errorf("%w: it is gone, though the stream %s was in use already: without it entries would be lost or sent again; %s", outbox.ErrDamaged, other, remedy)
	}
	return got, err
}

// fits says what of a stream's settings would lose entries, or keep this program from working.
func fits(got, want jetstream.StreamConfig) error {
	version, ours := got.Metadata[schemaKey]
	var wrong string
	switch {
	case !ours:
		return errors.New("there is one of this name that belongs to something else: give the outbox another name")
	case version != schemaVersion:
		return fmt.Errorf("it is of version %q, and this program knows %s: open it with the program that made it, or give the outbox another name", version, schemaVersion)
	case got.Retention != want.Retention:
		wrong = fmt.Sprintf("its retention is %v, want limits (make it anew)", got.Retention)
	case got.Discard != want.Discard:
		wrong = "it discards old messages when it is full, want new (nats stream edit --discard=new)"
	case got.MaxAge != 0:
		wrong = fmt.Sprintf("it drops messages after %s, want never (nats stream edit --max-age=-1)", got.MaxAge.Round(time.Second))
	case got.MaxMsgs > 0:
		wrong = fmt.Sprintf("it is bounded to %d messages, want bytes only (nats stream edit --max-msgs=-1)", got.MaxMsgs)
	case got.MaxMsgsPerSubject != want.MaxMsgsPerSubject:
		wrong = fmt.Sprintf("it keeps %d messages of a subject, want %d (nats stream edit --max-msgs-per-subject=%d)", got.MaxMsgsPerSubject, want.MaxMsgsPerSubject, want.MaxMsgsPerSubject)
	case want.MaxBytes < 0 && got.MaxBytes > 0:
		wrong = "it is bounded in bytes, and could then not note what becomes of the entries (nats stream edit --max-bytes=-1)"
	case got.MaxMsgSize > 0:
		wrong = fmt.Sprintf("it takes no message of more than %d bytes, want as the server has it (nats stream edit --max-msg-size=-1)", got.MaxMsgSize)
	case !got.AllowAtomicPublish:
		wrong = "it takes no transactions (nats stream edit --allow-batch)"
	case !got.AllowDirect:
		wrong = "it cannot be read directly (nats stream edit --allow-direct)"
	case want.AllowMsgTTL && !got.AllowMsgTTL:
		wrong = "its messages cannot end (nats stream edit --allow-msg-ttl)"
	case slices.ContainsFunc(want.Subjects, func(subject string) bool { return !slices.Contains(got.Subjects, subject) }):
		wrong = fmt.Sprintf("its subjects are %v, want %v (nats stream edit --subjects=...)", got.Subjects, want.Subjects)
	case got.SubjectTransform != nil || got.NoAck || got.Sealed || got.DenyDelete || got.DenyPurge || got.Mirror != nil || len(got.Sources) > 0 || got.PersistMode != want.PersistMode:
		wrong = "it acknowledges nothing or too early, or nothing can be changed in it, or it copies or renames (make it anew)"
	}
	if wrong != "" {
		return errors.New("its settings were changed so that it would lose entries or stand still: " + wrong)
	}
	return nil
}

// warn tells what weakens the promises.
func (s *Store) warn(ctx context.Context, all []jetstream.StreamConfig) {
	names := func(weak func(jetstream.StreamConfig) bool) (some []string) {
		for _, config := range all {
			if weak(config) {
				some = append(some, config.Name)
			}
		}
		return some
	}
	if some := names(func(c jetstream.StreamConfig) bool { return c.Storage != jetstream.FileStorage }); some != nil {
		s.logger.WarnContext(ctx, "natsstore: streams are in memory: what is in them is lost with their servers", "streams", some)
	}
	if some := names(func(c jetstream.StreamConfig) bool { return c.Replicas < 3 }); some != nil {
		s.logger.WarnContext(ctx, "natsstore: streams are on one server only, or two: with it goes what is in them, and a power cut takes what was not synced (sync_interval: always); "+
			"three keep it (WithReplicas, or nats stream edit --replicas=3)", "streams", some)
	}
}
