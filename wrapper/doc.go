// Package bento is the client of Bento's API (directory wrapper, package bento, so that your
// code reads bento.New).
//
// It wraps the client generated from the contract with the manners that Bento's conventions
// ask for: Basic auth and site_uuid on every request, a real User-Agent, retries of 429 and
// 5xx with backoff and within a budget, a pace below each limit, batches of the documented size,
// pages from 1, and emails that are never sent twice blindly. Errors say what to do, and neither
// they nor logs hold secrets.
//
//	client, err := bento.FromEnv("AcmeCRM/1.0")
//	…
//	result, err := client.TrackEvents(ctx, []bento.Event{{Type: "$signed_up", Email: "ari@example.com"}})
//
// Records and answers are the generated types (package gen) under shorter names; there is no
// second model of the API here. Whoever wants the generated client bare can still have the
// manners one by one: [BasicAuth], [SiteUUID], [UserAgent] and [Accept] are its request
// editors, [NewRetryTransport] and [NewPaceTransport] stand below it.
//
// A [Client] is safe for concurrent use. No goroutine of its own outlives a call; batches that go
// several at a time ([WithConcurrency]) have one each.
package bento
