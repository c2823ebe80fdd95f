// Package fake is a Bento that enforces the contract: an http.Handler for tests, a server for
// people (bentoctl fake).
//
// It is driven by the contract that the client is generated from. Requests are judged by
// package conformance, and what it finds decides the answer: an HTML 403 without a real
// User-Agent, 401 without credentials or site_uuid, 404 off the paths, 400 for a body that the
// contract does not allow, 422 for one that breaks a rule of the business. What is accepted is
// kept and can be read back, by the API and by the methods of [Server].
//
// It breaks on demand: see [Fault] and [ParseFaults].
package fake
