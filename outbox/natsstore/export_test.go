package natsstore

// CrashAfterCommit makes the store stop between a change of the lane and the removal of what the change
// dooms, each time, with an error.
func (s *Store) CrashAfterCommit(err error) {
	crash := func() error { return err }
	s.committed.Store(&crash)
}
