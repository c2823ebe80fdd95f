//go:build !unix

package pgcluster

import "syscall"

func asUser() *syscall.SysProcAttr { return nil }

func own(string) error { return nil }
