package conf

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/ini.v1"

	"clinker/internal/fault"
)

// text is what the file says, not yet understood: section, key, value, in
// the file's order.
type text struct {
	sections []string
	keys     map[string][]string          // section → its keys
	values   map[string]map[string]string // section → key → value
}

// maxFile bounds the file, in bytes: far above any real one.
const maxFile = 1 << 20

// loadOptions are oslo.config's rules in ini.v1's words. Section names stay
// flat: a dot in one does not make it inherit.
var loadOptions = ini.LoadOptions{
	IgnoreContinuation:         true,
	IgnoreInlineComment:        true,
	AllowPythonMultilineValues: true,
	KeyValueDelimiters:         "=:",
	ChildSectionDelimiter:      "\x00",
	PreserveSurroundedQuote:    true,
}

// readINI splits the file into keys and values. A key given twice has its last value.
func readINI(data []byte) (*text, error) {
	switch {
	case len(data) > maxFile:
		return nil, fault.New(fault.Invalid, "the configuration file is longer than %d bytes", maxFile)
	case bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data):
		return nil, fault.New(fault.Invalid, "the configuration file is not UTF-8 text")
	}
	file, err := ini.LoadSources(loadOptions, ownQuotes(data))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the configuration file is not understood: %s", withoutValue(err, data))
	}
	t := &text{keys: map[string][]string{}, values: map[string]map[string]string{}}
	for _, s := range file.Sections() {
		name := s.Name()
		if name == ini.DefaultSection && len(s.Keys()) == 0 {
			continue // ini.v1 makes it up when the file has none
		}
		if !t.has(name) {
			t.sections = append(t.sections, name)
			t.values[name] = map[string]string{}
		}
		for _, k := range s.Keys() {
			if _, again := t.values[name][k.Name()]; !again {
				t.keys[name] = append(t.keys[name], k.Name())
			}
			t.values[name][k.Name()] = unquote(k.Value())
		}
	}
	return t, nil
}

// has tells whether the file has the section.
func (t *text) has(section string) bool { return slices.Contains(t.sections, section) }

// get gives a key's value.
func (t *text) get(section, key string) (string, bool) {
	v, ok := t.values[section][key]
	return v, ok
}

// unquote takes one pair of quotes off, as oslo.config does.
func unquote(s string) string {
	s = strings.TrimSpace(s)
	if n := len(s); n > 1 && s[0] == s[n-1] && (s[0] == '"' || s[0] == '\'') {
		return s[1 : n-1]
	}
	return s
}

// ini.v1 reads a backtick or three double quotes at the start of a value as
// the start of a text of many lines; oslo.config does not. Quoting the value
// keeps ini.v1 from it, and unquote takes the quotes off again.
var foreignQuote = regexp.MustCompile("(?m)^([^#;\\[\\s=:][^=:\\n]*[=:][ \\t]*)(`[^\\n]*|\"\"\"[^\\n]*)$")

func ownQuotes(data []byte) []byte {
	return foreignQuote.ReplaceAll(data, []byte("$1'$2'"))
}

// withoutValue says which line is not understood, and nothing of what it says: that may
// be a password.
func withoutValue(err error, data []byte) string {
	switch e := err.(type) {
	case ini.ErrDelimiterNotFound:
		return whichLine(e.Line, data) + " is neither [section], key = value nor a comment"
	case ini.ErrEmptyKeyName:
		return whichLine(e.Line, data) + " has no key before the ="
	}
	const unclosedQuote = "missing closing key quote"
	switch what, line, _ := strings.Cut(err.Error(), ": "); {
	case what == "empty section name":
		return whichLine("[]", data) + " has no name between [ and ]"
	case what == "unclosed section":
		return whichLine(line, data) + " begins a section's name that no ] ends"
	case what == unclosedQuote:
		return whichLine(line, data) + " has a quote that is not closed"
	case strings.HasPrefix(what, unclosedQuote): // it names the value only
		return "a line has a quote that is not closed"
	}
	return "a line is of no form that such a file has"
}

// whichLine gives the number of the first line with that text.
func whichLine(text string, data []byte) string {
	number := 0
	for line := range strings.Lines(string(data)) {
		if number++; strings.TrimSpace(line) == strings.TrimSpace(text) {
			return fmt.Sprintf("line %d", number)
		}
	}
	return "a line"
}
