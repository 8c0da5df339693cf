package s3_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"clinker/volumed/backup"
	"clinker/volumed/backup/s3"
)

// TestHostileListing: a service that lists what was not asked for gives nothing that
// would be taken away, or cut where it is too short.
func TestHostileListing(t *testing.T) {
	t.Parallel()
	place := backup.Place{ID: uuid.NewString(), Container: "c"}
	folder := place.Container + "/data/" + place.ID
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.Query().Has("list-type") {
			return
		}
		fmt.Fprint(w, `<ListBucketResult><IsTruncated>false</IsTruncated>`)
		for _, key := range []string{"x", folder, folder + "/", folder + "/below/one", "another/" + strings.Repeat("0", 64), folder + "/good"} {
			fmt.Fprintf(w, `<Contents><Key>%s</Key><Size>1</Size></Contents>`, key)
		}
		fmt.Fprint(w, `</ListBucketResult>`)
	}))
	t.Cleanup(service.Close)
	d := opened(t, s3.Options{Endpoint: service.URL, Bucket: "bucket", AccessKey: "a", SecretKey: "b", Region: "us-east-1"})
	var keys []string
	err := d.List(t.Context(), folder, "", func(o backup.Object) bool {
		keys = append(keys, o.Key)
		return true
	})
	if err != nil || !slices.Equal(keys, []string{folder + "/good"}) {
		t.Errorf("%q, %v", keys, err)
	}
}
