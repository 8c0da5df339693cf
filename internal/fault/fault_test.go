package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestCodeAndMessage(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk /dev/sdx")
	wrapped := fmt.Errorf("outer: %w", Wrap(cause, NoSpace, "no room for %d GiB", 3))
	if CodeOf(wrapped) != NoSpace || !Is(wrapped, NoSpace) || !errors.Is(wrapped, cause) {
		t.Errorf("the chain is broken: %v", wrapped)
	}
	if got := MessageOf(wrapped); got != "no room for 3 GiB" {
		t.Errorf("the message shows more than the sentence: %q", got)
	}
	if CodeOf(nil) != "" || CodeOf(cause) != Internal || MessageOf(cause) != "" {
		t.Error("what is no fault must be Internal and show nothing")
	}
}
