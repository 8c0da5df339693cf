package conf

import "log/slog"

// Secret is a text that must not be seen. Formatting, logging and marshalling
// it in any way shows only that there is one.
type Secret string

const redacted = "***"

// Reveal gives the text itself, for the one place that needs it.
func (s Secret) Reveal() string { return string(s) }

// String shows *** for a secret that is set and nothing for one that is not.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString is String for %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue is String for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is String for encoders: JSON, YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
