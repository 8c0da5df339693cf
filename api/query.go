package api

import (
	"net/url"
	"strings"
)

// readQuery reads a query as Cinder does: a % that begins no escape is itself, and
// a semicolon separates too. net/url leaves out what it cannot read, and a list
// whose filter is left out is one of everything.
func readQuery(raw string) url.Values {
	query := url.Values{}
	for pair := range strings.FieldsFuncSeq(raw, func(r rune) bool { return r == '&' || r == ';' }) {
		key, value, _ := strings.Cut(pair, "=")
		query.Add(unescapeQuery(key), unescapeQuery(value))
	}
	return query
}

func unescapeQuery(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	var mended strings.Builder
	for i := range len(text) {
		mended.WriteByte(text[i])
		if text[i] == '%' && !(i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2])) {
			mended.WriteString("25")
		}
	}
	plain, _ := url.QueryUnescape(mended.String())
	return plain
}

func isHex(b byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", b) >= 0 }
