package placement

import (
	"slices"
	"strconv"
	"strings"
)

// spec is the value of an extra spec, parsed.
type spec struct {
	whole    string // lower case, for a value without an operator
	match    func(value, operand string) bool
	operands []string
	each     bool // every operand must match, else one is enough
}

// operators are Cinder's (cinder/scheduler/filters/extra_specs_ops.py), and
// <all-in> from Nova's. They compare without regard to case. "=" means "at
// least", as it always has there. The numeric ones never match what is no number.
var operators = map[string]func(value, operand string) bool{
	"=":    numbers(func(a, b float64) bool { return a >= b }),
	"==":   numbers(func(a, b float64) bool { return a == b }),
	"!=":   numbers(func(a, b float64) bool { return a != b }),
	">=":   numbers(func(a, b float64) bool { return a >= b }),
	"<=":   numbers(func(a, b float64) bool { return a <= b }),
	"s==":  func(a, b string) bool { return a == b },
	"s!=":  func(a, b string) bool { return a != b },
	"s<":   func(a, b string) bool { return a < b },
	"s<=":  func(a, b string) bool { return a <= b },
	"s>":   func(a, b string) bool { return a > b },
	"s>=":  func(a, b string) bool { return a >= b },
	"<is>": func(a, b string) bool { return truth(a) == truth(b) },
	"<in>": strings.Contains,
}

// parseSpec reads the value of an extra spec. Every text is one: without an
// operator in front it is a value to be equal to.
func parseSpec(text string) spec {
	s := spec{whole: strings.ToLower(text)}
	words := strings.Fields(s.whole)
	if len(words) == 0 {
		return s
	}
	switch operator, rest := words[0], words[1:]; operator {
	case "<or>": // <or> v1 <or> v2 …
		s.match = operators["s=="]
		for i := 0; i < len(rest); i += 2 {
			s.operands = append(s.operands, rest[i])
		}
	case "<all-in>": // <all-in> v1 v2 …
		s.match, s.operands, s.each = strings.Contains, rest, true
	default:
		if s.match = operators[operator]; s.match != nil {
			s.operands = rest[:min(1, len(rest))] // Cinder reads one word
		}
	}
	return s
}

// matches tells whether a capability's value fulfils the spec. An operator
// without an operand is never fulfilled.
func (s spec) matches(value string) bool {
	value = strings.ToLower(value)
	fulfils := func(operand string) bool { return s.match(value, operand) }
	switch {
	case s.match == nil:
		return value == s.whole || isBool(value) && isBool(s.whole) && truth(value) == truth(s.whole)
	case s.each:
		return len(s.operands) > 0 && !slices.ContainsFunc(s.operands, func(o string) bool { return !fulfils(o) })
	default:
		return slices.ContainsFunc(s.operands, fulfils)
	}
}

func numbers(compare func(a, b float64) bool) func(value, operand string) bool {
	return func(value, operand string) bool {
		a, errA := strconv.ParseFloat(value, 64)
		b, errB := strconv.ParseFloat(operand, 64)
		return errA == nil && errB == nil && compare(a, b)
	}
}

var trueWords = []string{"1", "t", "true", "on", "y", "yes"}
var falseWords = []string{"0", "f", "false", "off", "n", "no"}

// truth reads a word as oslo.utils' bool_from_string does: what is not true is false.
func truth(word string) bool { return slices.Contains(trueWords, strings.TrimSpace(word)) }

// isBool keeps "1" and "0" out: as capabilities they are numbers.
func isBool(word string) bool {
	return len(word) > 1 && (truth(word) || slices.Contains(falseWords, word)) || word == "t" || word == "f"
}
