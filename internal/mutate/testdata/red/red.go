// Package red has a test that fails.
package red

// One is 1.
func One() int { return 1 }
