package s3_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/internal/fault"
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

// TestLongListing: a page of keys that does not end is not kept in memory.
func TestLongListing(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.Query().Has("list-type") {
			return
		}
		fmt.Fprint(w, `<ListBucketResult><IsTruncated>false</IsTruncated>`)
		entry := "<Contents><Key>c/" + strings.Repeat("k", 64<<10) + "</Key><Size>1</Size></Contents>"
		for range 10 << 20 / len(entry) {
			if _, err := fmt.Fprint(w, entry); err != nil {
				return
			}
		}
		fmt.Fprint(w, `</ListBucketResult>`)
	}))
	t.Cleanup(service.Close)
	d := opened(t, s3.Options{Endpoint: service.URL, Bucket: "bucket", AccessKey: "a", SecretKey: "b", Region: "us-east-1"})
	if err := d.List(t.Context(), "c", "", func(backup.Object) bool { return true }); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}

// TestNoConditions: a service that refuses If-None-Match takes a new object without.
func TestNoConditions(t *testing.T) {
	t.Parallel()
	var stored atomic.Bool
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut && r.Header.Get("If-None-Match") != "":
			w.WriteHeader(http.StatusNotImplemented)
			fmt.Fprint(w, `<Error><Code>NotImplemented</Code><Message>A header you provided implies functionality that is not implemented</Message></Error>`)
		case r.Method == http.MethodPut:
			stored.Store(true)
		case r.URL.Path != "/bucket/":
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(service.Close)
	d := opened(t, s3.Options{Endpoint: service.URL, Bucket: "bucket", AccessKey: "a", SecretKey: "b", Region: "us-east-1"})
	if err := d.Create(t.Context(), "a/b", []byte("new")); err != nil || !stored.Load() {
		t.Error(stored.Load(), err)
	}
}

// TestStalls: a service that takes no more bytes, or gives no more, is given up.
func TestStalls(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut:
			<-ended
		case r.URL.Path == "/bucket/half":
			w.Header().Set("Content-Length", "1000")
			w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
			fmt.Fprint(w, "half")
			w.(http.Flusher).Flush()
			<-ended
		}
	}))
	t.Cleanup(service.Close)
	t.Cleanup(func() { close(ended) })
	d := opened(t, s3.Options{Endpoint: service.URL, Bucket: "bucket", AccessKey: "a", SecretKey: "b", Region: "us-east-1", Patience: 50 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := d.Put(ctx, "a/b", make([]byte, 64<<20)); !fault.Is(err, fault.Unavailable) {
		t.Error("it takes nothing:", err)
	}
	if _, err := d.Get(ctx, "half", make([]byte, 0, 1000)); !fault.Is(err, fault.Unavailable) {
		t.Error("it gives half:", err)
	}
}
