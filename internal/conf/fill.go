package conf

import (
	"errors"
	"reflect"
	"strings"

	"clinker/internal/fault"
)

// filler carries one reading of the file: its text, the options known, and
// what is to be reported.
type filler struct {
	text       *text
	known      map[string][]option // section → options
	fixed      map[string]bool     // sections whose name is not the operator's choice
	references int                 // followed for the value at hand
	warnings   []Warning
	errs       []error
}

func newFiller(t *text) *filler {
	return &filler{text: t, known: map[string][]option{}, fixed: map[string]bool{}}
}

// register makes the options of a struct known under the section.
func (f *filler) register(section string, into any) {
	f.known[section] = append(f.known[section], optionsOf(into)...)
	if _, backend := into.(*Backend); !backend || section == backendDefaults {
		f.fixed[section] = true
	}
}

// isFixed tells that the name belongs to a section that is no backend.
func (f *filler) isFixed(section string) bool { return f.fixed[section] }

// fill sets every field of the struct from the file, or from its default.
func (f *filler) fill(section string, into any) {
	v := reflect.ValueOf(into).Elem()
	for _, o := range optionsOf(into) {
		raw, in := f.rawOption(section, &o)
		value, err := f.expand(in, raw, 0)
		if err != nil {
			f.fail("[%s] %s = %s: %v", section, o.name, o.show(raw), o.hide(err))
			continue
		}
		if err := o.set(o.place(v), value); err != nil {
			f.fail("[%s] %s = %s: accepted is %v", section, o.name, o.show(value), err)
		}
	}
}

// show is the value for an error sentence.
func (o *option) show(value string) string {
	if o.kind == secretType {
		return redacted
	}
	if r := []rune(value); len(r) > 80 {
		value = string(r[:80]) + "…"
	}
	return `"` + value + `"`
}

// hide gives an error of expand without what it may tell of a secret.
func (o *option) hide(err error) error {
	if o.kind == secretType && errors.As(err, new(noOption)) {
		return errSecretReference
	}
	return err
}

// rawOption gives an option's text before references are replaced, and the
// section by whose names they are looked up.
func (f *filler) rawOption(section string, o *option) (value, in string) {
	for _, s := range f.searched(section) {
		for _, name := range append([]string{o.name}, o.old...) {
			from := s
			if before, after, dotted := strings.Cut(name, "."); dotted {
				from, name = before, after
			}
			if value, ok := f.text.get(from, name); ok {
				return value, section
			}
		}
	}
	return o.def, section
}

// raw is rawOption by name, with ok false for an option that is not known.
func (f *filler) raw(section, name string) (string, bool) {
	for _, o := range f.known[section] {
		if o.name == name {
			value, _ := f.rawOption(section, &o)
			return value, true
		}
	}
	return "", false
}

// searched lists the sections of the file in which an option is looked up.
func (f *filler) searched(section string) []string {
	if f.isFixed(section) {
		return []string{section}
	}
	return []string{section, backendDefaults}
}

// fail notes an error and lets the reading go on, so that one start shows all of them.
func (f *filler) fail(format string, args ...any) {
	f.errs = append(f.errs, fault.New(fault.Invalid, format, args...))
}

// err joins what went wrong into one fault of a sentence per line.
func (f *filler) err() error {
	switch len(f.errs) {
	case 0:
		return nil
	case 1:
		return f.errs[0]
	}
	lines := make([]string, len(f.errs))
	for i, err := range f.errs {
		lines[i] = err.Error()
	}
	return fault.New(fault.Invalid, "%s", strings.Join(lines, "\n"))
}
