package conf

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// option is one field of a section's struct, as its tags describe it.
type option struct {
	name    string
	help    string
	def     string
	sample  string            // printed instead of def
	choices []string          // the only texts accepted
	alias   map[string]string // other spellings of a choice
	old     []string          // earlier names: "name" or "section.name"
	min     *float64
	max     *float64
	kind    reflect.Type
	index   int // of the field, or element
}

// place is where a section keeps the option's value.
func (o *option) place(section reflect.Value) reflect.Value {
	if section.Kind() == reflect.Slice {
		return section.Index(o.index)
	}
	return section.Field(o.index)
}

// optionsOf reads the tags of a section's struct. Fields without an ini tag
// are not options.
func optionsOf(into any) []option {
	if _, numbers := into.(*Numbers); numbers {
		return optionsOfNumbers()
	}
	t := reflect.TypeOf(into).Elem()
	var all []option
	for i := range t.NumField() {
		field := t.Field(i)
		name := field.Tag.Get("ini")
		if name == "" {
			continue
		}
		o := option{name: name, index: i, kind: field.Type,
			help: field.Tag.Get("help"), def: field.Tag.Get("default"), sample: field.Tag.Get("sample"),
			choices: list(field.Tag.Get("choices")), old: list(field.Tag.Get("old")),
			min: bound(field.Tag.Get("min")), max: bound(field.Tag.Get("max"))}
		for _, pair := range list(field.Tag.Get("alias")) {
			from, to, _ := strings.Cut(pair, "=")
			if o.alias == nil {
				o.alias = map[string]string{}
			}
			o.alias[from] = to
		}
		all = append(all, o)
	}
	return all
}

// bound reads a min or max tag.
func bound(tag string) *float64 {
	if tag == "" {
		return nil
	}
	n, err := strconv.ParseFloat(tag, 64)
	if err != nil {
		panic(fmt.Sprintf("conf: bad bound %q in a tag", tag))
	}
	return &n
}

// list splits at commas, as oslo.config's ListOpt; an empty text is an empty list.
func list(s string) []string {
	var items []string
	for _, item := range strings.Split(s, ",") {
		if item = unquote(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
