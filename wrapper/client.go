package bento

import (
	"errors"
	"net/http"
	"time"

	"example.com/bento-go/gen"
)

// defaultTimeout bounds an attempt; the conventions ask for an application timeout and name
// none. A batch of 1000 takes Bento a few seconds.
const defaultTimeout = 30 * time.Second

// A Client speaks to one site of Bento. Make it with [New] or [FromEnv], share it: it is safe
// for concurrent use.
type Client struct {
	api   *gen.Client
	http  *http.Client
	scrub scrubber
	limit int64 // bytes of an answer
	pace  *paceTransport
	site  func() string // a closure, where no formatting verb reaches it
}

// New returns a client, or an [ErrInvalid] that names everything wrong with cfg, else the first
// option that is. It sends nothing.
func New(cfg Config, opts ...Option) (*Client, error) {
	base, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	s := settings{timeout: defaultTimeout, answer: defaultMaxAnswer}
	for _, opt := range opts {
		if opt == nil {
			return nil, &configError{[]error{errors.New("an option is nil: leave it out instead")}}
		}
		if err := opt.apply(&s); err != nil {
			return nil, &configError{[]error{err}}
		}
	}
	transport, paced := s.chain()
	s.http.Transport = transport
	// A followed redirect would turn a POST into an empty GET, or carry the body to another
	// host. It is returned instead, and becomes an Error.
	s.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	c := &Client{http: &s.http, scrub: newScrubber(cfg), limit: s.answer, pace: paced, site: func() string { return cfg.SiteUUID }}
	c.api, err = gen.NewClient(base.String(),
		gen.WithHTTPClient(c.http),
		gen.WithRequestEditorFn(BasicAuth(cfg.PublishableKey, cfg.SecretKey)),
		gen.WithRequestEditorFn(SiteUUID(cfg.SiteUUID)),
		gen.WithRequestEditorFn(UserAgent(cfg.UserAgent)),
		gen.WithRequestEditorFn(Accept()),
		gen.WithRequestEditorFn(callHeaders),
	)
	return c, err
}

// FromEnv is [New] with [ConfigFromEnv]: keys, site and address from the environment.
func FromEnv(userAgent string, opts ...Option) (*Client, error) {
	return New(ConfigFromEnv(userAgent), opts...)
}

// CloseIdleConnections closes the connections that wait for reuse. The client stays usable.
func (c *Client) CloseIdleConnections() {
	if c != nil && c.http != nil {
		c.http.CloseIdleConnections()
	}
}

// String says what a Client is, and no more: it holds credentials.
func (c *Client) String() string { return "bento.Client" }

// GoString is [Client.String].
func (c *Client) GoString() string { return c.String() }
