package backendtest

import (
	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// capacity follows the sums through a volume's life. What a backend changed
// itself it must count at once.
func capacity(p *pool) {
	ctx, start := p.Context(), p.capacity()
	p.agrees()
	name := p.made(p.Unit)
	made := p.agrees()
	if made.LiveBytes != start.LiveBytes+p.Unit {
		p.Errorf("a volume of %d bytes raised LiveBytes by %d", p.Unit, made.LiveBytes-start.LiveBytes)
	}
	if made.ProvisionedBytes != start.ProvisionedBytes+p.Unit {
		p.Errorf("a volume of %d bytes raised ProvisionedBytes by %d", p.Unit, made.ProvisionedBytes-start.ProvisionedBytes)
	}
	if !made.Thin && made.FreeBytes != start.FreeBytes-p.Unit {
		p.Errorf("a volume of %d bytes lowered FreeBytes by %d", p.Unit, start.FreeBytes-made.FreeBytes)
	}
	p.ok(p.Extend(ctx, name, 2*p.Unit))
	if c := p.agrees(); c.LiveBytes != start.LiveBytes+2*p.Unit {
		p.Errorf("extended to %d bytes it adds %d to LiveBytes", 2*p.Unit, c.LiveBytes-start.LiveBytes)
	}
	p.ok(p.Delete(ctx, name))
	deleted := p.agrees()
	if deleted.LiveBytes != start.LiveBytes {
		p.Errorf("LiveBytes is %d after the deletion, was %d before", deleted.LiveBytes, start.LiveBytes)
	}
	var trash int64
	for _, entry := range p.trashed() {
		trash += entry.Bytes
	}
	if deleted.ProvisionedBytes != start.ProvisionedBytes+trash {
		p.Errorf("ProvisionedBytes has %d of the %d bytes to be wiped", deleted.ProvisionedBytes-start.ProvisionedBytes, trash)
	}
	p.gone(name)
	if end := p.agrees(); end.ProvisionedBytes != start.ProvisionedBytes {
		p.Errorf("ProvisionedBytes is %d at the end, was %d", end.ProvisionedBytes, start.ProvisionedBytes)
	}
}

// noSpace asks for more than there is.
func noSpace(p *pool) {
	before := p.capacity()
	if before.Thin {
		return // more may be promised than there is
	}
	ctx, name, large := p.Context(), p.made(p.Unit), p.volume()
	p.refused(p.Create(ctx, large, before.FreeBytes+p.Unit), fault.NoSpace)
	p.hasNot(large)
	p.refused(p.Extend(ctx, name, before.FreeBytes+2*p.Unit), fault.NoSpace)
	p.refused(p.Clone(ctx, name, large, before.FreeBytes+p.Unit, silent), fault.NoSpace)
	p.hasNot(large)
	if length := p.length(name); length != p.Unit {
		p.Errorf("the volume has %d bytes after the refusal, want %d", length, p.Unit)
	}
	p.gone(name, large)
	if after := p.capacity(); after.FreeBytes != before.FreeBytes {
		p.Errorf("%d bytes are free after the refusals, %d were before", after.FreeBytes, before.FreeBytes)
	}
}

// agrees checks that Capacity and List tell the same story.
func (p *pool) agrees() (c backend.Capacity) {
	p.Helper()
	c = p.capacity()
	entries, err := p.List(p.Context())
	p.ok(err)
	var live int64
	for i, entry := range entries {
		live += entry.Bytes
		if i > 0 && entries[i-1].Name >= entry.Name {
			p.Errorf("List is not in the order of names: %q, %q", entries[i-1].Name, entry.Name)
		}
	}
	if c.LiveBytes != live {
		p.Errorf("LiveBytes is %d, List adds up to %d", c.LiveBytes, live)
	}
	if c.FreeBytes < 0 || c.FreeBytes > c.TotalBytes || c.LiveBytes > c.ProvisionedBytes {
		p.Errorf("these cannot be: %+v", c)
	}
	if !c.Thin && c.ProvisionedBytes+c.FreeBytes != c.TotalBytes {
		p.Errorf("in a thick pool what is provisioned and what is free make the total: %+v", c)
	}
	return c
}
