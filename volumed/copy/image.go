package copy

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"log/slog"
	"strings"

	"clinker/internal/fault"
)

// Token is what an image service lets a download through for; it prints as stars.
type Token string

// String hides the token from logs and error texts.
func (Token) String() string { return "***" }

// GoString hides the token from %#v.
func (Token) GoString() string { return `"***"` }

// LogValue hides the token from slog.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// Image is where an image's bytes are and what they must be.
type Image struct {
	URL        string // of the bytes themselves: …/v2/images/<id>/file
	Token      Token  // "" where none is needed
	DiskFormat string // in Glance's words
	SizeBytes  int64
	HashAlgo   string // os_hash_algo; "" when the image has none
	HashValue  string // os_hash_value, in hex
	Checksum   string // MD5 in hex, which older images have instead

	// Encrypted: the bytes are an encrypted volume's, with its LUKS header, and
	// are copied as they are.
	Encrypted bool
}

// check refuses what cannot be fetched or verified.
func (i Image) check() (Format, error) {
	if !strings.HasPrefix(i.URL, "http://") && !strings.HasPrefix(i.URL, "https://") {
		return "", fault.New(fault.Invalid, "images are fetched over http or https")
	}
	if i.SizeBytes <= 0 {
		return "", unacceptable("it has no bytes")
	}
	format, err := claimed(i.DiskFormat)
	if err == nil && i.Encrypted {
		if format != Raw {
			return "", unacceptable("it holds an encrypted volume in the format %s, and raw is needed", format)
		}
		return SealedRaw, nil
	}
	return format, err
}

// digest gives what verifies the bytes, and in hex what must come out. An image
// with neither a hash nor a checksum is not trusted.
func (i Image) digest() (hash.Hash, string, error) {
	if i.HashAlgo != "" && i.HashValue != "" {
		switch strings.ToLower(i.HashAlgo) {
		case "sha512":
			return sha512.New(), i.HashValue, nil
		case "sha256":
			return sha256.New(), i.HashValue, nil
		}
	}
	if i.Checksum != "" {
		return md5.New(), i.Checksum, nil
	}
	if i.HashAlgo != "" {
		return nil, "", unacceptable("its hash %s cannot be verified", i.HashAlgo)
	}
	return nil, "", unacceptable("it has no hash by which its bytes could be verified")
}

// verify compares what came with what was promised.
func verify(sum hash.Hash, want string) error {
	if !strings.EqualFold(hex.EncodeToString(sum.Sum(nil)), want) {
		return unacceptable("its bytes are not those that the image service has a hash of")
	}
	return nil
}
