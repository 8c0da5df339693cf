package keys

import (
	"strings"
	"testing"
)

// FuzzKeyFile: whatever is in a key file, it is refused or holds keys that open
// what they have sealed, and an error has none of it.
func FuzzKeyFile(f *testing.F) {
	f.Add(newLine())
	f.Add("# a comment\n" + newLine() + newLine())
	f.Add("YWJj")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseRing("file", text)
		if err != nil {
			if line := strings.TrimSpace(text); len(line) > 20 && strings.Contains(err.Error(), line) {
				t.Errorf("the error has the key: %v", err)
			}
			return
		}
		row := Sealed{ID: "id", ProjectID: "p", Algorithm: "aes", Bits: 128}
		row.Sealed = r.seal(row, Material("0123456789abcdef"))
		if m, err := r.open(row); err != nil || string(m) != "0123456789abcdef" {
			t.Errorf("what was sealed does not open: %v", err)
		}
	})
}

// FuzzSealed: what is in the table may be anything, and opens only when it was
// sealed so.
func FuzzSealed(f *testing.F) {
	r, err := parseRing("file", newLine())
	if err != nil {
		f.Fatal(err)
	}
	row := Sealed{ID: "id", ProjectID: "p", Algorithm: "aes", Bits: 128}
	good := r.seal(row, Material("0123456789abcdef"))
	f.Add(good)
	f.Add([]byte{})
	f.Add(good[:sealedHead])
	f.Fuzz(func(t *testing.T, sealed []byte) {
		row.Sealed = sealed
		if m, err := r.open(row); err == nil && (string(sealed) != string(good) || string(m) != "0123456789abcdef") {
			t.Error("a forgery opens")
		}
	})
}
