package policy

import (
	"errors"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"clinker/internal/fault"
)

// longestFile bounds the policy file, in bytes.
const longestFile = 1 << 20

// readFile reads the operator's rules, nil when there is no such file.
func readFile(path string) ([]rule, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the policy file cannot be read")
	}
	return parseFile(path, data)
}

// parseFile reads a mapping of rule names to checks: YAML, of which JSON is a
// part.
func parseFile(path string, data []byte) ([]rule, error) {
	if len(data) > longestFile {
		return nil, fault.New(fault.Invalid, "%s is longer than %d bytes", path, longestFile)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fault.New(fault.Invalid, "%s: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
		return nil, nil
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, fault.New(fault.Invalid, "%s line %d: a policy file is a mapping of rule names to checks", path, top.Line)
	}
	var rules []rule
	seen := map[string]bool{}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Value == "" {
			return nil, fault.New(fault.Invalid, "%s line %d: the name of a rule is a text", path, key.Line)
		}
		if seen[key.Value] {
			return nil, fault.New(fault.Invalid, "%s line %d: %s is given twice", path, key.Line, key.Value)
		}
		seen[key.Value] = true
		root, text, err := parseValue(value)
		if err != nil {
			return nil, fault.New(fault.Invalid, "%s line %d: %s: %s", path, key.Line, key.Value, fault.MessageOf(err))
		}
		rules = append(rules, rule{name: key.Value, root: root, from: text, line: key.Line})
	}
	return rules, nil
}

// parseValue reads a check: a text, or the older list of lists.
func parseValue(v *yaml.Node) (node, string, error) {
	switch {
	case v.Kind == yaml.ScalarNode && v.Value == "" && v.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0,
		v.Kind == yaml.ScalarNode && v.Tag == "!!null": // a bare ! is an empty text to YAML, and would allow everybody
		return node{}, "", fault.New(fault.Invalid, `no check is given; write "@" to allow everybody, "!" to allow nobody`)
	case v.Kind == yaml.ScalarNode:
		n, err := parseText(v.Value)
		return n, v.Value, err
	case v.Kind != yaml.SequenceNode:
		return node{}, "", fault.New(fault.Invalid, "a check is a text or a list")
	}
	var lists [][]string
	var text []string
	for _, item := range v.Content {
		checks, err := texts(item)
		if err != nil {
			return node{}, "", err
		}
		lists = append(lists, checks)
		text = append(text, "["+strings.Join(checks, ", ")+"]")
	}
	n, err := parseList(lists)
	return n, "[" + strings.Join(text, ", ") + "]", err
}

// texts reads a text, or a list of texts.
func texts(item *yaml.Node) ([]string, error) {
	if item.Kind == yaml.ScalarNode {
		if item.Value == "" {
			return nil, nil
		}
		return []string{item.Value}, nil
	}
	var all []string
	err := item.Decode(&all)
	if err != nil || item.Kind != yaml.SequenceNode {
		return nil, fault.New(fault.Invalid, "in a list, a check is a text or a list of texts")
	}
	return all, nil
}
