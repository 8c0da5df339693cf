package lio

import (
	"context"
	"slices"
	"strings"

	"clinker/volumed/target"
)

// List is target.Target's. What an interruption left of an export is in it
// too, with what is known of it, so that it can be found and removed.
func (t *Target) List(context.Context) ([]target.Export, error) {
	iqns, err := t.iqns()
	if err != nil {
		return nil, explain(err)
	}
	all := make([]target.Export, 0, len(iqns))
	for _, iqn := range iqns {
		e, err := (&export{fs: t.fs, want: target.Export{IQN: iqn}}).look()
		if err != nil {
			return nil, explain(err)
		}
		all = append(all, e)
	}
	return all, nil
}

// iqns gives the names of targets and of backstores that have none.
func (t *Target) iqns() ([]string, error) {
	var all []string
	for _, dir := range []string{"iscsi", blockHBA, fileHBA} {
		names, err := t.fs.list(dir)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if strings.HasPrefix(name, t.prefix) && strings.HasPrefix(name, "iqn.") {
				all = append(all, name)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// look reads an export from the kernel. An export that vanishes meanwhile
// reads as empty.
func (x *export) look() (target.Export, error) {
	e := target.Export{IQN: x.want.IQN}
	for _, hba := range []string{blockHBA, fileHBA} {
		path := hba + "/" + e.IQN
		device, err := x.fs.read(path + "/udev_path")
		if err != nil {
			return e, err
		}
		serial, err := x.fs.read(path + "/wwn/vpd_unit_serial")
		if err != nil {
			return e, err
		}
		if device != "" {
			e.Device, e.Serial = device, serialIn(serial)
		}
	}
	initiators, err := x.fs.list(x.acls())
	if err != nil {
		return e, err
	}
	for _, i := range initiators {
		user, err := x.fs.read(x.rule(i) + "/auth/userid")
		if err != nil {
			return e, err
		}
		if isUnset(user) {
			user = ""
		}
		protect, err := x.fs.read(x.rule(i) + "/lun_0/write_protect")
		if err != nil {
			return e, err
		}
		e.Grants = append(e.Grants, target.Grant{Initiator: i, Username: user, ReadOnly: protect == "1"})
	}
	return e, nil
}
