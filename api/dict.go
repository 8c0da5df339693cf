package api

import (
	"encoding/json"
	"strings"

	"clinker/internal/fault"
)

// dict reads a filter such as metadata={'a': 'b'}: JSON, or what Python prints
// for a dict of strings, which is what the openstack client sends.
func dict(name, text string) (map[string]string, error) {
	pairs := map[string]string{}
	if json.Unmarshal([]byte(text), &pairs) == nil {
		return pairs, nil
	}
	quoted, ok := pythonToJSON(text)
	if !ok || json.Unmarshal([]byte(quoted), &pairs) != nil {
		return nil, fault.New(fault.Invalid, "Invalid input received: filter %s must be an object of strings such as {\"key\": \"value\"}, but is '%s'.", name, text)
	}
	return pairs, nil
}

// pythonToJSON rewrites Python's string literals as JSON's and leaves the rest.
func pythonToJSON(text string) (string, bool) {
	var out strings.Builder
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\'' || c == '"':
			literal, length, ok := pythonString(text[i:])
			if !ok {
				return "", false
			}
			encoded, _ := json.Marshal(literal)
			out.Write(encoded)
			i += length
		case c == 'u' && i+1 < len(text) && (text[i+1] == '\'' || text[i+1] == '"'):
			i++ // Python 2's prefix
		default:
			out.WriteByte(c)
			i++
		}
	}
	return out.String(), true
}

// pythonString reads the literal that text begins with, and its length in bytes.
func pythonString(text string) (literal string, length int, ok bool) {
	var out strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case text[0]:
			return out.String(), i + 1, true
		case '\\':
			if i++; i < len(text) {
				out.WriteByte(text[i])
			}
		default:
			out.WriteByte(text[i])
		}
	}
	return "", 0, false
}
