package pgstore

import "time"

// Schema is the schema's name as a statement has it.
func (s *Store) Schema() string { return s.schema }

// Usable is what is said of a server of a version.
func Usable(version int) error { return facts{server: version, encoding: "UTF8"}.usable() }

// Name is the schema's name.
func (s *Store) Name() string { return s.channel }

// SetQuiet sets how long nothing may be heard before the connection is tried.
func (s *Store) SetQuiet(d time.Duration) { s.quiet = d }

// SetClock makes a machine's clock wrong by so much.
func (s *Store) SetClock(by time.Duration) { s.clock = func() time.Time { return time.Now().Add(by) } }
