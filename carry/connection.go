package carry

import (
	"encoding/json"
	"log/slog"
	"net"
	"slices"
	"strings"

	"clinker/internal/fault"
)

// Connection is how to log in to the target of one attachment.
type Connection struct {
	IQN      string
	Portal   string   // address:port
	Portals  []string // all at which the target is to be had; Portal among them
	LUN      int
	Username string
	Password secret
	ReadOnly bool

	Encrypted bool // by whoever attaches it
}

// secret is a password; it prints as stars.
type secret string

// String hides the secret from logs and error texts.
func (secret) String() string { return "***" }

// GoString hides the secret from %#v.
func (secret) GoString() string { return `"***"` }

// LogValue hides the secret from slog.
func (s secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// connectionOf reads an attachment's connection_info. Whatever goes from here
// into arguments, file names and open-iscsi's records is checked here.
func connectionOf(info map[string]any) (Connection, error) {
	text, err := json.Marshal(info)
	if err != nil {
		return Connection{}, err
	}
	var data struct {
		Driver   string   `json:"driver_volume_type"`
		IQN      string   `json:"target_iqn"`
		Portal   string   `json:"target_portal"`
		Portals  []string `json:"target_portals"`
		LUN      int      `json:"target_lun"`
		Method   string   `json:"auth_method"`
		Username string   `json:"auth_username"`
		Password string   `json:"auth_password"`
		Access   string   `json:"access_mode"`
		Secret   bool     `json:"encrypted"`
	}
	if err := json.Unmarshal(text, &data); err != nil {
		return Connection{}, fault.New(fault.Internal, "the attachment's connection_info is not that of an iSCSI target")
	}
	c := Connection{IQN: data.IQN, Portal: data.Portal, Portals: portalsOf(data.Portal, data.Portals), LUN: data.LUN,
		Username: data.Username, Password: secret(data.Password), ReadOnly: data.Access == "ro", Encrypted: data.Secret}
	if data.Driver != "iscsi" {
		return Connection{}, fault.New(fault.Unsupported, "the volume is served over %q; this machine can attach iscsi only", data.Driver)
	}
	return c, c.check(data.Method)
}

// portalsOf puts the portal that is meant for one path before the others.
func portalsOf(first string, all []string) []string {
	return append([]string{first}, slices.DeleteFunc(all, func(p string) bool { return p == first })...)
}

func (c Connection) check(method string) error {
	if !isISCSIName(c.IQN) {
		return fault.New(fault.Internal, "connection_info has no valid target_iqn")
	}
	for _, portal := range c.Portals {
		if err := checkPortal(portal); err != nil {
			return err
		}
	}
	switch {
	case c.LUN < 0:
		return fault.New(fault.Internal, "connection_info has a negative target_lun")
	case method != "CHAP" || c.Username == "" || c.Password == "":
		return fault.New(fault.Unsupported, "connection_info has no CHAP username and password")
	case !printable(c.Username) || !printable(string(c.Password)):
		return fault.New(fault.Internal, "connection_info's username or password holds a character that open-iscsi cannot keep")
	}
	return nil
}

func checkPortal(portal string) error {
	host, port, err := net.SplitHostPort(portal)
	switch {
	case err != nil || net.ParseIP(host) == nil || port == "":
		return fault.New(fault.Internal, "connection_info has no valid target_portal: an address and a port are expected")
	case strings.Trim(port, "0123456789") != "":
		return fault.New(fault.Internal, "connection_info has no valid target_portal: the port is no number")
	}
	return nil
}

// printable text without blanks survives open-iscsi's record format.
func printable(s string) bool {
	return len(s) < 256 && strings.IndexFunc(s, func(c rune) bool { return c <= ' ' || c > '~' }) < 0
}
