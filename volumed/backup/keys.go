package backup

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"

	"github.com/zeebo/blake3"
)

const keyBytes = 32

// digest is what a chunk is known and verified by.
type digest [32]byte

func (d digest) String() string { return hex.EncodeToString(d[:]) }

// parseDigest reads an object's name.
func parseDigest(text string) (d digest, ok bool) {
	if len(text) != 2*len(d) {
		return d, false
	}
	_, err := hex.Decode(d[:], []byte(text))
	return d, err == nil && d.String() == text
}

// keys are made of a store's key, one for each purpose, so that what
// authenticates one thing is worth nothing for another.
type keys struct{ chunk, manifest []byte }

func derive(master []byte) keys {
	return keys{chunk: purpose(master, "clinker backup chunk"), manifest: purpose(master, "clinker backup manifest")}
}

func purpose(master []byte, of string) []byte {
	key, err := hkdf.Key(sha256.New, master, nil, of, keyBytes)
	if err != nil {
		panic(err) // only a longer key than the hash allows gives one
	}
	return key
}

// check shows that one has the key, and does not show the key.
func check(master []byte, id string) string {
	sum := hmac.New(sha256.New, purpose(master, "clinker backup store"))
	sum.Write([]byte(id))
	return hex.EncodeToString(sum.Sum(nil))
}

// chunks is BLAKE3 with a key: with the processor's vector instructions twice as fast as
// SHA-256 with instructions of its own.
func (k keys) chunks() hash.Hash {
	h, err := blake3.NewKeyed(k.chunk)
	if err != nil {
		panic(err) // only a key of another length than keyBytes gives one
	}
	return h
}

// sum gives the digest of bytes; the hash is one of chunks().
func sum(h hash.Hash, data []byte) (d digest) {
	h.Reset()
	h.Write(data)
	h.Sum(d[:0])
	return d
}
