package keys

import (
	"crypto/rand"
	"encoding/hex"
	"log/slog"

	"clinker/internal/fault"
)

// Material is the bytes of a key; it prints as stars.
type Material []byte

// String hides the bytes from logs and error texts.
func (Material) String() string { return "***" }

// GoString hides the bytes from %#v.
func (Material) GoString() string { return `"***"` }

// LogValue hides the bytes from slog.
func (m Material) LogValue() slog.Value { return slog.StringValue(m.String()) }

// MarshalText hides the bytes from JSON.
func (m Material) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// Spec is what a key is for.
type Spec struct {
	Name      string // for people who look at the key store
	Algorithm string // aes
	Bits      int    // a multiple of 8
}

// Key is a symmetric key.
type Key struct {
	Algorithm string
	Material  Material
}

// Bits is how long the key is.
func (k Key) Bits() int { return 8 * len(k.Material) }

// Passphrase is what unlocks a LUKS header: the key's bytes in hex, as os-brick
// and Nova have it.
func (k Key) Passphrase() string { return hex.EncodeToString(k.Material) }

// The bounds of a key's length.
const (
	leastBits = 64
	mostBits  = 4096
)

// New makes a key of random bytes. Invalid when it cannot be that long.
func New(s Spec) (Key, error) {
	if s.Bits < leastBits || s.Bits > mostBits || s.Bits%8 != 0 {
		return Key{}, fault.New(fault.Invalid, "a key of %d bits cannot be made: it must have from %d to %d, in whole bytes", s.Bits, leastBits, mostBits)
	}
	k := Key{Algorithm: s.Algorithm, Material: make(Material, s.Bits/8)}
	rand.Read(k.Material)
	return k, nil
}
