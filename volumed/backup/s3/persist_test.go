package s3_test

import (
	"crypto/md5"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"clinker/internal/fault"
	"clinker/volumed/backup"
	"clinker/volumed/backup/s3"
)

// of gives a driver of a service that answers with a function, and is there at once.
func of(t *testing.T, patience time.Duration, answer http.HandlerFunc) *s3.Driver {
	t.Helper()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead {
			answer(w, r)
		}
	}))
	t.Cleanup(service.Close)
	return opened(t, s3.Options{Endpoint: service.URL, Bucket: "bucket", AccessKey: "a", SecretKey: "b", Region: "us-east-1", Patience: patience})
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", code)
}

// object sends some of an object that has so many bytes, and ends the connection.
func object(w http.ResponseWriter, bytes int, some string) {
	w.Header().Set("Content-Length", fmt.Sprint(bytes))
	w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
	w.Header().Set("ETag", fmt.Sprintf("%x", md5.Sum([]byte(some))))
	fmt.Fprint(w, some)
	if len(some) == bytes {
		return
	}
	w.(http.Flusher).Flush()
	if connection, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = connection.Close()
	}
}

// TestCutShort: an object whose connection ends before it is whole is asked for again,
// and is no shorter object: that would be taken for a damaged one.
func TestCutShort(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	d := of(t, 10*time.Second, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			object(w, 8, "half")
		} else {
			object(w, 8, "half two")
		}
	})
	for _, room := range []int{8, 20} {
		asked.Store(0)
		if got, err := d.Get(t.Context(), "half", make([]byte, 0, room)); err != nil || string(got) != "half two" {
			t.Errorf("with room for %d bytes it gave %q, %v", room, got, err)
		}
	}
	d = of(t, 50*time.Millisecond, func(w http.ResponseWriter, _ *http.Request) { object(w, 8, "half") })
	if got, err := d.Get(t.Context(), "half", make([]byte, 0, 8)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("what is never whole gave %q, %v", got, err)
	}
}

// TestTooMuch: a service that asks for fewer requests gets them, for longer than its
// client tries by itself, and then what it was asked for.
func TestTooMuch(t *testing.T) {
	t.Parallel()
	refusals := map[string]func(http.ResponseWriter){
		"SlowDown": func(w http.ResponseWriter) { refuse(w, http.StatusServiceUnavailable, "SlowDown") },
		"429":      func(w http.ResponseWriter) { w.WriteHeader(http.StatusTooManyRequests) },
	}
	for what, ask := range map[string]func(*testing.T, *s3.Driver) error{
		"Put":    func(t *testing.T, d *s3.Driver) error { return d.Put(t.Context(), "a/b", []byte("all")) },
		"Delete": func(t *testing.T, d *s3.Driver) error { return d.Delete(t.Context(), []string{"a/b"}) },
		"Get": func(t *testing.T, d *s3.Driver) error {
			got, err := d.Get(t.Context(), "a/b", make([]byte, 0, 3))
			if string(got) != "all" {
				t.Errorf("got %q", got)
			}
			return err
		},
		"List": func(t *testing.T, d *s3.Driver) error {
			var keys []string
			err := d.List(t.Context(), "a", "", func(o backup.Object) bool { keys = append(keys, o.Key); return true })
			if !slices.Equal(keys, []string{"a/b"}) {
				t.Errorf("listed %q", keys)
			}
			return err
		},
	} {
		for name, refusal := range refusals {
			t.Run(what+name, func(t *testing.T) {
				t.Parallel()
				var asked atomic.Int32
				err := ask(t, of(t, 30*time.Second, func(w http.ResponseWriter, r *http.Request) {
					if asked.Add(1) < 8 {
						refusal(w)
						return
					}
					serve(w, r)
				}))
				if err != nil || asked.Load() != 8 {
					t.Errorf("%v after %d requests", err, asked.Load())
				}
			})
		}
	}
}

// serve answers as if there were the object a/b, which holds "all".
func serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Query().Has("list-type"):
		fmt.Fprint(w, "<ListBucketResult><Contents><Key>a/b</Key><Size>3</Size></Contents></ListBucketResult>")
	case r.Method == http.MethodGet:
		object(w, 3, "all")
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	}
}

// TestListGoesOn: a listing that is interrupted by too many requests visits nothing
// twice.
func TestListGoesOn(t *testing.T) {
	t.Parallel()
	var refused atomic.Int32
	d := of(t, 30*time.Second, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case q.Get("continuation-token") != "" && refused.Add(1) < 8:
			refuse(w, http.StatusServiceUnavailable, "SlowDown")
		case q.Get("continuation-token") != "" || q.Get("start-after") == "a/1":
			fmt.Fprint(w, "<ListBucketResult><Contents><Key>a/2</Key></Contents></ListBucketResult>")
		default:
			fmt.Fprint(w, "<ListBucketResult><Contents><Key>a/1</Key></Contents><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>")
		}
	})
	var keys []string
	err := d.List(t.Context(), "a", "", func(o backup.Object) bool { keys = append(keys, o.Key); return true })
	if err != nil || !slices.Equal(keys, []string{"a/1", "a/2"}) {
		t.Errorf("%q, %v", keys, err)
	}
}

// TestExplained: what the service refuses is said so that an operator knows where to
// look.
func TestExplained(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		code   string
		want   fault.Code
		says   string
	}{
		{http.StatusForbidden, "RequestTimeTooSkewed", fault.Forbidden, "RequestTimeTooSkewed"},
		{http.StatusBadRequest, "ExpiredToken", fault.Forbidden, "refuses this storage node: ExpiredToken"},
		{http.StatusNotFound, "NoSuchBucket", fault.Unavailable, "has no bucket bucket any more"},
		{http.StatusServiceUnavailable, "SlowDown", fault.Unavailable, "asks for fewer requests: SlowDown"},
		{http.StatusNotFound, "NoSuchKey", fault.NotFound, "no such object"},
	} {
		d := of(t, 50*time.Millisecond, func(w http.ResponseWriter, _ *http.Request) { refuse(w, c.status, c.code) })
		_, err := d.Get(t.Context(), "a/b", make([]byte, 0, 8))
		if !fault.Is(err, c.want) || !strings.Contains(fault.MessageOf(err), c.says) {
			t.Errorf("%s: %v", c.code, err)
		}
	}
}
