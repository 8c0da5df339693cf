package crash

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/attachments"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
)

// customer does one thing after the other, whatever the answers are. What it has
// is what the API told it: an answer that was lost leaves a volume that only the
// last check finds.
type customer struct {
	client    *gophercloud.ServiceClient
	initiator string
	random    *rand.Rand
	counts    *tally

	witnesses   []string // to be cloned
	volumes     []string
	attachments []string
}

func newCustomer(c *gophercloud.ServiceClient, witnesses []string, counts *tally, r *rand.Rand) *customer {
	return &customer{client: c, witnesses: witnesses, counts: counts, random: r,
		initiator: "iqn.1993-08.org.debian:01:" + uuid.NewString()[:8]}
}

// most is how many volumes a customer has at a time, about.
const most = 12

func (c *customer) work(ctx context.Context) {
	acts := []struct {
		name   string
		weight int
		do     func(context.Context) error
	}{
		{"create", 5, c.create}, {"clone", 2, c.clone}, {"extend", 5, c.extend}, {"attach", 5, c.attach},
		{"reserve", 1, c.reserve}, {"complete", 3, c.complete}, {"detach", 4, c.detach}, {"delete", 5, c.delete}, {"find", 3, c.find},
	}
	for pause(ctx, between(c.random, 0, 80*time.Millisecond)) {
		n := c.random.IntN(33)
		for _, a := range acts {
			if n -= a.weight; n < 0 {
				// A request that is under way when the chaos ends is let finish.
				if err := a.do(context.WithoutCancel(ctx)); err != errNothingToDo {
					c.counts.add(a.name, err)
				}
				break
			}
		}
	}
}

func (c *customer) create(ctx context.Context) error {
	return c.make(ctx, volumes.CreateOpts{Size: 1 + c.random.IntN(3)})
}

func (c *customer) clone(ctx context.Context) error {
	source := c.witnesses[c.random.IntN(len(c.witnesses))]
	return c.make(ctx, volumes.CreateOpts{Size: witnessGiB + c.random.IntN(3), SourceVolID: source, Name: cloneOf(source)})
}

func (c *customer) make(ctx context.Context, o volumes.CreateOpts) error {
	if len(c.volumes) >= most {
		return errNothingToDo
	}
	v, err := volumes.Create(ctx, c.client, o, nil).Extract()
	if err == nil {
		c.volumes = append(c.volumes, v.ID)
	}
	return err
}

func (c *customer) extend(ctx context.Context) error {
	id, ok := c.pick(c.volumes)
	if !ok {
		return errNothingToDo
	}
	return volumes.ExtendSize(ctx, c.client, id, volumes.ExtendSizeOpts{NewSize: 2 + c.random.IntN(6)}).ExtractErr()
}

func (c *customer) attach(ctx context.Context) error {
	return c.attachWith(ctx, map[string]any{"initiator": c.initiator, "host": "compute1", "ip": "127.0.0.1"})
}

func (c *customer) reserve(ctx context.Context) error { return c.attachWith(ctx, nil) }

func (c *customer) attachWith(ctx context.Context, connector map[string]any) error {
	id, ok := c.pick(c.volumes)
	if !ok {
		return errNothingToDo
	}
	a, err := attachments.Create(ctx, c.client, attachments.CreateOpts{
		VolumeUUID: id, InstanceUUID: uuid.NewString(), Connector: connector}).Extract()
	if err == nil {
		c.attachments = append(c.attachments, a.ID)
	}
	return err
}

func (c *customer) complete(ctx context.Context) error {
	id, ok := c.pick(c.attachments)
	if !ok {
		return errNothingToDo
	}
	return attachments.Complete(ctx, c.client, id).ExtractErr()
}

// find looks for attachments of whose making the answer was lost or an error.
func (c *customer) find(ctx context.Context) error {
	id, ok := c.pick(c.volumes)
	if !ok {
		return errNothingToDo
	}
	page, err := attachments.List(c.client, attachments.ListOpts{VolumeID: id}).AllPages(ctx)
	if err != nil {
		return err
	}
	found, err := attachments.ExtractAttachments(page)
	for _, a := range found {
		c.attachments = append(without(c.attachments, a.ID), a.ID)
	}
	return err
}

func (c *customer) detach(ctx context.Context) error {
	id, ok := c.pick(c.attachments)
	if !ok {
		return errNothingToDo
	}
	err := attachments.Delete(ctx, c.client, id).ExtractErr()
	if err == nil || gophercloud.ResponseCodeIs(err, 404) {
		c.attachments = without(c.attachments, id)
	}
	return err
}

func (c *customer) delete(ctx context.Context) error {
	id, ok := c.pick(c.volumes)
	if !ok {
		return errNothingToDo
	}
	err := volumes.Delete(ctx, c.client, id, nil).ExtractErr()
	if err == nil || gophercloud.ResponseCodeIs(err, 404) {
		c.volumes = without(c.volumes, id)
	}
	return err
}

func (c *customer) pick(from []string) (string, bool) {
	if len(from) == 0 {
		return "", false
	}
	return from[c.random.IntN(len(from))], true
}

func without(all []string, one string) []string {
	return slices.DeleteFunc(all, func(s string) bool { return s == one })
}
