package lvm

import (
	"context"
	"strings"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// aside ends the name of a logical volume that has come from another pool of the volume
// group, where the volume's own name was taken: a volume group has each name once
// (lvm(8), "Valid names").
const aside = ".moved"

// volumeOf gives the name of what a logical volume keeps: its own, but for one of ours
// that stands aside.
func volumeOf(logical string) string {
	if name, ok := strings.CutSuffix(logical, aside); ok && backend.CheckName(name) == nil {
		return name
	}
	return logical
}

// asides are the volumes of a pool whose logical volumes stand aside.
type asides struct{ nameSet }

// logical gives the name of the logical volume that keeps a volume.
func (a *asides) logical(name string) string {
	if a.has(name) {
		return name + aside
	}
	return name
}

// learn takes note of those in a report, which a killed process may have made.
func (a *asides) learn(r *report, holds func(logicalVolume) bool) {
	for _, v := range r.volumes {
		if name := volumeOf(v.Name); name != v.Name && holds(v) {
			a.add(name)
		}
	}
}

// landing gives the logical volume that an imported volume is to become, and how many
// bytes it has when it is there already. Unsupported when other pools of the volume group
// have both names that it could have.
func (b *Backend) landing(ctx context.Context, name string) (logical string, have int64, there bool, err error) {
	logical = b.asides.logical(name)
	for {
		have, there, err = b.size(ctx, logical)
		if err != nil || !there {
			return logical, have, there, err
		}
		b.reports.drop() // another backend of the same volume group may have made it since
		v, ok, err := b.find(ctx, logical)
		if err != nil || !ok || b.pool.holds(v) {
			return logical, have, ok, err
		}
		if logical != name {
			return "", 0, false, fault.New(fault.Unsupported, "two other pools of the volume group %s have the volume, or have not yet removed what they had of it", b.group.name)
		}
		logical = name + aside
	}
}
