package carry

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"

	"clinker/internal/fault"
)

func TestConnectionOf(t *testing.T) {
	t.Parallel()
	good := map[string]any{"driver_volume_type": "iscsi", "target_iqn": "iqn.2010-10.org.openstack:volume-1",
		"target_portal": "[fd00::1]:3260", "target_lun": 1, "auth_method": "CHAP", "auth_username": "u", "auth_password": "p",
		"access_mode": "ro", "qos_specs": nil}
	c, err := connectionOf(good)
	if err != nil || !reflect.DeepEqual(c, Connection{IQN: "iqn.2010-10.org.openstack:volume-1", Portal: "[fd00::1]:3260", Portals: []string{"[fd00::1]:3260"}, LUN: 1, Username: "u", Password: "p", ReadOnly: true}) {
		t.Errorf("got %+v %v", c, err)
	}
	for key, values := range map[string][]any{
		"driver_volume_type": {"nvmeof", nil},
		"target_iqn":         {"", "volume-1", "iqn.2010-10.org:../../etc", "iqn.a b", 5},
		"target_portal":      {"", "10.0.0.1", "host:3260", "10.0.0.1:", "10.0.0.1:x", "--login"},
		"target_lun":         {-1, "x", 1.5},
		"auth_method":        {"", "None"},
		"auth_username":      {"", "a\nb", "a b", strings.Repeat("x", 256)},
		"auth_password":      {"", "a\nnode.startup = automatic"},
	} {
		for _, value := range values {
			bad := maps.Clone(good)
			bad[key] = value
			if _, err := connectionOf(bad); err == nil || fault.MessageOf(err) == "" {
				t.Errorf("%s=%v: got %v", key, value, err)
			}
		}
	}
	if _, err := connectionOf(nil); !fault.Is(err, fault.Unsupported) {
		t.Errorf("none: %v", err)
	}
}

func TestPasswordsPrintAsStars(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format, connection); strings.Contains(text, password) {
			t.Errorf("%s: %s", format, text)
		}
	}
}

func TestParseInitiatorName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"InitiatorName=iqn.1993-08.org.debian:01:abc\n":         "iqn.1993-08.org.debian:01:abc",
		"# InitiatorName=iqn.a\n InitiatorName= iqn.b \n":       "iqn.b",
		"GenerateName=yes\n":                                    "",
		"InitiatorName=\nInitiatorName=bad name\n":              "",
		"InitiatorName=iqn.1993-08.org.debian:01:abc # comment": "",
	} {
		if got := parseInitiatorName([]byte(text)); got != want {
			t.Errorf("%q: got %q", text, got)
		}
	}
}

func TestConnector(t *testing.T) {
	t.Parallel()
	m := newMachine(t, newService(t, nil))
	h := m.host()
	h.options.Connector = nil
	got, err := h.connector(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got["initiator"] != initiator || got["ip"] != "127.0.0.1" || got["host"] == "" || got["os_type"] != "linux" || got["multipath"] != false {
		t.Errorf("got %v", got)
	}
	m.gone("etc/iscsi")
	if _, err := h.connector(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "install open-iscsi") {
		t.Errorf("got %v", err)
	}
}

func TestSerial(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ page, serial string }{
		{page80(volumeID), volumeID},
		{"\x00\x80\x00\x04ab  ", "ab"},
		{"\x00\x80\x00\x02abcd", "ab"},
		{"\x00\x80\xff\xffab", "ab"},
		{"\x00\x83\x00\x02ab", ""},
		{"\x00\x80", ""},
		{"", ""},
	} {
		if got := parseSerial([]byte(c.page)); got != c.serial {
			t.Errorf("%q: got %q", c.page, got)
		}
	}
	for serial, want := range map[string]bool{volumeID: true, volumeID[:32]: true, volumeID[:31]: false, otherID: false, "": false, volumeID + "x": false} {
		if isSerialOf(serial, volumeID) != want {
			t.Errorf("%q", serial)
		}
	}
}

func FuzzSerial(f *testing.F) {
	f.Add([]byte(page80(volumeID)))
	f.Fuzz(func(t *testing.T, page []byte) {
		if serial := parseSerial(page); len(serial) > max(len(page)-4, 0) {
			t.Fatalf("%q from %q", serial, page)
		}
	})
}
