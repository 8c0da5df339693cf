package volumed

import (
	"context"
	"slices"
	"strings"

	"clinker/volumed/journal"
	"clinker/volumed/rpc"
	"clinker/volumed/target"
)

// Exports implements rpc.Volumed.
func (s *Server) Exports(ctx context.Context, poolName string) ([]*rpc.Export, error) {
	p, err := s.pool(poolName)
	if err != nil {
		return nil, err
	}
	wanted, err := s.journal.Exports()
	if err != nil {
		return nil, err
	}
	have, err := p.listed(ctx)
	if err != nil {
		return nil, err
	}
	all := []*rpc.Export{}
	for _, e := range wanted {
		if e.Pool != poolName {
			continue
		}
		for _, g := range e.Grants {
			all = append(all, &rpc.Export{
				VolumeID:     e.Volume,
				AttachmentID: g.Attachment,
				Initiator:    g.Initiator,
				Username:     g.Username,
				Generation:   g.Generation,
				Present:      has(have[p.iqn(e.Volume)], g),
			})
		}
	}
	return all, nil
}

// listed gives what the pool's target exports at this moment, by IQN.
func (p *pool) listed(ctx context.Context) (map[string]target.Export, error) {
	list, err := p.Target.List(ctx)
	if err != nil {
		return nil, err
	}
	byIQN := make(map[string]target.Export, len(list))
	for _, e := range list {
		byIQN[e.IQN] = e
	}
	return byIQN, nil
}

// has tells whether a target lets a grant's initiator in under its username.
// Initiator and username are looked for one by one: tgt cannot tell which
// belongs to which.
func has(have target.Export, g journal.Grant) bool {
	named := slices.ContainsFunc(have.Grants, func(h target.Grant) bool { return h.Username == g.Username })
	return named && slices.ContainsFunc(have.Grants, func(h target.Grant) bool { return strings.EqualFold(h.Initiator, g.Initiator) })
}

// drifted tells whether a target is not as the journal wants it.
func (p *pool) drifted(e journal.Export, have map[string]target.Export) bool {
	there, ok := have[p.iqn(e.Volume)]
	if len(e.Grants) == 0 || !ok {
		return true // what is without grants is in the journal because it must go
	}
	writable := map[string]bool{}
	for _, h := range there.Grants {
		writable[strings.ToLower(h.Initiator)] = !h.ReadOnly
	}
	for _, g := range e.Grants {
		if !has(there, g) || writable[strings.ToLower(g.Initiator)] == readOnly(e, g.Initiator) {
			return true
		}
	}
	return len(there.Grants) != len(p.export(e, "").Grants)
}
