package main

import (
	"strings"

	bento "example.com/bento-go/wrapper"
)

// config is what a client needs, from the environment. An application that calls itself nothing is
// called after this program.
func (g *globals) config() (bento.Config, error) {
	cfg := bento.ConfigFromEnv("")
	if cfg.UserAgent == "" {
		cfg.UserAgent = "bentoctl/" + strings.Trim(version(), "()")
	}
	return cfg, nil
}

// connect makes a client of the configuration.
func (g *globals) connect(opts ...bento.Option) (*bento.Client, error) {
	cfg, err := g.config()
	if err != nil {
		return nil, err
	}
	return bento.New(cfg, opts...)
}
