// Package loopback knows what this machine calls itself.
package loopback

import (
	"net"
	"net/url"
)

// Is reports whether a host, without a port, is this machine: localhost or an address of loopback.
func Is(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// MayCarryCredentials reports whether keys may travel to u: by https anywhere, by http on loopback.
func MayCarryCredentials(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && Is(u.Hostname())
}
