package lvm

import (
	"context"

	"clinker/internal/fault"
	"clinker/internal/run"
	"clinker/volumed/backend"
	"clinker/volumed/backend/lvm/mapper"
)

var _ backend.Tracker = (*Backend)(nil)

// Tracks: a thin pool's own metadata say which blocks two volumes share.
func (b *Backend) Tracks() bool {
	_, ok := b.pool.(*thin)
	return ok
}

// Identity is the UUID that LVM gave the volume; see backend.Tracker.
func (b *Backend) Identity(ctx context.Context, name string) (string, error) {
	if err := backend.CheckName(name); err != nil {
		return "", err
	}
	all, err := b.identities(ctx)
	if err != nil {
		return "", err
	}
	for _, v := range all {
		if v["lv_name"] == b.asides.logical(name) {
			return v["lv_uuid"], nil
		}
	}
	return "", notFound(name)
}

// Changes asks thin_delta, or thin_dump for what is not zeroes; see backend.Tracker.
func (b *Backend) Changes(ctx context.Context, since, name string) ([]backend.Stretch, error) {
	if err := backend.CheckName(name); err != nil {
		return nil, err
	}
	pool, ok := b.pool.(*thin)
	if !ok {
		return nil, fault.New(fault.Unsupported, "a thick pool does not know what has changed")
	}
	all, err := b.identities(ctx)
	if err != nil {
		return nil, err
	}
	device, ok := pool.thinID(all, "lv_name", b.asides.logical(name))
	if !ok {
		return nil, notFound(name)
	}
	if since == "" {
		return pool.ask(ctx, "thin_dump", "--dev-id", device)
	}
	before, ok := pool.thinID(all, "lv_uuid", since)
	if !ok {
		return nil, fault.New(fault.NotFound, "what the last backup was made of is not there any more")
	}
	return pool.ask(ctx, "thin_delta", "--thin1", before, "--thin2", device)
}

// identities asks anew: what it says of a name must not be of an earlier one.
func (g *group) identities(ctx context.Context) ([]row, error) {
	output, err := g.run(ctx, "lvs", append(reportFormat, "-o", "lv_name,lv_uuid,thin_id,pool_lv", g.name)...)
	if err != nil {
		return nil, err
	}
	return parseRows(output, "lv")
}

// thinID gives the number by which the pool's metadata know a volume.
func (t *thin) thinID(all []row, column, value string) (string, bool) {
	for _, v := range all {
		if v[column] == value && v["pool_lv"] == t.name && v["thin_id"] != "" {
			return v["thin_id"], true
		}
	}
	return "", false
}

// ask runs one of the thin pool's tools on a copy of the metadata that the kernel
// keeps for the purpose (thin-provisioning.rst, reserve_metadata_snap): a pool has one
// at a time, and one that a crash left is of the past.
func (t *thin) ask(ctx context.Context, args ...string) ([]backend.Stretch, error) {
	t.metadata.Lock()
	defer t.metadata.Unlock()
	pool, err := t.mapperName()
	if err != nil {
		return nil, err
	}
	if _, err := run.Output(ctx, "dmsetup", "message", pool, "0", "reserve_metadata_snap"); err != nil {
		if err := t.releaseMetadata(ctx, pool); err != nil {
			return nil, err
		}
		if _, err := run.Output(ctx, "dmsetup", "message", pool, "0", "reserve_metadata_snap"); err != nil {
			return nil, fault.Wrap(err, fault.Unsupported, "the thin pool does not show its metadata")
		}
	}
	defer func() { _ = t.releaseMetadata(context.WithoutCancel(ctx), pool) }() // the next one does it if this does not
	device := "/dev/mapper/" + mapper.Name(t.group.name, t.name+"_tmeta")
	output, err := run.Command{Args: append(args, "-m", device), EndsWithUs: true}.Output(ctx)
	if err != nil {
		return nil, fault.Wrap(err, fault.Unsupported, "the thin pool's metadata cannot be read")
	}
	return parseThin(output)
}

func (t *thin) releaseMetadata(ctx context.Context, pool string) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if _, err := run.Output(ctx, "dmsetup", "message", pool, "0", "release_metadata_snap"); err != nil {
		return fault.Wrap(err, fault.Unsupported, "the thin pool does not show its metadata")
	}
	return nil
}

// mapperName gives the pool's name in the mapper: with volumes active it is a layer
// below them and itself.
func (t *thin) mapperName() (string, error) {
	for _, layer := range [][]string{{"tpool"}, nil} {
		d, active, err := t.mapped(t.name, layer...)
		if err != nil {
			return "", err
		}
		if active && d.Type() == "thin-pool" {
			return mapper.Name(t.group.name, t.name, layer...), nil
		}
	}
	return "", fault.New(fault.Unsupported, "the thin pool is not active")
}
