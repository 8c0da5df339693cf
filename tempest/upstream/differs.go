//go:build tempest

package upstream

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// differs are tests that want what Clinker does otherwise on purpose, with why.
// They are not run: when they fail they wait minutes for what will not come.
var differs = map[string]string{
	"cinder_tempest_plugin.api.volume.test_volume_revert.VolumeRevertTests.test_volume_revert_to_snapshot_after_extended_negative": "" +
		"wants a refusal to revert a volume that was extended since its snapshot; Clinker reverts it, and it keeps its size",
}

// differing is a regular expression of their ids.
func differing() string {
	var all []string
	for _, id := range slices.Sorted(maps.Keys(differs)) {
		all = append(all, regexp.QuoteMeta(id)+`(\[|$)`)
	}
	return strings.Join(all, "|")
}

// differences lists them, with why.
func differences() string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(differs)) {
		fmt.Fprintf(&b, "left out  %s\n      %s\n", id, differs[id])
	}
	return b.String()
}
