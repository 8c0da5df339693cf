package conf

import (
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
)

// reference is $name, ${name}, $section.name, ${section.name} or $$, as in
// oslo.config, with the slashes before it that begin a URL's host.
var reference = regexp.MustCompile(`(?://)?\$(?:\$|\{[\w.-]+\}|\w+(?:\.\w+)?)`)

// maxDepth bounds a chain of references, and so finds a circle.
const maxDepth = 10

// maxReferences bounds how many references one value may lead to, and
// maxExpanded the text they grow to, in bytes.
const (
	maxReferences = 1000
	maxExpanded   = 1 << 16
)

// noOption is a reference to an option that there is not.
type noOption string

func (n noOption) Error() string { return string(n) + " is no option; write $$ for a dollar sign" }

// errSecretReference is noOption in a secret, of which it would show a part.
var errSecretReference = errors.New("what follows a $ in it is no option; write $$ for a dollar sign")

// expand replaces references in the value of an option of the section.
func (f *filler) expand(section, value string, depth int) (string, error) {
	if depth == 0 {
		f.references = 0
	}
	if f.references++; depth > maxDepth || f.references > maxReferences {
		return "", errors.New("the references lead in a circle")
	}
	var failed error
	out := reference.ReplaceAllStringFunc(value, func(found string) string {
		ref, isHost := strings.CutPrefix(found, "//")
		before := strings.TrimSuffix(found, ref)
		if ref == "$$" || failed != nil {
			return before + "$"
		}
		name := strings.Trim(ref[1:], "{}")
		raw, in, ok := f.lookup(section, name)
		if !ok {
			failed = noOption(ref)
			return ""
		}
		expanded, err := f.expand(in, raw, depth+1)
		if failed = err; errors.As(err, new(noOption)) { // whose name is not this value's, and may be of a secret
			failed = fmt.Errorf("%s refers to what is no option", ref)
		}
		if isHost && strings.Contains(expanded, ":") && net.ParseIP(expanded) != nil {
			expanded = "[" + expanded + "]" // RFC 3986 §3.2.2
		}
		return before + expanded
	})
	if failed == nil && len(out) > maxExpanded {
		failed = fmt.Errorf("the references grow it beyond %d bytes", maxExpanded)
	}
	return out, failed
}

// lookup finds what a reference means: an option of the same section, else of
// [DEFAULT], else of the section before the dot.
func (f *filler) lookup(section, name string) (value, in string, ok bool) {
	if before, after, dotted := strings.Cut(name, "."); dotted {
		value, ok = f.raw(before, after)
		return value, before, ok
	}
	for _, in := range []string{section, "DEFAULT"} {
		if value, ok := f.raw(in, name); ok {
			return value, in, true
		}
	}
	switch name {
	case "machine_ip":
		return machineIP(), section, true
	case "machine_name":
		return machineName(), section, true
	}
	return "", "", false
}

// machineName is the default of host: the machine's name, or localhost where
// it has none.
func machineName() string {
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "localhost"
}

// machineIP is the default of my_ip: the address the kernel would send from
// to the world outside. Connecting a UDP socket sends nothing. 127.0.0.1 where
// there is no route.
func machineIP() string {
	conn, err := net.Dial("udp", "192.0.2.1:9") // TEST-NET-1, RFC 5737
	if err != nil {
		return "127.0.0.1"
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).IP.String()
}
