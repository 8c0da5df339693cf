package api

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"clinker/internal/fault"
)

// boolish is a JSON boolean or one of the texts that Cinder takes for one.
type boolish bool

// UnmarshalJSON reads either form; the schema has let nothing else through.
func (b *boolish) UnmarshalJSON(raw []byte) error {
	text := strings.ToLower(strings.Trim(string(raw), `" `))
	value, known := booleans[text]
	if !known && text != "null" {
		return fmt.Errorf("%s is not a boolean", raw)
	}
	*b = boolish(value)
	return nil
}

// gib is a size in GiB, as a JSON number or as text.
type gib int

// UnmarshalJSON reads either form.
func (g *gib) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	if text == "null" || text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n > math.MaxInt32 {
		return fault.New(fault.Invalid, "Invalid input received: '%s' must be a whole number of at most %d.", text, math.MaxInt32)
	}
	*g = gib(n)
	return nil
}

// trimmed is a name or description; Cinder strips the spaces around it.
type trimmed string

// UnmarshalJSON strips.
func (t *trimmed) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	*t = trimmed(strings.TrimSpace(text))
	return nil
}

// optional gives the text, nil where none was given.
func (t *trimmed) optional() *string {
	if t == nil {
		return nil
	}
	text := string(*t)
	return &text
}
