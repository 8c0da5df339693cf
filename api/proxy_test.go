package api

import (
	"net/http/httptest"
	"testing"
)

// TestLinksBehindAProxy: of what a proxy says, links follow the host always, and scheme
// and path where the configuration believes them.
func TestLinksBehindAProxy(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		believed bool
		public   string
		want     string
	}{
		"not believed":       {false, "", "http://cloud.example/v3/volumes/"},
		"believed":           {true, "", "https://cloud.example/volume/v3/volumes/"},
		"configured instead": {true, "https://volumes.example/v3", "https://volumes.example/v3/volumes/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(o *Options) { o.PublicEndpoint, o.ProxyHeaders = test.public, test.believed })
			id := w.volume("member", "")
			r := httptest.NewRequest("GET", "/v3/volumes/"+id, nil)
			r.Header.Set("X-Auth-Token", "member")
			r.Header.Set("X-Forwarded-Proto", "https")
			r.Header.Set("X-Forwarded-Host", "cloud.example, inner.example")
			r.Header.Set("X-Forwarded-Prefix", "/volume/")
			if got := w.send(r).want(t, 200).at("volume", "links", 0, "href"); got != test.want+id {
				t.Errorf("the link is %v, not %s%s", got, test.want, id)
			}
		})
	}
}
