package fake

import (
	"net/http"
	"sync"
	"time"

	"example.com/bento-go/conformance"
	"example.com/bento-go/gen"
)

// A Server is a Bento in memory. It is safe for concurrent use.
//
// It keeps 100,000 people, or 256 MiB of them, their fields and the like. A record of one more counts
// as failed.
type Server struct {
	checker  *conformance.Checker
	accounts func(publishable, secret, site string) bool
	lenient  bool
	store    Store
	large    chan struct{} // bodies that are being read

	mu                  sync.Mutex
	faults              faults
	limits              limiter
	state               state
	appended, mayAppend int // bytes of entries since the last snapshot
	passed              []Exchange
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
// as it does at Bento, where it takes minutes. It is counted as accepted at once, so that a person
// for whom there is no room by then is left out.
func WithVisibilityDelay(d time.Duration) Option { return func(s *Server) { s.state.delay = d } }

// WithBroadcasts seeds n broadcasts to page through.
func WithBroadcasts(n int) Option { return func(s *Server) { s.state.seedBroadcasts(n) } }

// Lenient takes what production evidently also takes: site_uuid in the body instead of the
// query, and generic User-Agents.
func Lenient() Option { return func(s *Server) { s.lenient = true } }

// New returns a server with nothing in it, or with what its store has kept. The error is that of a
// broken contract, or of the store.
func New(opts ...Option) (*Server, error) {
	checker, err := conformance.New()
	if err != nil {
		return nil, err
	}
	s := &Server{
		checker:  checker,
		accounts: func(publishable, secret, site string) bool { return publishable != "" && secret != "" && site != "" },
		state:    newState(),
		large:    make(chan struct{}, maxLarge),
	}
	for _, opt := range opts {
		opt(s)
	}
	if s.store != nil {
		if err := s.load(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// ServeHTTP answers as Bento would.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := s.readBody(w, req)
	if err != nil {
		w.Header().Set("Connection", "close")
		r := s.respond(nil, new(fail(http.StatusBadRequest, err.Error())))
		s.keepExchange(Exchange{At: time.Now(), Method: req.Method, Path: req.URL.Path, Status: r.status, Verdict: []string{err.Error()}})
		r.write(w, req)
		return
	}
	operation, verdict, refusal := s.judge(req, body)
	c := &call{Request: req, body: body}
	if refusal == nil {
		c.op, _ = gen.OperationByID(operation)
		c.changes = changesOf(c)
	}
	r := s.respond(c, refusal)
	s.keepExchange(Exchange{At: time.Now(), Method: req.Method, Path: req.URL.Path, Operation: operation, Status: r.status, Body: body, Verdict: verdict})
	r.write(w, req)
}

// respond decides the answer to a call that was judged, and keeps the books; one that is refused may
// be nil.
func (s *Server) respond(c *call, refusal *reply) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := &s.state.counts
	counts.Requests++
	if refusal != nil {
		counts.Refused++
		return *refusal
	}
	if wait := s.limits.take(c.op.Limit, c.site()); wait > 0 {
		counts.Limited++
		return rateLimited(wait)
	}
	fault, met := s.faults.next(c.op.ID)
	if met {
		counts.Faults++
	}
	if fault.replaces() {
		return fault.spoil(fault.reply())
	}
	now := time.Now()
	if err := s.append(c, now); err != nil {
		return fail(http.StatusServiceUnavailable, "this fake cannot keep what it is sent: "+err.Error())
	}
	return fault.spoil(s.state.answer(c, now))
}

// answer performs a call.
func (s *state) answer(c *call, now time.Time) reply {
	s.catchUp(now)
	return handlers[c.op.ID](s, c)
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
	gen.OpGetDeliveryReport:   (*state).getDeliveryReport,
	gen.OpListDeliveryEvents:  (*state).listDeliveryEvents,
	gen.OpValidateEmail:       (*state).validateEmail,
	gen.OpApplyRuleset:        (*state).applyRuleset,
	gen.OpModerateContent:     (*state).moderateContent,
	gen.OpGuessGender:         (*state).guessGender,
	gen.OpGeolocate:           (*state).geolocate,
	gen.OpCheckBlacklist:      (*state).checkBlacklist,

	gen.OpListInboxes:              (*state).listInboxes,
	gen.OpListConversations:        (*state).listConversations,
	gen.OpListConversationsByEmail: (*state).listConversationsByEmail,
	gen.OpGetConversation:          (*state).getConversation,
	gen.OpStartConversation:        (*state).startConversation,
	gen.OpReplyToConversation:      (*state).replyToConversation,
	gen.OpAddConversationNote:      (*state).addConversationNote,
	gen.OpSetConversationStatus:    (*state).setConversationStatus,
}

// Counts returns what the server has seen so far.
func (s *Server) Counts() Counts {
	s.lockCaughtUp()
	defer s.mu.Unlock()
	return s.state.counts
}
