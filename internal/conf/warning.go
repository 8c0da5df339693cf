package conf

import (
	"slices"
	"strings"

	"clinker/internal/nearest"
)

// Warning is something in the file that Clinker does not follow. It never
// stops a process.
type Warning struct {
	Section string
	Key     string // empty when it is about the whole section
	Message string // what is wrong and, where it can be told, what to write instead
}

// String is the warning as one line for a log.
func (w Warning) String() string {
	if w.Key == "" {
		return "[" + w.Section + "]: " + w.Message
	}
	return "[" + w.Section + "] " + w.Key + ": " + w.Message
}

func (f *filler) warn(section, key, message string) {
	f.warnings = append(f.warnings, Warning{section, key, message})
}

// reportUnknown warns of every section and key that nothing has read.
func (f *filler) reportUnknown() {
	for _, s := range f.text.sections {
		switch {
		case f.known[s] != nil:
			for _, k := range f.text.keys[s] {
				f.reportKey(s, k)
			}
		case unusedSection(s) != "":
			f.warn(s, "", "has no effect in Clinker: "+unusedSection(s))
		case slices.Contains(f.text.keys[s], "volume_driver"):
			f.warn(s, "", "is a backend that enabled_backends in [DEFAULT] does not name; it is not served")
		default:
			f.warn(s, "", "is no section Clinker knows"+f.suggestSection(s))
		}
	}
}

func (f *filler) reportKey(section, key string) {
	for _, o := range f.known[section] {
		if o.name == key {
			return
		}
	}
	if now := f.renamed(section, key); now != "" {
		f.warn(section, key, "is an old name; it works, but write "+now)
		return
	}
	if reason := unusedKey(section, key); reason != "" {
		f.warn(section, key, "has no effect in Clinker: "+reason)
		return
	}
	if homes := f.homes(key); len(homes) > 0 {
		f.warn(section, key, "has no effect here; it belongs in ["+strings.Join(homes, "] or [")+"]")
		return
	}
	f.warn(section, key, "is no option Clinker knows"+f.suggestKey(section, key))
}

// renamed gives the present name of an old one, "" when there is none.
func (f *filler) renamed(section, key string) string {
	for in, options := range f.known {
		for _, o := range options {
			if in == section && slices.Contains(o.old, key) {
				return o.name
			}
			if slices.Contains(o.old, section+"."+key) {
				return o.name + " in [" + in + "]"
			}
		}
	}
	return ""
}

// homes lists the sections that do have an option of that name.
func (f *filler) homes(key string) []string {
	var homes []string
	for in, options := range f.known {
		if slices.ContainsFunc(options, func(o option) bool { return o.name == key }) {
			homes = append(homes, in)
		}
	}
	slices.Sort(homes)
	return homes
}

func (f *filler) suggestSection(name string) string {
	var names []string
	for s := range f.known {
		names = append(names, s)
	}
	if best := nearest.To(name, names); best != "" {
		return "; did you mean [" + best + "]?"
	}
	return ""
}

func (f *filler) suggestKey(section, key string) string {
	var names []string
	for _, o := range f.known[section] {
		names = append(names, o.name)
	}
	if best := nearest.To(key, names); best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}
