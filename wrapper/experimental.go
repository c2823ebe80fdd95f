package bento

import (
	"context"
	"errors"
	"net/http"

	"example.com/bento-go/gen"
)

// ValidateEmail reports whether an address looks real. Experimental: Bento may change it.
//
// Contract: POST /experimental/validation (openapi.yaml, validateEmail).
// Source: https://bentonow.com/docs/spam_api
func (c *Client) ValidateEmail(ctx context.Context, body gen.ValidateEmailBody, opts ...CallOption) (bool, error) {
	if err := checkGiven(gen.OpValidateEmail, "email", body.Email); err != nil {
		return false, err
	}
	answer, err := call[gen.Validity](ctx, c, gen.OpValidateEmail, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.ValidateEmail(ctx, body)
	})
	return answer.Valid, err
}

// ApplyRuleset judges an address by stricter rules; no reasons mean that it may come in.
// Experimental: Bento may change it.
//
// Contract: POST /experimental/jesses_ruleset (openapi.yaml, applyRuleset).
// Source: https://bentonow.com/docs/spam_api
func (c *Client) ApplyRuleset(ctx context.Context, body gen.ApplyRulesetBody, opts ...CallOption) (gen.RulesetResult, error) {
	if err := checkGiven(gen.OpApplyRuleset, "email", body.Email); err != nil {
		return gen.RulesetResult{}, err
	}
	return call[gen.RulesetResult](ctx, c, gen.OpApplyRuleset, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.ApplyRuleset(ctx, body)
	})
}

// ModerateContent judges whether a text is fit to be sent. Experimental: Bento may change it.
//
// Contract: POST /experimental/content_moderation (openapi.yaml, moderateContent).
// Source: https://bentonow.com/docs/utility
func (c *Client) ModerateContent(ctx context.Context, content string, opts ...CallOption) (gen.ModerationResult, error) {
	return call[gen.ModerationResult](ctx, c, gen.OpModerateContent, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.ModerateContent(ctx, gen.ModerateContentBody{Content: content})
	})
}

// GuessGender guesses a gender from a name; Gender is nil when there is no guess.
// Experimental: Bento may change it.
//
// Contract: POST /experimental/gender (openapi.yaml, guessGender).
// Source: https://bentonow.com/docs/utility
func (c *Client) GuessGender(ctx context.Context, name string, opts ...CallOption) (gen.GenderGuess, error) {
	if err := checkGiven(gen.OpGuessGender, "name", name); err != nil {
		return gen.GenderGuess{}, err
	}
	return call[gen.GenderGuess](ctx, c, gen.OpGuessGender, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.GuessGender(ctx, gen.GuessGenderBody{Name: name})
	})
}

// Geolocate locates an IP address. Bento has switched it off: the answer is empty.
// Experimental: Bento may change it.
//
// Contract: GET /experimental/geolocation (openapi.yaml, geolocate).
// Source: https://bentonow.com/docs/utility
func (c *Client) Geolocate(ctx context.Context, ip string, opts ...CallOption) (gen.Location, error) {
	if err := checkGiven(gen.OpGeolocate, "ip", ip); err != nil {
		return nil, err
	}
	return call[gen.Location](ctx, c, gen.OpGeolocate, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.Geolocate(ctx, &gen.GeolocateParams{IP: ip})
	})
}

// CheckBlacklist looks a domain or an IP address up in blacklists; give one, or both.
// Experimental: Bento may change it.
//
// Contract: GET /experimental/blacklist (openapi.yaml, checkBlacklist).
// Source: https://github.com/bentonow/bento-skills
func (c *Client) CheckBlacklist(ctx context.Context, domain, ip string, opts ...CallOption) (gen.BlacklistResult, error) {
	if domain == "" && ip == "" {
		return gen.BlacklistResult{}, invalid(gen.OpCheckBlacklist, errors.New("domain and ip are empty: give one of them"))
	}
	params := gen.CheckBlacklistParams{Domain: optional(domain), IP: optional(ip)}
	return call[gen.BlacklistResult](ctx, c, gen.OpCheckBlacklist, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.CheckBlacklist(ctx, &params)
	})
}
