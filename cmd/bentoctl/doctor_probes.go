package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"example.com/bento-go/gen"
	"example.com/bento-go/internal/loopback"
	bento "example.com/bento-go/wrapper"
)

var uuid = regexp.MustCompile(`^(?i)[0-9a-f]{32}$|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// probeKeys looks at what can be told wrong without asking anybody.
func probeKeys(cfg bento.Config) []finding {
	onLoopback := false
	if u, err := url.Parse(cfg.BaseURL); err == nil {
		onLoopback = loopback.Is(u.Hostname()) // a fake takes any keys
	}
	keys := finding{Name: "keys", Status: "ok", Text: "both are there"}
	if cfg.PublishableKey == "" && cfg.SecretKey == "" { // whoever has just begun is told once
		keys = finding{
			"keys", "fail", "there is no publishable key and no secret key",
			"Set " + bento.EnvPublishableKey + " and " + bento.EnvSecretKey + ", or keep them in a profile: bentoctl login.", exitUsage,
		}
	}
	for _, key := range []struct{ value, name, env string }{
		{cfg.PublishableKey, "publishable key", bento.EnvPublishableKey}, {cfg.SecretKey, "secret key", bento.EnvSecretKey},
	} {
		if text, fix := keyFault(key.value, key.name, key.env); text != "" && keys.Status == "ok" {
			keys = finding{"keys", "fail", text, fix, exitUsage}
		}
	}
	if keys.Status == "ok" && cfg.PublishableKey == cfg.SecretKey {
		keys = finding{"keys", "fail", "the publishable key and the secret key are the same", "They are two keys: copy each from Bento's settings.", exitUsage}
	}
	site := finding{Name: "site", Status: "ok", Text: "its UUID is there"}
	switch {
	case cfg.SiteUUID == "":
		site = finding{"site", "fail", "there is no site UUID", "Set " + bento.EnvSiteUUID + " to the UUID of the site, from Bento's settings.", exitUsage}
	case !uuid.MatchString(cfg.SiteUUID) && !onLoopback:
		site = finding{"site", "fail", fmt.Sprintf("the site UUID is %d characters that are no UUID", len(cfg.SiteUUID)), "It is 32 hexadecimal digits: copy it again, without quotes and spaces.", exitUsage}
	}
	agent := finding{Name: "user-agent", Status: "ok", Text: cfg.UserAgent}
	if strings.TrimSpace(cfg.UserAgent) == "" || gen.GenericAgent(cfg.UserAgent) {
		agent = finding{"user-agent", "fail", fmt.Sprintf("%q is generic, and Bento may block it", cfg.UserAgent), "Give your application's real name and version, such as AcmeCRM/1.0 (" + bento.EnvUserAgent + ").", exitUsage}
	}
	return []finding{keys, site, agent}
}

// keyFault says what is wrong with a key by its looks.
func keyFault(value, name, env string) (text, fix string) {
	switch {
	case value == "":
		return "there is no " + name, "Set " + env + ", or keep it in a profile: bentoctl login."
	case strings.TrimSpace(value) != value, strings.ContainsAny(value, " \t\r\n"):
		return "the " + name + " holds white space", "Set " + env + " anew, without spaces and line ends."
	case strings.ContainsAny(value, `"'`):
		return "the " + name + " holds quotes", "Set " + env + " anew, without the quotes of the file it is from."
	case strings.HasPrefix(value, "Bearer") || strings.HasPrefix(value, "Basic"):
		return "the " + name + " begins with the name of a scheme", "Give the key alone: Basic auth is made of the two keys."
	case encodedPair(value):
		return "the " + name + " is both keys, encoded as base64 already", "Give each key by itself, as Bento's settings show it: Basic auth is put together and encoded for you."
	case strings.Contains(value, ":"):
		return "the " + name + " holds a colon", "Give each key by itself: publishable:secret is put together for you."
	}
	return "", ""
}

// encodedPair reports whether a value is what Basic auth makes of two keys.
func encodedPair(value string) bool {
	pair, err := base64.StdEncoding.DecodeString(value)
	first, second, both := strings.Cut(string(pair), ":")
	return err == nil && both && len(first) > 3 && len(second) > 3 && utf8.Valid(pair)
}

// probeProxy says whether a proxy stands between.
func probeProxy(cfg bento.Config) finding {
	req, err := http.NewRequest(http.MethodGet, cmp.Or(cfg.BaseURL, gen.ServerURL), nil) //nolint:noctx // it is sent nowhere
	if err != nil {
		return finding{Name: "proxy", Status: "skip", Text: "the address cannot be read"}
	}
	proxy, err := http.ProxyFromEnvironment(req)
	switch {
	case err != nil:
		return finding{"proxy", "fail", "the proxy of the environment is no URL", "Mend or unset HTTPS_PROXY and HTTP_PROXY.", exitUsage}
	case proxy != nil:
		return finding{Name: "proxy", Status: "ok", Text: "requests go by " + proxy.Host + " (HTTPS_PROXY)"}
	}
	return finding{Name: "proxy", Status: "ok", Text: "none"}
}

// probeNetwork finds the host, connects, and shakes hands.
func probeNetwork(ctx context.Context, cfg bento.Config) []finding {
	u, err := url.Parse(cmp.Or(cfg.BaseURL, gen.ServerURL))
	if err != nil || u.Hostname() == "" || !loopback.MayCarryCredentials(u) {
		return []finding{{"address", "fail", "the base URL is not https", "Set " + bento.EnvBaseURL + " to " + gen.ServerURL + ", or leave it out; http only on loopback.", exitUsage}}
	}
	if proxy, _ := http.ProxyFromEnvironment(&http.Request{URL: u}); proxy != nil {
		return []finding{{Name: "network", Status: "skip", Text: "the proxy connects"}}
	}
	port := cmp.Or(u.Port(), map[string]string{"https": "443", "http": "80"}[u.Scheme])
	began := time.Now()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return []finding{networkFault(err, u.Host)}
	}
	defer func() { _ = conn.Close() }()
	findings := []finding{{Name: "network", Status: "ok", Text: fmt.Sprintf("connected to %s in %v", u.Host, time.Since(began).Round(time.Millisecond))}}
	if u.Scheme == "http" {
		return append(findings, finding{Name: "tls", Status: "skip", Text: "http on loopback"})
	}
	secure := tls.Client(conn, &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12})
	if err := secure.HandshakeContext(ctx); err != nil {
		return append(findings, tlsFault(err))
	}
	return append(findings, finding{Name: "tls", Status: "ok", Text: tls.VersionName(secure.ConnectionState().Version) + ", the certificate is good"})
}

func networkFault(err error, host string) finding {
	var unknown *net.DNSError
	if errors.As(err, &unknown) {
		return finding{"network", "fail", "the name " + host + " is not found", "Check the name in " + bento.EnvBaseURL + ", and the DNS of this machine.", exitGaveUp}
	}
	return finding{"network", "fail", "no connection to " + host, "Check the network and its firewall; if a proxy is needed, set HTTPS_PROXY.", exitGaveUp}
}

func tlsFault(err error) finding {
	f := finding{"tls", "fail", "the handshake failed: " + plainly(err), "Check that nothing on the way takes TLS apart.", exitGaveUp}
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority):
		f.Text, f.Fix = "nobody whom this machine trusts has signed the certificate", "If a company proxy takes TLS apart, have its certificate installed (or SSL_CERT_FILE name it); else do not go on."
	case errors.As(err, &host):
		f.Text, f.Fix = "the certificate is that of another name", "Check "+bento.EnvBaseURL+"."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		f.Text, f.Fix = "the certificate has expired, or is not valid yet", "Check this machine's clock first."
	}
	return f
}
