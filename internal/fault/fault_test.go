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

func TestErrorSaysNothingTwice(t *testing.T) {
	t.Parallel()
	inner := Wrap(errors.New("exit status 5"), Internal, "the node could not do it")
	for want, err := range map[string]error{
		"no room: exit status 5":                  Wrap(inner.Cause, NoSpace, "no room"),
		"the node could not do it: exit status 5": Wrap(inner, Internal, "the node could not do it"),
		"the node could not do it":                New(Internal, "the node could not do it"),
	} {
		if err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
}
