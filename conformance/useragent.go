package conformance

import (
	"slices"
	"strings"
)

// genericAgents are what libraries and tools send when nobody named the application.
var genericAgents = []string{
	"aiohttp", "axios", "bento", "curl", "faraday", "fetch", "go-http-client", "got", "guzzlehttp",
	"httpie", "java", "libwww-perl", "node", "node-fetch", "okhttp", "php", "postmanruntime",
	"python", "python-requests", "python-urllib", "ruby", "undici", "wget",
}

// realAgent reports whether an agent names an application.
func realAgent(agent string) bool {
	product, _, _ := strings.Cut(strings.TrimSpace(agent), "/")
	product, _, _ = strings.Cut(product, " ")
	return product != "" && !slices.Contains(genericAgents, strings.ToLower(product))
}
