package policy

import "fmt"

// Warning is something in the policy file that does not do what its author
// may think. It never stops a process.
type Warning struct {
	File    string
	Line    int
	Rule    string
	Message string
}

// String is the warning as one line for a log.
func (w Warning) String() string {
	return fmt.Sprintf("%s line %d: %s %s", w.File, w.Line, w.Rule, w.Message)
}
