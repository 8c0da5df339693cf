package volumed

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"clinker/volumed/backend"
	"clinker/volumed/target"
)

// tellUnknown warns, once of each, of the pool's volumes that are exported although the
// journal does not say so. They are left: when the journal was lost, servers are at work
// there, and a scheduler will soon have the exports made known again. When another program
// restored them after a boot, hosts may have access that have lost it since.
func (s *Server) tellUnknown(ctx context.Context, name string, p *pool, have map[string]target.Export) {
	for iqn := range have {
		volume := strings.TrimPrefix(iqn, p.IQNPrefix)
		id, ok := backend.VolumeID(volume)
		if !ok || p.told[iqn] {
			continue
		}
		// Asked now: the list may be older than a grant.
		if _, known, err := s.journal.Export(id); known || err != nil {
			continue
		}
		all, err := p.Storage.List(ctx)
		if err != nil || !slices.ContainsFunc(all, func(e backend.Entry) bool { return e.Name == volume }) {
			continue
		}
		p.told[iqn] = true
		slog.WarnContext(ctx, "a volume is exported that this node was not told to export: has another program restored it, such as targetcli?", "pool", name, "target", iqn)
	}
}
