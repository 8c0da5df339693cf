package backup

import (
	"context"

	"clinker/internal/fault"
)

// finish stores the table and then, when all else is durable, the manifest.
func (c *creation) finish(ctx context.Context) error {
	c.forgetUnneeded()
	if err := c.storeTable(ctx); err != nil {
		return err
	}
	if err := c.tidy(ctx); err != nil {
		return err
	}
	if err := c.Driver.Flush(ctx, c.dir); err != nil {
		return err
	}
	for _, o := range c.known {
		if o.used && o.owner == 0 {
			c.manifest.Objects++
			c.manifest.StoredBytes += o.bytes
		}
	}
	return c.publish(ctx)
}

// publish stores the manifest and reads it back: a store that lost it would have no
// backup, where the control plane would say that there is one.
func (c *creation) publish(ctx context.Context) error {
	sealed, err := c.keys.seal(&c.manifest)
	if err != nil {
		return err
	}
	for range publishAttempts {
		if err := c.Driver.Put(ctx, c.Place.manifestKey(), sealed); err != nil {
			return err
		}
		if err := c.Driver.Flush(ctx, c.Place.manifests()); err != nil {
			return err
		}
		if err := c.unremoved(ctx); err != nil {
			return err
		}
		if _, err = c.Manifest(ctx, c.Place); !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return fault.Wrap(err, fault.Unavailable, "the backup store does not keep what it takes")
}

const publishAttempts = 3

// unremoved takes the backup away when another node has, which could not see all of
// it: then it gives Stale.
func (c *creation) unremoved(ctx context.Context) error {
	gone, err := c.removed(ctx, c.Place)
	if err != nil || !gone {
		return err
	}
	if err := c.takeAway(ctx, c.Place); err != nil {
		return err
	}
	return fault.New(fault.Stale, "the backup was deleted while it was made")
}

// forgetUnneeded leaves the owners out whose objects the table does not name.
func (c *creation) forgetUnneeded() {
	used := make([]bool, 1+len(c.manifest.Needs))
	for i := range c.table {
		if owner := c.table[i].owner; owner != hole {
			used[owner] = true
		}
	}
	owner, needs := make([]int32, len(used)), []Place(nil)
	for i, p := range c.manifest.Needs {
		if used[i+1] {
			needs = append(needs, p)
			owner[i+1] = int32(len(needs))
		}
	}
	for i := range c.table {
		if c.table[i].owner != hole {
			c.table[i].owner = owner[c.table[i].owner]
		}
	}
	c.manifest.Needs = needs
}

// storeTable stores the table as chunks are, in objects of this backup: what is the
// same in the parent's is stored again.
func (c *creation) storeTable(ctx context.Context) error {
	if len(c.manifest.Needs) > maxNeeds {
		return fault.New(fault.Invalid, "the backup would add to more than %d others; make a full one", maxNeeds)
	}
	codec, err := c.keys.newCodec(tablePieceBytes, c.Compress)
	if err != nil {
		return err
	}
	defer codec.close()
	data := encodeTable(c.table)
	c.manifest.TableBytes = int64(len(data))
	for len(data) > 0 {
		piece := data[:min(tablePieceBytes, len(data))]
		data = data[len(piece):]
		d := sum(codec.sum, piece)
		if o := c.known[d]; o != nil && o.owner != 0 {
			delete(c.known, d)
		}
		if _, err := c.store(ctx, codec, d, piece); err != nil {
			return err
		}
		c.manifest.Table = append(c.manifest.Table, d.String())
	}
	return nil
}

// tidy takes away what an interrupted attempt stored and this one does not use.
func (c *creation) tidy(ctx context.Context) error {
	var unused []string
	err := c.own(ctx, func(o Object) {
		if d, ok := parseDigest(o.Key[len(c.dir)+1:]); !ok || c.known[d] == nil || !c.known[d].used || c.known[d].owner != 0 {
			unused = append(unused, o.Key)
		}
	})
	if err != nil || len(unused) == 0 {
		return err
	}
	return c.Driver.Delete(ctx, unused)
}
