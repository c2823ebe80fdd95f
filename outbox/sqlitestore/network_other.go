//go:build !linux

package sqlitestore

// network is known on Linux only.
func network(string) string { return "" }
