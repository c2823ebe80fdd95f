package conformance

import (
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	contract "example.com/bento-go"
)

// A Checker judges exchanges by the contract. It is safe for concurrent use.
type Checker struct {
	doc     *openapi3.T
	sure    map[content]*acceptor
	members *registry
	values  bool
	routes  []route
	byID    map[string]*openapi3.Operation
	servers []server
}

// content is a schema on one side of an exchange.
type content struct {
	side   Side
	schema *openapi3.Schema
}

// acceptorsOf compiles the JSON bodies of a contract.
func acceptorsOf(doc *openapi3.T, members *registry) map[content]*acceptor {
	all := map[content]*acceptor{}
	add := func(side Side, bodies openapi3.Content) {
		if media := bodies["application/json"]; media != nil {
			key := content{side, media.Schema.Value}
			if _, done := all[key]; !done {
				all[key] = compileAcceptor(side, media.Schema.Value, members)
			}
		}
	}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			if op.RequestBody != nil {
				add(SideRequest, op.RequestBody.Value.Content)
			}
			for _, answer := range op.Responses.Map() {
				add(SideResponse, answer.Value.Content)
			}
		}
	}
	return all
}

// An Option adjusts a Checker at [New].
type Option func(*Checker) error

// WithServer also takes traffic with baseURL for traffic with Bento: a staging address, a
// proxy. Loopback addresses, where fakes live, are known already. An empty one does nothing.
func WithServer(baseURL string) Option {
	return func(c *Checker) error {
		if baseURL == "" {
			return nil
		}
		s, err := parseServer(baseURL)
		if err != nil {
			return fmt.Errorf("conformance: server %q: %w: want something like https://staging.example.com/api/v1", baseURL, err)
		}
		c.servers = append(c.servers, s)
		return nil
	}
}

// WithValues puts what stands at the place of a finding into [Finding.Value], up to 200 bytes of
// it. Such findings hold data of the traffic; without the option they never do.
func WithValues() Option { return func(c *Checker) error { c.values = true; return nil } }

// New returns a checker of the contract. The first takes some 30 ms, in which it reads the contract for all.
func New(opts ...Option) (*Checker, error) {
	of, err := ofContract()
	if err != nil {
		return nil, err
	}
	c := *of
	c.servers = slices.Clone(of.servers)
	for _, opt := range opts {
		if err := opt(&c); err != nil {
			return nil, err
		}
	}
	return &c, nil
}

// ofContract is a checker without options, of which the others are copies: what it holds is only read.
var ofContract = sync.OnceValues(func() (*Checker, error) {
	doc, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("conformance: the contract: %w", err)
	}
	return checkerOf(doc)
})

// checkerOf makes of a contract all that a checker holds, but for its options.
func checkerOf(doc *openapi3.T) (*Checker, error) {
	c := &Checker{doc: doc, routes: routesOf(doc), byID: map[string]*openapi3.Operation{}, members: newRegistry(doc)}
	c.sure = acceptorsOf(doc, c.members)
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			c.byID[op.OperationID] = op
		}
	}
	for _, s := range doc.Servers {
		known, err := parseServer(s.URL)
		if err != nil {
			return nil, fmt.Errorf("conformance: the contract: servers: %w", err)
		}
		c.servers = append(c.servers, known)
	}
	return c, nil
}

// Check judges an exchange. It never panics: should the checker fail, that is a finding.
func (c *Checker) Check(x *Exchange) Verdict { return c.judge(x, nil) }

// judge is Check that also marks what of the contract it saw.
func (c *Checker) judge(x *Exchange, cover *coverage) (verdict Verdict) {
	if x == nil {
		return Verdict{Skipped: "no exchange"}
	}
	at, _ := c.locate(x.Request.URL)
	defer func() {
		if recover() != nil {
			verdict.Findings = append(verdict.Findings, found(RuleInternal, SideRequest, "", ""))
		}
		for i := range verdict.Findings {
			f := &verdict.Findings[i]
			f.Operation = verdict.Operation
			f.setSource(x.Source)
			f.Hint = hintFor(*f, at.path)
			if c.values {
				f.Value = valueAt(x, *f)
			}
		}
	}()
	if verdict.Skipped = c.skip(x); verdict.Skipped != "" {
		return verdict
	}
	verdict.Operation, verdict.Findings = c.checkRequest(&x.Request, cover)
	verdict.Unverifiable = x.Request.BodyState == BodyMissing || x.Response.BodyState == BodyMissing ||
		x.Request.Header == nil || x.Request.leftOut("Authorization") || x.Response.Header == nil && len(x.Response.Body) > 0
	if verdict.Operation != "" {
		verdict.Findings = append(verdict.Findings, c.checkResponse(verdict.Operation, x.Request.Method, x.Response, cover)...)
	}
	return verdict
}

// skip says why an exchange is none of the contract's business.
func (c *Checker) skip(x *Exchange) string {
	if _, known := c.locate(x.Request.URL); !known {
		return "another host"
	}
	switch {
	case x.Request.Method == http.MethodOptions:
		return "a browser's preflight"
	case x.Response == nil || x.Response.Status == 0:
		return "no answer"
	}
	return ""
}

// CheckRequest judges a request alone and names its operation, if it has one. Its host is not
// judged.
func (c *Checker) CheckRequest(r *Request) (operation string, findings []Finding) {
	return c.checkRequest(r, nil)
}

func (c *Checker) checkRequest(r *Request, cover *coverage) (operation string, findings []Finding) {
	at, _ := c.locate(r.URL)
	op, pattern, pathKnown := c.match(r.Method, at.path)
	findings = c.checkSecurity(op, r, at.query)
	switch {
	case op == nil && pathKnown:
		return "", append(findings, found(RuleMethod, SideRequest, "", ""))
	case op == nil:
		return "", append(findings, found(RulePath, SideRequest, "", ""))
	}
	findings = append(findings, checkPath(op, pattern, at.path)...)
	if inputs, rest := inputsOf(op, r, at.query); inputs != nil {
		content := op.RequestBody.Value.Content.Get("application/json")
		findings = append(findings, c.checkQuery(op, rest)...)
		return op.OperationID, append(findings, c.checkContent(SideRequest, content, "application/json", inputs, cover)...)
	}
	findings = append(findings, c.checkQuery(op, at.query)...)
	return op.OperationID, append(findings, c.checkRequestBody(op, r, cover)...)
}

// CheckResponse judges an answer alone, as one of the operation.
func (c *Checker) CheckResponse(operation string, r *Response) []Finding {
	return c.checkResponse(operation, http.MethodGet, r, nil)
}
