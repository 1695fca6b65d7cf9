package pgtest

// Launch makes a cluster and starts it, for a program that is no test. Close
// it; should the program die first, the janitor does.
func Launch(settings ...string) (*Server, error) { return newServer(nil, settings) }

// Close stops the server and removes what it kept.
func (s *Server) Close() error { return s.close() }
