package api

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"

	"clinker/db"
	"clinker/internal/fault"
)

// The key of a transfer is 16 hexadecimal digits, as in Cinder: 64 random bits,
// which people type. It is shown once; what is kept is a digest, made so slowly
// that a stolen table does not give the keys away, and fast enough for a request
// (a few milliseconds).
const (
	transferKeyBytes   = 8
	transferSaltBytes  = 16
	transferIterations = 10_000
)

// newTransferKey makes a key, and puts what is kept of it into the transfer.
func newTransferKey(t *db.Transfer) (key string, err error) {
	var random [transferKeyBytes]byte
	_, _ = rand.Read(random[:]) // never fails
	t.Salt = make([]byte, transferSaltBytes)
	_, _ = rand.Read(t.Salt)
	key = hex.EncodeToString(random[:])
	t.CryptHash, err = digestTransferKey(t.Salt, key)
	return key, err
}

func digestTransferKey(salt []byte, key string) ([]byte, error) {
	return pbkdf2.Key(sha256.New, key, salt, transferIterations, sha256.Size)
}

// checkTransferKey is Invalid, in Cinder's words, when the key is another.
func checkTransferKey(t db.Transfer, key string) error {
	digest, err := digestTransferKey(t.Salt, key)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(digest, t.CryptHash) != 1 {
		return fault.New(fault.Invalid, "Invalid auth key: Attempt to transfer %s with invalid auth key.", t.ID)
	}
	return nil
}

// transferKey is a key as clients send it: as text or, if it has only decimal
// digits, as a number.
type transferKey string

// UnmarshalJSON reads either form.
func (k *transferKey) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(bytes.TrimSpace(raw))
	}
	*k = transferKey(text)
	return nil
}
