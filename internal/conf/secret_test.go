package conf

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
)

// optionLine is an option as the sample writes it: commented out.
var optionLine = regexp.MustCompile(`(?m)^#(\w+ =)`)

func TestSecretIsNotShown(t *testing.T) {
	t.Parallel()
	holder := struct{ Password Secret }{"hunter2"}
	var out strings.Builder
	fmt.Fprintf(&out, "%v %+v %#v %s %q", holder, holder, holder, holder.Password, holder.Password)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "p", holder.Password, "h", holder)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "p", holder.Password, "h", holder)
	if err := json.NewEncoder(&out).Encode(holder); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "hunter2") {
		t.Errorf("the secret shows: %s", out.String())
	}
	if holder.Password.Reveal() != "hunter2" || Secret("").String() != "" {
		t.Error("Reveal or the empty secret is wrong")
	}
}
