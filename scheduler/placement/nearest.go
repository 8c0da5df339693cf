package placement

import (
	"maps"
	"slices"
)

// nearest gives the key of the table that is least edits away from name.
func nearest[V any](table map[string]V, name string) string {
	best, least := "", 0
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if d := edits(name, key); best == "" || d < least {
			best, least = key, d
		}
	}
	return best
}

// edits is the Levenshtein distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
