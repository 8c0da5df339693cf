package lvm

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"

	"clinker/internal/fault"
)

// ownerTag begins the tag (lvm(8), "Tags") that says whose a volume group is: two nodes
// that served one would each take the other's volumes for remains.
const ownerTag = "clinker.node="

// notInTags are the characters of a name that stand in a tag as =XX.
var notInTags = regexp.MustCompile(`[^A-Za-z0-9_+.-]`)

func tagOf(owner string) string {
	return ownerTag + notInTags.ReplaceAllStringFunc(owner, func(c string) string { return fmt.Sprintf("=%X", c) })
}

// claim makes the volume group the owner's, unless it is already. Invalid when it is
// another's. It may be repeated.
func (g *group) claim(ctx context.Context, tags []string, owner string) error {
	mine := tagOf(owner)
	i := slices.IndexFunc(tags, func(tag string) bool { return strings.HasPrefix(tag, ownerTag) && tag != mine })
	if i >= 0 {
		return fault.New(fault.Invalid, "volume group %s is served by the storage node %s, and this one is %s (host, or backend_host): two that serve one destroy each other's volumes; "+
			"if that one is no more, vgchange --deltag %s %s", g.name, strings.TrimPrefix(tags[i], ownerTag), owner, tags[i], g.name)
	}
	if slices.Contains(tags, mine) {
		return nil
	}
	if err := g.change(ctx, "vgchange", "--addtag", mine, g.name); err != nil {
		slog.WarnContext(ctx, "the volume group cannot be marked as this node's, and another could serve it, too", "group", g.name, "error", err)
		return nil
	}
	whole, err := g.readGroup(ctx)
	if err != nil {
		return err
	}
	return g.claim(ctx, whole.tags, owner) // somebody else may have at the same time
}
