package load

import (
	"bytes"
	"crypto/rand"
	"fmt"
)

// text finds the first "key": "value" of an answer, however it is spaced.
// Strings in JSON escape their quotes, so that no value can look like a key.
func text(body []byte, key string) string {
	quoted := `"` + key + `"`
	i := bytes.Index(body, []byte(quoted))
	if i < 0 {
		return ""
	}
	rest := bytes.TrimLeft(body[i+len(quoted):], " :")
	if len(rest) == 0 || rest[0] != '"' {
		return ""
	}
	value, _, _ := bytes.Cut(rest[1:], []byte(`"`))
	return string(value)
}

// count tells how many items a list has: each volume has its key once.
func count(body []byte, key string) int { return bytes.Count(body, []byte(`"`+key+`"`)) }

// newUUID stands for a server of Nova's.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&15|64, b[8]&63|128
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
