package s3_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"clinker/internal/direct"
	"clinker/volumed/backup/s3"
)

// TestMemoryIsGivenBack: a service that answers before it has all of an object is still
// sent the rest when Put has returned, out of memory that there is no more then.
func TestMemoryIsGivenBack(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut {
			return
		}
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer connection.Close()
		fmt.Fprint(connection, "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		_, _ = io.CopyN(io.Discard, connection, r.ContentLength) // unless the client has enough
	}))
	t.Cleanup(service.Close)
	d := opened(t, s3.Options{Endpoint: service.URL, Bucket: "bucket", AccessKey: "a", SecretKey: "b", Region: "us-east-1"})
	for range 20 {
		memory, free, err := direct.Mapped(16 << 20)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Put(t.Context(), "a/b", memory); err == nil {
			t.Error("it was refused, and stored")
		}
		free()
	}
}
