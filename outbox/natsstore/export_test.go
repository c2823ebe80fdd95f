package natsstore

// CrashAfterCommit makes the store stop between a change of the lane and the removal of what the change
// dooms, each time, with an error.
func (s *Store) CrashAfterCommit(err error) {
	crash := func() error { return err }
	s.committed.Store(&crash)
}

// HoldLittle makes transactions so small that what became of an entry finds room later.
func (s *Store) HoldLittle() { s.most = 0 }
