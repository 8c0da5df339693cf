package api

import (
	"crypto/md5"
	"encoding/hex"
	"strings"
)

// metadataTag is the Etag of metadata: the MD5, in hex and without quotes, of
// the answer that shows it. It tells versions apart and protects nothing.
func metadataTag(m map[string]string) string {
	sum := md5.Sum(render(metadataView(m)))
	return hex.EncodeToString(sum[:])
}

// tagMatches reads If-Match (RFC 9110, section 13.1.1): a list of quoted tags,
// or *, or, as some clients send it, one tag without quotes. No header matches.
func tagMatches(header, tag string) bool {
	if header == "" || strings.TrimSpace(header) == "*" {
		return true
	}
	for entry := range strings.SplitSeq(header, ",") {
		if strings.Trim(strings.TrimSpace(entry), `"`) == tag {
			return true
		}
	}
	return false
}
