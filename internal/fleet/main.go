// Command fleet is a model of what no test machine can hold: 1,000 sites, whose outboxes are in one store
// for many machines, and 200 relays that deliver them. It tells how fair that is, how long a lane stands
// still when its relay dies, and what the store is asked for each event.
//
//	go run ./internal/fleet
//
// It is a discrete-event simulation of lanes, leases, paces and deaths, as package outbox has them; of a
// record it knows only when it came.
//
//	delivered  of what the limits allow, by the end
//	fairness   Jain's index over the sites' shares of what they may have: 1 is equal
//	wait       of a batch, from when its oldest record came until Bento took it
//	takeover   from when a relay is killed until another has its lane, for half of them and for 99%
//	again      records that were in flight when their relay died
//	ops        calls of the store: one for each event that is enqueued, the rest is delivery
package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// usual is the fleet that the others differ from.
var usual = plan{
	Sites: 1000, Relays: 200, PerSite: 3, Events: 20_000, Emails: 50,
	Lease: 10, Poll: 1, Idle: 0.5, Lifetime: 1800, Restart: 20, Killed: 0.5,
	Limit: 58, Answer: 0.15, Parallel: 64, Duration: 900, Seed: 1,
}

// A variant is a fleet that differs.
type variant struct {
	name   string
	change func(*plan)
}

var variants = []variant{
	{"as it is meant to be: 3 relays a site, lease 10 s", func(*plan) {}},
	{"1 relay a site", func(p *plan) { p.PerSite = 1 }},
	{"every relay serves every site", func(p *plan) { p.PerSite = p.Relays }},
	{"lease 30 s", func(p *plan) { p.Lease = 30 }},
	{"lease 3 s", func(p *plan) { p.Lease = 3 }},
	{"relays live 3 minutes", func(p *plan) { p.Lifetime = 180 }},
	{"3 times the events", func(p *plan) { p.Events *= 3 }},
	{"Bento takes 2 s to answer", func(p *plan) { p.Answer = 2 }},
}

func main() { print(os.Stdout, usual, variants) }

func print(out io.Writer, base plan, all []variant) {
	fmt.Fprintf(out, "%d sites, %d relays, %.0f events and %.0f emails a second, for %.0f minutes;\nof a site at most %.0f requests a minute\n\n",
		base.Sites, base.Relays, base.Events, base.Emails, base.Duration/60, base.Limit)
	fmt.Fprintf(out, "  %9s %8s %15s %15s %7s %8s %6s\n", "delivered", "fairness", "wait p50, p99", "takeover", "again", "ops/s", "/event")
	for _, v := range all {
		p := base
		v.change(&p)
		s := summarize(run(p))
		fmt.Fprintf(out, "%s\n  %8.2f%% %8.3f %15s %15s %7d %8.0f %6.2f\n", v.name, 100*s.delivered, s.fairness,
			s.wait50.String()+", "+s.wait99.String(), s.takeover50.String()+", "+s.takeover99.String(), s.again, s.operations, s.perEvent)
	}
}

// A summary is what a run showed.
type summary struct {
	delivered              float64 // of what the limits allow
	fairness               float64 // Jain's index of the sites' shares of what they may have
	wait50, wait99         time.Duration
	takeover50, takeover99 time.Duration
	again                  int     // records that were in flight when their relay died
	operations             float64 // of the store, a second; an application's Put is one an event
	perEvent               float64
}

func summarize(m *model) summary {
	var s summary
	var shares []float64
	delivered, allowed := 0.0, 0.0
	for _, l := range m.lanes {
		may := min(float64(l.arrived), m.Duration/l.every*float64(l.most))
		if may == 0 {
			continue
		}
		shares = append(shares, min(float64(l.delivered)/may, 1))
		delivered += float64(l.delivered)
		allowed += may
		s.again += l.resent
	}
	sum, squares := 0.0, 0.0
	for _, share := range shares {
		sum += share
		squares += share * share
	}
	s.fairness = sum * sum / (float64(len(shares)) * squares)
	s.delivered = min(delivered/allowed, 1)
	s.wait50, s.wait99 = quantile(m.latencies, 0.5), quantile(m.latencies, 0.99)
	s.takeover50, s.takeover99 = quantile(slices.Clone(m.takeovers), 0.5), quantile(m.takeovers, 0.99)
	operations := 0
	for _, n := range m.operations {
		operations += n
	}
	s.operations = float64(operations) / m.Duration
	s.perEvent = float64(operations) / delivered
	return s
}
