package tgt

import "fmt"

// refusal is a number by which tgtd says no: usr/tgtadm_error.h of tgt.
type refusal uint32

const (
	noTarget     refusal = 4
	noUnit       refusal = 5
	noSession    refusal = 6
	noConnection refusal = 7
	targetExists refusal = 9
	ruleExists   refusal = 12
	noRule       refusal = 13
	userExists   refusal = 14
	noUser       refusal = 15
	targetActive refusal = 19
	unitActive   refusal = 20
)

var refusals = [...]string{
	1: "unknown error", 2: "out of memory", 3: "no such driver", noTarget: "no such target",
	noUnit: "no such logical unit", noSession: "no such session", noConnection: "no such connection",
	8: "no such binding", targetExists: "the target exists", 10: "the logical unit exists",
	11: "the binding exists", ruleExists: "the access rule exists", noRule: "no such access rule",
	userExists: "the account exists", noUser: "no such account", 16: "too many accounts",
	17: "invalid request", 18: "there is an outgoing account", targetActive: "the target is in use",
	unitActive: "the logical unit is in use", 21: "the driver is in use", 22: "unsupported operation",
	23: "unknown parameter", 24: "removal is prevented",
}

// Error gives the refusal in words.
func (r refusal) Error() string {
	if int(r) < len(refusals) && refusals[r] != "" {
		return "tgtd: " + refusals[r]
	}
	return fmt.Sprintf("tgtd: error %d", uint32(r))
}
