package db

import "testing"

// TestMessageWords: a message keeps the number of what it tells of, and each number
// means one thing, whichever file it stands in.
func TestMessageWords(t *testing.T) {
	t.Parallel()
	for _, words := range [][]MessageWord{messageActions, messageDetails} {
		meant := map[string]string{}
		for _, w := range words {
			if other, taken := meant[w.ID]; taken {
				t.Errorf("%s is both %q and %q", w.ID, other, w.Text)
			}
			meant[w.ID] = w.Text
		}
	}
}
