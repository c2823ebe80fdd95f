package main

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"

	bento "example.com/bento-go/wrapper"
)

// envProfile names the profile to use, as --profile does.
const envProfile = "BENTO_PROFILE"

// config is what a client needs: of what the flags say, then the environment, then the profile. A
// profile that --profile names beats the environment.
func (g *globals) config(ctx context.Context) (bento.Config, error) {
	cfg := bento.ConfigFromEnv("")
	if cfg.UserAgent == "" {
		cfg.UserAgent = "bentoctl/" + strings.Trim(version(), "()")
	}
	if g.profile == "" && cfg.PublishableKey != "" && cfg.SecretKey != "" && cfg.SiteUUID != "" {
		return cfg, nil // no file is read for what is known
	}
	name, p, err := g.chosen()
	if err != nil || name == "" {
		return cfg, err
	}
	fill := func(field *string, value string) {
		if value != "" && (*field == "" || g.profile != "") {
			*field = value
		}
	}
	fill(&cfg.PublishableKey, p.PublishableKey)
	fill(&cfg.SiteUUID, p.SiteUUID)
	fill(&cfg.BaseURL, p.BaseURL)
	if os.Getenv(bento.EnvUserAgent) == "" || g.profile != "" {
		cfg.UserAgent = cmp.Or(p.UserAgent, cfg.UserAgent)
	}
	if cfg.SecretKey == "" || g.profile != "" {
		key, err := g.secret(ctx, name, p)
		if err != nil {
			return cfg, err
		}
		fill(&cfg.SecretKey, key)
	}
	return cfg, nil
}

// chosen is the profile to use: ours, or one of Bento's own command line; "" if there is none.
func (g *globals) chosen() (name string, p profile, err error) {
	file, err := loadConfig()
	if err != nil {
		return "", p, &exitError{exitUsage, err}
	}
	wanted := cmp.Or(g.profile, os.Getenv(envProfile))
	if name = cmp.Or(wanted, file.Current); name != "" {
		if p, known := file.Profiles[name]; known {
			return name, p, nil
		}
	}
	others, current, err := officialProfiles()
	if err != nil {
		return "", p, &exitError{exitUsage, err}
	}
	if name = cmp.Or(wanted, current); name != "" {
		if p, known := others[name]; known {
			return name, p, nil
		}
	}
	if wanted != "" {
		there := slices.Sorted(maps.Keys(file.Profiles))
		return "", p, usage("there is no profile %q (there is: %s): bentoctl login --profile %s", wanted, strings.Join(append(there, slices.Sorted(maps.Keys(others))...), ", "), wanted)
	}
	return "", p, nil
}

// connectWatched makes a client whose failed attempts are told.
func (g *globals) connectWatched(ctx context.Context) (*bento.Client, error) {
	return g.connect(ctx, bento.WithHTTPClient(&http.Client{Transport: &attempts{tell: g.newTrouble()}}))
}

// connect makes a client of the configuration.
func (g *globals) connect(ctx context.Context, opts ...bento.Option) (*bento.Client, error) {
	cfg, err := g.config(ctx)
	if err != nil {
		return nil, err
	}
	client, err := bento.New(cfg, opts...)
	if err != nil && cfg.SecretKey == "" {
		return nil, usage("%w\nOr keep them in a profile: bentoctl login", err)
	}
	return client, err
}
