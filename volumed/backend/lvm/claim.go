package lvm

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"

	"clinker/volumed/backend"
)

// ownerTag begins the tag (lvm(8), "Tags") that says whose a volume group is; see
// backend.NotOurs.
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
		return backend.NotOurs("volume group "+g.name, strings.TrimPrefix(tags[i], ownerTag), owner, "vgchange --deltag "+tags[i]+" "+g.name)
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
