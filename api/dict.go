package api

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"clinker/internal/fault"
)

// dict reads a filter such as metadata={'a': 'b'}: JSON, or what Python prints
// for a dict of strings, which is what the openstack client sends.
func dict(name, text string) (map[string]string, error) {
	pairs := map[string]string{}
	if json.Unmarshal([]byte(text), &pairs) != nil {
		quoted, ok := pythonToJSON(text)
		if !ok || json.Unmarshal([]byte(quoted), &pairs) != nil {
			pairs = nil
		}
	}
	if pairs == nil || strings.Contains(fmt.Sprint(pairs), "\x00") {
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

// pythonEscape reads one escape, as repr writes them, and what is behind it. An
// unknown one stands for itself.
func pythonEscape(text string) (char, tail string, ok bool) {
	if len(text) < 2 {
		return "", "", false
	}
	if strings.IndexByte("xuU", text[1]) < 0 {
		switch i := strings.IndexByte(`\'"nrt`, text[1]); {
		case i >= 0:
			return "\\'\"\n\r\t"[i : i+1], text[2:], true
		default:
			return text[:2], text[2:], true
		}
	}
	end := 2 + map[byte]int{'x': 2, 'u': 4, 'U': 8}[text[1]]
	if len(text) < end {
		return "", "", false
	}
	code, err := strconv.ParseUint(text[2:end], 16, 32)
	if err != nil || code > unicode.MaxRune {
		return "", "", false
	}
	return string(rune(code)), text[end:], true
}

// pythonString reads the literal that text begins with, and its length in bytes.
func pythonString(text string) (literal string, length int, ok bool) {
	var out strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case text[0]:
			return out.String(), i + 1, true
		case '\\':
			r, tail, ok := pythonEscape(text[i:])
			if !ok {
				return "", 0, false
			}
			out.WriteString(r)
			i = len(text) - len(tail) - 1
		default:
			out.WriteByte(text[i])
		}
	}
	return "", 0, false
}
