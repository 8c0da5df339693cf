package backendtest

import (
	"path/filepath"

	"clinker/internal/fault"
)

func create(p *pool) {
	name := p.made(p.Unit)
	p.has(name, p.Unit)
	if entry, _ := p.listed(name); p.length(name) != entry.Bytes {
		p.Errorf("the device has %d bytes, List says %d", p.length(name), entry.Bytes)
	}
	path, err := p.Device(p.Context(), name)
	p.ok(err)
	if !filepath.IsAbs(path) {
		p.Errorf("the device's path is %q", path)
	}
	p.blank(name, 0, p.Unit)
	n := newPattern()
	p.write(name, n, 0, p.Unit)
	p.ok(p.Create(p.Context(), name, p.Unit))
	p.holds(name, n, 0, p.Unit)

	p.refused(p.Create(p.Context(), name, 2*p.Unit), fault.Conflict)
	p.refused(p.Create(p.Context(), name, p.Unit/2), fault.Conflict)
	if length := p.length(name); length != p.Unit {
		p.Errorf("the volume has %d bytes after the refusal, want %d", length, p.Unit)
	}
}
