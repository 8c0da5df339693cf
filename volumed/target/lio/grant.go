package lio

import (
	"clinker/volumed/target"
)

// The names of the links; the kernel does not care.
const (
	storeLink  = "store"
	mappedLink = "unit"
)

func (x *export) rule(initiator string) string { return x.acls() + "/" + initiator }

// revoke takes away the rules of initiators that have no grant any more, and
// those whose username changed: that is another grant, and the session of the old
// one must end.
func (x *export) revoke() error {
	return x.removeRules(func(initiator string) bool {
		g, ok := x.wants(initiator)
		if !ok {
			return false
		}
		user, err := x.fs.read(x.rule(initiator) + "/auth/userid")
		return err == nil && (user == g.Username || isUnset(user))
	})
}

// isUnset tells whether an attribute of auth has no value. The kernel prints
// what it has, and old ones print NULL for nothing.
func isUnset(value string) bool { return value == "" || value == "NULL" }

func (x *export) wants(initiator string) (target.Grant, bool) {
	for _, g := range x.want.Grants {
		if g.Initiator == initiator {
			return g, true
		}
	}
	return target.Grant{}, false
}

// removeRules removes the access rules but those that stay. The kernel ends
// the sessions under a rule before its rmdir returns.
func (x *export) removeRules(stays func(initiator string) bool) error {
	initiators, err := x.fs.list(x.acls())
	if err != nil {
		return err
	}
	for _, i := range initiators {
		if stays(i) {
			continue
		}
		if err := x.removeEach(x.rule(i), "lun_"); err != nil {
			return err
		}
		if err := x.fs.rmdir(x.rule(i)); err != nil {
			return err
		}
	}
	return nil
}

// grant makes a rule for every grant.
func (x *export) grant() error {
	for _, g := range x.want.Grants {
		if err := x.makeRule(g); err != nil {
			return err
		}
	}
	return nil
}

// makeRule makes one rule. The username and the password come last: without
// them the kernel refuses the login, and with them the unit must be mapped and
// its protection as wanted, which can be set only after the mapping.
func (x *export) makeRule(g target.Grant) error {
	rule := x.rule(g.Initiator)
	mapped := rule + "/lun_0"
	for _, dir := range []string{rule, mapped} {
		if err := x.fs.mkdir(dir); err != nil {
			return err
		}
	}
	if err := x.fs.link(x.unit(), mapped+"/"+mappedLink); err != nil {
		return err
	}
	protect := "0"
	if g.ReadOnly {
		protect = "1"
	}
	if err := x.set(mapped+"/write_protect", protect); err != nil {
		return err
	}
	if err := x.set(rule+"/auth/userid", g.Username); err != nil {
		return err
	}
	return x.set(rule+"/auth/password", string(g.Password))
}
