package fake

// WithMaxAppended makes a snapshot take the place of entries sooner; it follows WithStore.
func WithMaxAppended(bytes int) Option { return func(s *Server) { s.mayAppend = bytes } }

// WithRoom leaves fewer bytes for what is never forgotten, so that they are used up soon.
func WithRoom(bytes int) Option { return func(s *Server) { s.state.room = bytes } }
