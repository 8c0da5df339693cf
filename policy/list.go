package policy

import "clinker/internal/fault"

// parseList reads the syntax older than the language: a list of alternatives,
// each a check or a list of checks that must all hold. An empty list allows
// everybody; a list of nothing but empty lists, nobody (as in oslo.policy).
func parseList(alternatives [][]string) (node, error) {
	if len(alternatives) == 0 {
		return node{op: opTrue}, nil
	}
	var either []node
	for _, checks := range alternatives {
		var all []node
		for _, text := range checks {
			if text == "" {
				return node{}, fault.New(fault.Invalid, "a check in the list is empty")
			}
			n, err := parseCheck(token{tokenCheck, text, 1})
			if err != nil {
				return node{}, err
			}
			all = append(all, n)
		}
		if len(all) > 0 {
			either = append(either, join(opAnd, all))
		}
	}
	return join(opOr, either), nil
}

// join makes one node of several; of none it makes one that allows nobody.
func join(how op, kids []node) node {
	switch len(kids) {
	case 0:
		return node{op: opFalse}
	case 1:
		return kids[0]
	}
	return node{op: how, kids: kids, at: kids[0].at}
}
