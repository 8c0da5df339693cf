package volumed

import (
	"context"
	"log/slog"
	"strings"

	"clinker/volumed/backend"
	"clinker/volumed/target"
)

// tellUnknown warns, once of each, of the pool's volumes that are exported although the
// journal does not say so. They are left: when the journal was lost, servers are at work
// there, and a scheduler will soon have the exports made known again. When another program
// restored them after a boot, hosts may have access that have lost it since.
func (s *Server) tellUnknown(ctx context.Context, name string, p *pool, have map[string]target.Export) {
	unknown := s.unknown(p, have)
	if len(unknown) == 0 {
		return
	}
	stored, err := p.Storage.List(ctx)
	if err != nil {
		return
	}
	for _, e := range stored {
		if iqn, ok := unknown[e.Name]; ok {
			p.told[iqn] = true
			slog.WarnContext(ctx, "a volume is exported that this node was not told to export: has another program restored it, such as targetcli?", "pool", name, "target", iqn)
		}
	}
}

// unknown gives the targets, by the names of volumes, of exports that the journal does
// not know and that nobody was told of.
func (s *Server) unknown(p *pool, have map[string]target.Export) map[string]string {
	found := map[string]string{}
	for iqn := range have {
		volume := strings.TrimPrefix(iqn, p.IQNPrefix)
		id, ok := backend.VolumeID(volume)
		if !ok || p.told[iqn] {
			continue
		}
		// Asked now: the list may be older than a grant.
		if _, known, err := s.journal.Export(id); !known && err == nil {
			found[volume] = iqn
		}
	}
	return found
}
