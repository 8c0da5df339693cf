package rpc

import "log/slog"

// Secret is a password; it prints as stars.
type Secret string

// String hides the secret from logs and error texts.
func (Secret) String() string { return "***" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return `"***"` }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
