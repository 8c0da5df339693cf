package volumed

import (
	"context"

	"clinker/internal/telemetry"
)

// LogLevels implements rpc.Volumed.
func (s *Server) LogLevels(_ context.Context, prefix string) (map[string]string, error) {
	return telemetry.Levels(prefix), nil
}

// SetLogLevels implements rpc.Volumed.
func (s *Server) SetLogLevels(_ context.Context, prefix, level string) error {
	return telemetry.SetLevel(prefix, level)
}
