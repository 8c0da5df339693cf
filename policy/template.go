package policy

import (
	"fmt"
	"strings"
)

// none is how Python writes the absence of a value.
const none = "None"

// template is the right side of a check: text with %(field)s in it.
type template []part

// part is a text, or a field of the target.
type part struct {
	text  string
	field string // "" for a text
}

// parseTemplate splits at %(field)s; %% is a percent sign.
func parseTemplate(s string) (template, error) {
	var t template
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			t = append(t, part{text: text.String()})
			text.Reset()
		}
	}
	for {
		before, after, found := strings.Cut(s, "%")
		text.WriteString(before)
		if !found {
			break
		}
		if rest, ok := strings.CutPrefix(after, "%"); ok {
			text.WriteByte('%')
			s = rest
			continue
		}
		name, rest, ok := strings.Cut(strings.TrimPrefix(after, "("), ")s")
		if !ok || !strings.HasPrefix(after, "(") || name == "" || strings.ContainsAny(name, "()%") {
			return nil, fmt.Errorf("%%%s is not of the form %%(field)s", clip(after))
		}
		flush()
		t = append(t, part{field: name})
		s = rest
	}
	flush()
	if t == nil {
		t = template{{}}
	}
	return t, nil
}

// isNone tells whether the rule itself says None.
func (t template) isNone() bool { return len(t) == 1 && t[0].text == none }

// fill gives the text for a target; ok is false when the target has no such
// field. A field that is None makes "None" when asNone, and is not ok otherwise.
func (t template) fill(target *Target, asNone bool) (text string, ok bool) {
	if len(t) == 1 {
		return t[0].fill(target, asNone)
	}
	var b strings.Builder
	for i := range t {
		s, ok := t[i].fill(target, asNone)
		if !ok {
			return "", false
		}
		b.WriteString(s)
	}
	return b.String(), true
}

func (p *part) fill(target *Target, asNone bool) (string, bool) {
	var value string
	switch p.field {
	case "":
		return p.text, true
	case "project_id", "tenant_id":
		value = target.ProjectID
	case "user_id":
		value = target.UserID
	case "domain_id":
		value = target.DomainID
	default:
		var ok bool
		if value, ok = target.Fields[p.field]; !ok {
			return "", false
		}
	}
	if value == "" {
		return none, asNone
	}
	return value, true
}

// clip shortens a piece of a rule for an error.
func clip(s string) string {
	if r := []rune(s); len(r) > 20 {
		return string(r[:20]) + "…"
	}
	return s
}
