package telemetry

import (
	"errors"
	"testing"
)

func TestTrouble(t *testing.T) {
	t.Parallel()
	away, other := errors.New("away"), errors.New("other")
	var trouble Trouble
	for i, step := range []struct {
		err  error
		want bool
	}{{nil, false}, {away, true}, {away, false}, {other, true}, {other, false}, {nil, true}, {nil, false}, {away, true}} {
		if got := trouble.Turned(step.err); got != step.want {
			t.Errorf("try %d, %v: %v", i, step.err, got)
		}
	}
}
