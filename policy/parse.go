package policy

import (
	"strings"

	"clinker/internal/fault"
)

const (
	longestCheck = 1 << 16 // bytes
	deepestCheck = 64      // parentheses and nots within each other
)

// parser reads one check: or binds loosest, then and, then not.
type parser struct {
	tokens []token
	next   int
	depth  int
}

// parseText reads a check. No text at all allows everybody, as in oslo.policy.
// The error, an Invalid fault, says at which character it stopped and why.
func parseText(s string) (node, error) {
	if len(s) > longestCheck {
		return node{}, fault.New(fault.Invalid, "the check is longer than %d bytes", longestCheck)
	}
	p := &parser{tokens: tokenize(s)}
	if p.peek().kind == tokenEnd {
		return node{op: opTrue}, nil
	}
	n, err := p.chain(tokenOr)
	if err != nil {
		return node{}, err
	}
	if t := p.peek(); t.kind == tokenClose {
		return node{}, t.fault("this parenthesis closes nothing")
	} else if t.kind != tokenEnd {
		return node{}, t.fault("%q is not joined to what is before it by and or or", clip(t.text))
	}
	return n, nil
}

func (p *parser) peek() token { return p.tokens[p.next] }

func (p *parser) take() { p.next++ }

// chain reads operands joined by or, or by and.
func (p *parser) chain(joint kind) (node, error) {
	operand := func() (node, error) { return p.chain(tokenAnd) }
	kind := opOr
	if joint == tokenAnd {
		operand, kind = p.single, opAnd
	}
	first, err := operand()
	if err != nil || p.peek().kind != joint {
		return first, err
	}
	n := node{op: kind, kids: []node{first}, at: first.at}
	for p.peek().kind == joint {
		p.take()
		kid, err := operand()
		if err != nil {
			return node{}, err
		}
		n.kids = append(n.kids, kid)
	}
	return n, nil
}

// single reads a check, a not with its check, or parentheses.
func (p *parser) single() (node, error) {
	if p.depth++; p.depth > deepestCheck {
		return node{}, p.peek().fault("more than %d levels of parentheses and nots", deepestCheck)
	}
	defer func() { p.depth-- }()
	t := p.peek()
	if t.kind == tokenEnd {
		return node{}, t.fault("a check is missing at the end")
	}
	p.take()
	switch t.kind {
	case tokenCheck:
		return parseCheck(t)
	case tokenNot:
		kid, err := p.single()
		return node{op: opNot, kids: []node{kid}, at: t.at}, err
	case tokenOpen:
		n, err := p.chain(tokenOr)
		if err != nil {
			return node{}, err
		}
		if p.peek().kind != tokenClose {
			return node{}, t.fault("this parenthesis is not closed")
		}
		p.take()
		return n, nil
	}
	return node{}, t.fault("a check is missing before %q", t.text)
}

// parseCheck reads one check without spaces: @, ! or kind:match.
func parseCheck(t token) (node, error) {
	switch t.text {
	case "@":
		return node{op: opTrue, at: t.at}, nil
	case "!":
		return node{op: opFalse, at: t.at}, nil
	}
	left, right, err := splitCheck(t)
	if err != nil {
		return node{}, err
	}
	switch left {
	case "rule":
		if right == "" {
			return node{}, t.fault("rule: needs the name of a rule")
		}
		return node{op: opRule, name: right, at: t.at}, nil
	case "http", "https":
		return node{}, t.fault("%s: checks are not made: every request would wait for another server, and fail with it; write the rule with roles instead", left)
	}
	n := node{op: opAttribute, name: left, at: t.at}
	if n.want, err = parseTemplate(right); err != nil {
		return node{}, t.fault("%v", err)
	}
	if left == "role" {
		n.op = opRole
	} else if text, ok := literal(left); ok {
		n.op, n.text = opLiteral, text
	} else if strings.ContainsAny(left, `'"`) {
		return node{}, t.fault("the quotes in %q do not match", clip(left))
	} else {
		n.attr = attributes[left]
	}
	return n, nil
}

// splitCheck splits at the first colon outside quotes.
func splitCheck(t token) (left, right string, err error) {
	s, skip := t.text, 0
	if q := s[0]; q == '\'' || q == '"' {
		if end := strings.IndexByte(s[1:], q); end >= 0 {
			skip = end + 2
		}
	}
	i := strings.IndexByte(s[skip:], ':')
	if i < 0 || skip+i == 0 {
		return "", "", t.fault("%q is not of the form kind:match, nor @ or !", clip(s))
	}
	return s[:skip+i], s[skip+i+1:], nil
}

// literal reads a quoted text, True, False, None or a whole number.
func literal(s string) (string, bool) {
	switch {
	case s == "True" || s == "False" || s == none:
		return s, true
	case len(s) >= 2 && s[0] == s[len(s)-1] && (s[0] == '\'' || s[0] == '"') && !strings.ContainsAny(s[1:len(s)-1], s[:1]+`\`):
		return s[1 : len(s)-1], true
	case strings.Trim(s, "0123456789") == "" && (s == "0" || s[0] != '0'):
		return s, true
	}
	return "", false
}

// fault is an error at the token.
func (t token) fault(format string, args ...any) error {
	f := fault.New(fault.Invalid, format, args...)
	return fault.New(fault.Invalid, "at character %d: %s", t.at, f.Message)
}
