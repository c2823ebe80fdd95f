package fake

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/bento-go/conformance"
	"example.com/bento-go/gen"
)

// maxBody bounds a request; a full batch is well below a megabyte.
const maxBody = 10 << 20

// A Server is a Bento in memory. It is safe for concurrent use.
type Server struct {
	checker  *conformance.Checker
	accounts func(publishable, secret, site string) bool
	lenient  bool

	mu     sync.Mutex
	faults faults
	limits limiter
	state  state
	passed []Exchange
}

// An Option adjusts a Server at [New].
type Option func(*Server)

// WithCredentials makes one pair of keys and one site the only ones. By default any that are
// not empty will do.
func WithCredentials(publishable, secret, site string) Option {
	return func(s *Server) {
		s.accounts = func(p, k, u string) bool { return p == publishable && k == secret && u == site }
	}
}

// WithFaults arms faults, as [ParseFaults] reads them.
func WithFaults(armed ...Fault) Option { return func(s *Server) { s.faults.arm(armed) } }

// WithLimits limits requests per family; the default is no limit.
func WithLimits(l Limits) Option { return func(s *Server) { s.limits.limits = l } }

// WithSeed makes faults that are met by chance meet the same requests as another server with the
// seed; the default seed is 0.
func WithSeed(seed uint64) Option { return func(s *Server) { s.faults.seed = seed } }

// WithVisibilityDelay makes what was queued (events, imports, commands) take effect only after d,
// as it does at Bento, where it takes minutes. It is counted as accepted at once.
func WithVisibilityDelay(d time.Duration) Option { return func(s *Server) { s.state.delay = d } }

// WithBroadcasts seeds n broadcasts to page through.
func WithBroadcasts(n int) Option { return func(s *Server) { s.state.seedBroadcasts(n) } }

// Lenient takes what production evidently also takes: site_uuid in the body instead of the
// query, and generic User-Agents.
func Lenient() Option { return func(s *Server) { s.lenient = true } }

// New returns a server with nothing in it. The error is that of a broken contract.
func New(opts ...Option) (*Server, error) {
	checker, err := conformance.New()
	if err != nil {
		return nil, err
	}
	s := &Server{
		checker:  checker,
		accounts: func(publishable, secret, site string) bool { return publishable != "" && secret != "" && site != "" },
		state:    newState(),
	}
	for _, opt := range opts {
		opt(s)
	}
	return s, nil
}

// ServeHTTP answers as Bento would.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if err != nil {
		fail(http.StatusBadRequest, "the body broke off or is larger than 10 MiB").write(w, req)
		return
	}
	operation, verdict, refusal := s.judge(req, body)
	r := s.respond(&call{Request: req, body: body}, operation, refusal)
	s.keepExchange(Exchange{At: time.Now(), Method: req.Method, Path: req.URL.Path, Operation: operation, Status: r.status, Body: body, Verdict: verdict})
	r.write(w, req)
}

// respond decides the answer to a request that was judged, and keeps the books.
func (s *Server) respond(c *call, operation string, refusal *reply) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := &s.state.counts
	counts.Requests++
	if refusal != nil {
		counts.Refused++
		return *refusal
	}
	c.op, _ = gen.OperationByID(operation)
	if wait := s.limits.take(c.op.Limit, c.site()); wait > 0 {
		counts.Limited++
		return rateLimited(wait)
	}
	fault := s.faults.next(operation)
	if fault != nil {
		counts.Faults++
		if fault.replaces() {
			return fault.reply()
		}
	}
	s.state.catchUp(time.Now())
	r := handlers[operation](&s.state, c)
	if fault != nil {
		return fault.spoil(r)
	}
	return r
}

// A call is a request that the contract allows, with its body read.
type call struct {
	*http.Request
	op   gen.Operation
	body []byte
}

// id is the {id} of the path.
func (c *call) id() string {
	pattern, path := strings.Split(c.op.Path, "/"), strings.Split(c.URL.Path, "/")
	return path[len(path)-len(pattern)+slices.Index(pattern, "{id}")]
}

// site is the site the request is about; only lenient mode lets a body name it.
func (c *call) site() string {
	if site := c.URL.Query().Get("site_uuid"); site != "" {
		return site
	}
	return siteInBody(c.body)
}

// handlers is one function per operation of the contract; a test holds it whole.
var handlers = map[string]func(*state, *call) reply{
	gen.OpTrackEvents:         (*state).trackEvents,
	gen.OpImportSubscribers:   (*state).importSubscribers,
	gen.OpSendEmails:          (*state).sendEmails,
	gen.OpCreateBroadcasts:    (*state).createBroadcasts,
	gen.OpGetSubscriber:       (*state).getSubscriber,
	gen.OpCreateSubscriber:    (*state).createSubscriber,
	gen.OpSearchSubscribers:   (*state).searchSubscribers,
	gen.OpRunCommands:         (*state).runCommands,
	gen.OpRequestDataDeletion: (*state).requestDataDeletion,
	gen.OpListTags:            (*state).listTags,
	gen.OpCreateTag:           (*state).createTag,
	gen.OpDeleteTag:           (*state).deleteTag,
	gen.OpListFields:          (*state).listFields,
	gen.OpCreateField:         (*state).createField,
	gen.OpListSegments:        (*state).listSegments,
	gen.OpGetSegment:          (*state).getSegment,
	gen.OpMatchSegment:        (*state).matchSegment,
	gen.OpListBroadcasts:      (*state).listBroadcasts,
	gen.OpListSequences:       (*state).listSequences,
	gen.OpCreateSequenceEmail: (*state).createSequenceEmail,
	gen.OpListWorkflows:       (*state).listWorkflows,
	gen.OpGetEmailTemplate:    (*state).getEmailTemplate,
	gen.OpUpdateEmailTemplate: (*state).updateEmailTemplate,
	gen.OpListFormResponses:   (*state).listFormResponses,
	gen.OpGetSiteStats:        (*state).getSiteStats,
	gen.OpGetSegmentStats:     (*state).getSegmentStats,
	gen.OpGetReport:           (*state).getReport,
	gen.OpGetAdStats:          (*state).getAdStats,
	gen.OpValidateEmail:       (*state).validateEmail,
	gen.OpApplyRuleset:        (*state).applyRuleset,
	gen.OpModerateContent:     (*state).moderateContent,
	gen.OpGuessGender:         (*state).guessGender,
	gen.OpGeolocate:           (*state).geolocate,
	gen.OpCheckBlacklist:      (*state).checkBlacklist,
}

// Counts returns what the server has seen so far.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.counts
}
