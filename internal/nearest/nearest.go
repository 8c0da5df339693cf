// Package nearest finds the name that was meant by a name that is not known,
// for a sentence that ends in "did you mean …?". It only ever suggests; nothing
// may act on its answer.
package nearest

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// longest is the longest name looked at, in bytes; the distance costs its square.
const longest = 100

// To gives the one of names that is fewest edits away, the first in the
// alphabet among equals, or "" when none is near enough to be meant: a third
// of the letters, at least two.
func To(name string, names []string) string {
	if len(name) > longest {
		return ""
	}
	best, least := "", max(2, len(name)/3)+1
	for _, n := range slices.Sorted(slices.Values(names)) {
		if d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(n)); d < least {
			best, least = n, d
		}
	}
	return best
}
