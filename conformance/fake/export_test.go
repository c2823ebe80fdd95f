package fake

// WithMaxAppended makes a snapshot take the place of entries sooner; it follows WithStore.
func WithMaxAppended(bytes int) Option { return func(s *Server) { s.mayAppend = bytes } }
