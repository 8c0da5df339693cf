package crash

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
)

// errNothingToDo is an act that found nothing to work on.
var errNothingToDo = errors.New("nothing to do")

// tally counts the answers, by act and by kind of answer.
type tally struct {
	mu      sync.Mutex
	counts  map[string]map[string]int
	unknown []string // answers that say nothing but that something went wrong
}

func (c *tally) add(act string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]map[string]int{}
	}
	if c.counts[act] == nil {
		c.counts[act] = map[string]int{}
	}
	c.counts[act][kind(err)]++
	if err != nil && strings.Contains(err.Error(), "unknown exception") {
		c.unknown = append(c.unknown, act+": "+err.Error())
	}
}

func kind(err error) string {
	var answer gophercloud.ErrUnexpectedResponseCode
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &answer):
		return fmt.Sprint(answer.Actual)
	}
	return "lost" // the API was killed, or did not run
}

// check shows the counts, and sees that the test has tested something.
func (c *tally) check(t *testing.T) {
	t.Helper()
	for _, act := range slices.Sorted(maps.Keys(c.counts)) {
		t.Logf("%-9s%v", act, c.counts[act])
		if c.counts[act]["ok"] < 3 {
			t.Errorf("%s never worked", act)
		}
	}
	for _, s := range c.unknown {
		t.Errorf("an answer without a reason: %s", s)
	}
}
