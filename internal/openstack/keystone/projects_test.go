package keystone

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"clinker/internal/fault"
)

func TestProjectExists(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.projects = map[string]int{"p1": http.StatusOK, "hidden": http.StatusForbidden, "broken": http.StatusInternalServerError}
	v := newValidator(t, f)
	for id, want := range map[string]bool{"p1": true, "hidden": true, "none": false, "a/../p1": false} {
		exists, err := v.ProjectExists(t.Context(), id)
		require.NoError(t, err, id)
		assert.Equal(t, want, exists, id)
	}
	_, err := v.ProjectExists(t.Context(), "broken")
	assert.Equal(t, fault.Unavailable, fault.CodeOf(err))
	assert.Equal(t, 1, f.logins)
}
