package main

import (
	"context"

	"github.com/spf13/pflag"

	"example.com/bento-go/gen"
)

// numbers are the readings of what was counted.
func numbers() []reading {
	var ads gen.GetAdStatsParams
	return []reading{
		{
			operation: gen.OpGetSiteStats, use: "stats", short: "Count the people of the site", example: "stats --json",
			long: "Counts everybody, those who may be written to, and those who have left.", plain: true,
			columns: "user_count subscriber_count unsubscriber_count",
			one:     func(ctx context.Context, q *query) error { _, err := q.client.SiteStats(ctx, q.keep()); return err },
		},
		{
			operation: gen.OpGetSegmentStats, use: "segment-stats ID", short: "Count the people of a segment", example: "segment-stats segment_1",
			long: "Counts the people of a segment, by an id that `get segments` lists.", plain: true, args: asUsed,
			columns: "user_count subscriber_count unsubscriber_count",
			one: func(ctx context.Context, q *query) error {
				_, err := q.client.SegmentStats(ctx, q.args[0], q.keep())
				return err
			},
		},
		{
			operation: gen.OpGetReport, use: "report ID", short: "Read a report", example: "report report_1 --json",
			long: "Reads a report that was made in Bento.", plain: true, args: asUsed,
			columns: "report_name report_type chart_style data",
			one: func(ctx context.Context, q *query) error {
				_, err := q.client.Report(ctx, q.args[0], q.keep())
				return err
			},
		},
		{
			operation: gen.OpGetAdStats, use: "ad-stats", short: "Read what advertising brought",
			long: "Reads what advertising brought, by campaign, source and so on.", plain: true,
			example: "ad-stats --dimension campaign --start 'last week'",
			flags: func(f *pflag.FlagSet) {
				option(f, &ads.Dimension, "dimension", "what to break down by, such as source or campaign")
				option(f, &ads.Value, "value", "only this value of the dimension")
				option(f, &ads.StartDate, "start", "a day, or words such as 'last week'")
				option(f, &ads.EndDate, "end", "a day, or words such as now")
				option(f, &ads.RevenueMode, "revenue", "which revenue counts")
			},
			columns: "dimension totals",
			one:     func(ctx context.Context, q *query) error { _, err := q.client.AdStats(ctx, ads, q.keep()); return err },
		},
	}
}

// experiments are the readings that Bento calls experimental.
func experiments() []reading {
	var blockFree bool
	var domain, ip string
	return []reading{
		{
			operation: gen.OpValidateEmail, use: "validate-email ADDRESS", short: "Judge an address", example: "validate-email ari@example.com",
			long: "Asks Bento whether it takes an address for real.", plain: true, args: asUsed, columns: "valid",
			one: func(ctx context.Context, q *query) error {
				_, err := q.client.ValidateEmail(ctx, gen.ValidateEmailBody{Email: q.args[0]}, q.keep())
				return err
			},
		},
		{
			operation: gen.OpApplyRuleset, use: "ruleset ADDRESS", short: "Judge an address by stricter rules", example: "ruleset ari@example.com --block-free-providers",
			long: "Asks Bento to judge an address by stricter rules, and why.", plain: true, args: asUsed, columns: "valid reasons",
			flags: func(f *pflag.FlagSet) { f.BoolVar(&blockFree, "block-free-providers", false, "refuse free mailboxes") },
			one: func(ctx context.Context, q *query) error {
				body := gen.ApplyRulesetBody{Email: q.args[0]}
				if blockFree {
					body.BlockFreeProviders = &blockFree
				}
				_, err := q.client.ApplyRuleset(ctx, body, q.keep())
				return err
			},
		},
		{
			operation: gen.OpModerateContent, use: "moderation TEXT", short: "Judge a text", example: "moderation 'Hello there'",
			long: "Asks Bento whether a text is fit to be sent.", plain: true, args: asUsed, columns: "valid reasons",
			one: func(ctx context.Context, q *query) error {
				_, err := q.client.ModerateContent(ctx, q.args[0], q.keep())
				return err
			},
		},
		{
			operation: gen.OpGuessGender, use: "gender NAME", short: "Guess a gender by a name", example: "gender Ari",
			long: "Asks Bento for a guess, and how sure it is.", plain: true, args: asUsed, columns: "gender confidence",
			one: func(ctx context.Context, q *query) error {
				_, err := q.client.GuessGender(ctx, q.args[0], q.keep())
				return err
			},
		},
		{
			operation: gen.OpGeolocate, use: "geolocation IP", short: "Locate an IP address", example: "geolocation 203.0.113.7",
			long: "Asks Bento where an IP address is.", plain: true, args: asUsed, columns: "city_name country_name",
			one: func(ctx context.Context, q *query) error {
				_, err := q.client.Geolocate(ctx, q.args[0], q.keep())
				return err
			},
		},
		{
			operation: gen.OpCheckBlacklist, use: "blacklist {--domain DOMAIN | --ip IP}", short: "Look a domain or an address up in blacklists",
			long: "Looks a domain or an IP address up in the blacklists of mail.", plain: true, example: "blacklist --domain acme.example",
			flags: func(f *pflag.FlagSet) {
				f.StringVar(&domain, "domain", "", "the domain")
				f.StringVar(&ip, "ip", "", "the address")
			},
			columns: "query description results",
			one: func(ctx context.Context, q *query) error {
				_, err := q.client.CheckBlacklist(ctx, domain, ip, q.keep())
				return err
			},
		},
	}
}
