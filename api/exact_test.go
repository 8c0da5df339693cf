package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// What no schema has looked at is not read: neither fields whose names are
// written in other letters, nor what stands before under the same name.
func TestFieldsByTheLetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := strings.Repeat("n", 300)
	for _, body := range []string{
		`{"volume": {"size": 1, "SIZE": -5}}`,
		`{"volume": {"SIZE": 2, "size": 1, "Size": 3}}`,
		`{"volume": {"size": 1, "Name": "` + long + `"}}`,
		`{"volume": {"size": 1, "Snapshot_id": "` + missing + `"}}`,
		`{"volume": {"size": 1, "Metadata": {"` + long + `": "v"}}}`,
		`{"volume": {"size": 1, "metadata": {"` + long + `": "v"}, "metadata": {}}}`,
		`{"volume": {"size": 9, "name": "` + long + `"}, "volume": {"size": 1}}`,
		`{"volume": {"size": 1}, "OS-SCH-HNT:scheduler_hints": {"Same_host": 5}}`,
	} {
		made := w.do("member", "POST", "/v3/volumes", body).want(t, http.StatusAccepted)
		if fmt.Sprint(made.at("volume", "size"), made.at("volume", "name"), made.at("volume", "metadata")) != "1 <nil> map[]" {
			t.Errorf("%.80s: %s", body, made.body)
		}
	}
	w.do("admin", "PUT", "/v3/os-quota-sets/"+ownProject, `{"quota_set": {"volumes": -99}, "quota_set": {"gigabytes": 7}}`).want(t, http.StatusOK)
	if set := w.do("admin", "GET", "/v3/os-quota-sets/"+ownProject, ""); set.at("quota_set", "volumes") == float64(-99) {
		t.Error(set.body)
	}
}

// The connector that is kept names one host, also where it is written twice.
func TestConnectorByTheLetter(t *testing.T) {
	t.Parallel()
	from, err := parseConnector([]byte(`{"host": "h", "initiator": "iqn.a", "Initiator": "iqn.b", "HOST": 5}`))
	if err != nil || from.Host != "h" || from.Initiator != "iqn.a" {
		t.Errorf("%+v %v", from, err)
	}
	leaves, err := parseLeaving([]byte(`{"initiator": "iqn.a", "INITIATOR": "iqn.b"}`))
	if err != nil || leaves.Initiator != "iqn.a" {
		t.Errorf("%+v %v", leaves, err)
	}
}
