package natsstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// partSize is how much of a record a message holds, at most: a server takes a megabyte, if it is not set
// to another size.
const partSize = 512 << 10

// connectFor bounds the attempt to reach one server; reconnectWait is between two attempts at the same.
const connectFor, reconnectWait = 5 * time.Second, 500 * time.Millisecond

// open connects and makes sure of the streams.
func (s *Store) open(ctx context.Context, given string, set settings) error {
	urls, shown, err := addresses(given)
	if err != nil {
		return fmt.Errorf("natsstore: %w", err)
	}
	if err := set.check(); err != nil {
		return fmt.Errorf("natsstore: %w", err)
	}
	if err := s.connect(ctx, urls, set); err != nil {
		return fmt.Errorf("natsstore: %s: %w", shown, err)
	}
	if err := s.prepare(ctx, set); err != nil {
		return fmt.Errorf("natsstore: %s: %w", shown, err)
	}
	return nil
}

// addresses checks URLs. shown is how they may be shown: without what is secret in them.
func addresses(given string) (urls []string, shown string, err error) {
	var hosts []string
	scheme, _, _ := strings.Cut(given, "://")
	for one := range strings.SplitSeq(given, ",") {
		if one = strings.TrimSpace(one); len(urls) > 0 && !strings.Contains(one, "://") {
			if strings.Contains(one, "@") { // what is before the comma may be half a password
				return nil, "", errors.New("the URL of the server has a comma before an @: write %2C for one in a password, and a scheme before each address that has a user")
			}
			one = scheme + "://" + one
		}
		u, err := url.Parse(one)
		switch {
		case err != nil: // whose text holds all of it
			return nil, "", errors.New("the URL of the server cannot be read: want something like nats://nats.example.com:4222")
		case u.Scheme != "nats" && u.Scheme != "tls" && u.Scheme != "ws" && u.Scheme != "wss" || u.Host == "":
			return nil, "", errors.New("the URL of the server has no scheme nats, tls, ws or wss, or no host: want something like nats://nats.example.com:4222")
		}
		urls, hosts = append(urls, one), append(hosts, u.Scheme+"://"+u.Host)
	}
	return urls, strings.Join(hosts, ","), nil
}

func (s *Store) connect(ctx context.Context, urls []string, set settings) error {
	options := nats.GetDefaultOptions()
	options.Servers, options.Name, options.Timeout = urls, "outbox "+set.name, connectFor
	options.MaxReconnect, options.ReconnectWait = -1, reconnectWait
	options.IgnoreAuthErrorAbort = true // credentials may be mended while it tries
	options.ReconnectBufSize = -1       // what cannot be sent now is an error now, and not sent later
	options.DisconnectedErrCB = func(*nats.Conn, error) { s.link.lost() }
	options.ReconnectedCB = func(*nats.Conn) { s.link.made() }
	options.AsyncErrorCB = func(_ *nats.Conn, _ *nats.Subscription, err error) { s.refused(err) }
	if set.credentials != "" {
		if err := nats.UserCredentials(set.credentials)(&options); err != nil {
			return fmt.Errorf("the credentials file: %w", err)
		}
	}
	config, err := set.tls()
	if err != nil {
		return err
	}
	if config != nil {
		options.Secure, options.TLSConfig = true, config
	}
	if s.conn, err = dial(ctx, options); err != nil {
		return remedy(err)
	}
	s.part = int(min(partSize, s.conn.MaxPayload()/2))
	return nil
}

// dial gives up with ctx, which the package does not know of.
func dial(ctx context.Context, options nats.Options) (*nats.Conn, error) {
	type dialed struct {
		conn *nats.Conn
		err  error
	}
	done := make(chan dialed, 1)
	go func() { // ends by itself: each server has connectFor
		conn, err := options.Connect()
		done <- dialed{conn, err}
	}()
	select {
	case got := <-done:
		return got.conn, got.err
	case <-ctx.Done():
		go func() {
			if got := <-done; got.conn != nil {
				got.conn.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// A connection tells those who wait for an answer that it will not come any more.
type connection struct {
	mu    sync.Mutex
	ctx   context.Context //nolint:containedctx // it lives as long as the connection
	end   context.CancelFunc
	epoch uint64 // grows with each connection
}

var errDisconnected = errors.New("the connection to the server is lost")

func (c *connection) made() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ctx, c.end = context.WithCancel(context.Background())
	c.epoch++
}

func (c *connection) lost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end()
}

func (c *connection) number() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epoch
}

func (c *connection) alive() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ctx.Err() == nil
}

// bound is ctx for one request: it ends with the connection, too.
func (c *connection) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	c.mu.Lock()
	alive := c.ctx
	c.mu.Unlock()
	ctx, end := context.WithCancelCause(ctx)
	ctx, cancel := context.WithTimeout(ctx, requestFor)
	stop := context.AfterFunc(alive, func() { end(errDisconnected) })
	return ctx, func() {
		stop()
		cancel()
		end(nil)
	}
}

// await waits until there is a connection, a while.
func (s *Store) await(ctx context.Context) error {
	for range awaitTries {
		if s.link.alive() {
			return nil
		}
		if err := pause(ctx, awaitFor/awaitTries); err != nil {
			return err
		}
	}
	return nil
}

// How long a change waits for a new connection to see whether it was made.
const awaitFor, awaitTries = 5 * time.Second, 100

// A refusal is what the server did not permit.
type refusal struct {
	err error
	at  time.Time
}

// refused keeps what the server says apart from any request.
func (s *Store) refused(err error) {
	if errors.Is(err, nats.ErrPermissionViolation) {
		s.refusal.Store(&refusal{err, time.Now()})
		if end := s.opening.Load(); end != nil {
			(*end)()
		}
	}
}

// remedy adds to an error what to do about it.
func remedy(err error) error {
	var text string
	switch {
	case errors.As(err, new(*net.DNSError)):
		text = "no server has this name, or nobody answers who knows: correct the URL"
	case errors.Is(err, nats.ErrNoServers):
		text = "no server answers there: start it, or correct the URL"
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		text = "the server does not know this user: correct the credentials"
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, nats.ErrNoResponders):
		text = "the server has no JetStream: start it with -js, or with jetstream {} in its configuration"
	case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		text = "the account has no JetStream: enable it for the account"
	case hasCode(err, codeStorage) || hasCode(err, codeInsufficient) || hasCode(err, codeAccountResources):
		text = "the servers, or the account, have less room than the outbox is to have, which is a gigabyte if WithCapacity says nothing else: give them more (max_file_store)"
	case hasCode(err, codeNoPeers):
		text = "the cluster has fewer servers with room than copies are to be kept: start those that are down, or ask for fewer (WithReplicas)"
	case leaderless(err):
		text = "the servers have no majority: start those that are down"
	case errors.Is(err, nats.ErrPermissionViolation):
		text = "the user needs permission to publish and subscribe there: see the package's documentation"
	case errors.Is(err, context.DeadlineExceeded):
		text = "no answer in time: the cluster may have no leader, or the user no permission for _INBOX.> or $JS.API.>"
	default:
		return err
	}
	return fmt.Errorf("%s (%w)", text, err)
}

// leaderless reports whether JetStream is there, and says that it cannot serve now.
func leaderless(err error) bool {
	var failure *jetstream.APIError
	return errors.As(err, &failure) && failure.Code == http.StatusServiceUnavailable
}

func hasCode(err error, code jetstream.ErrorCode) bool {
	var failure *jetstream.APIError
	return errors.As(err, &failure) && failure.ErrorCode == code
}

// What the server has to be, at least: 2.12 has transactions; what is kept of lanes and entries that wait
// may come to a megabyte.
const (
	needMajor, needMinor = 2, 12
	needPayload          = 1 << 20
)

// newEnough reports whether a version has what is used here.
func newEnough(version string) bool {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, err := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	return err == nil && err2 == nil && (a > needMajor || a == needMajor && b >= needMinor)
}
