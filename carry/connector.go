package carry

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"clinker/internal/fault"
)

// rooted is a path under a root folder.
func rooted(root, path string) string { return filepath.Join(root, path) }

// connector describes this machine as os-brick does: the keys are Cinder's.
func (h *Host) connector(ctx context.Context) (map[string]any, error) {
	if h.options.Connector != nil {
		return h.options.Connector, nil
	}
	initiator, err := initiatorName(h.options.Root)
	if err != nil {
		return nil, err
	}
	name, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	ip, err := localAddress(ctx, h.cloud.Endpoint())
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"initiator":       initiator,
		"host":            name,
		"ip":              ip,
		"os_type":         runtime.GOOS,
		"platform":        platform(),
		"multipath":       false,
		"do_local_attach": false,
	}, nil
}

// initiatorName reads the name that iscsid logs in under.
func initiatorName(root string) (string, error) {
	const path = "/etc/iscsi/initiatorname.iscsi"
	text, err := os.ReadFile(rooted(root, path))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fault.Wrap(err, fault.Unavailable, "there is no %s: install open-iscsi", path)
	}
	if err != nil {
		return "", err
	}
	if name := parseInitiatorName(text); name != "" {
		return name, nil
	}
	return "", fault.New(fault.Unavailable, "%s has no InitiatorName= line: start open-iscsi once, it makes one", path)
}

// parseInitiatorName finds the name, or gives "" when there is none that iSCSI allows.
func parseInitiatorName(text []byte) string {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if name, found := strings.CutPrefix(strings.TrimSpace(lines.Text()), "InitiatorName="); found {
			if name = strings.TrimSpace(name); isISCSIName(name) {
				return name
			}
		}
	}
	return ""
}

// isISCSIName tells whether the text is a name after RFC 3720 §3.2.6; such a
// name is also safe as a file name and as an argument.
func isISCSIName(name string) bool {
	if len(name) > 223 || !(strings.HasPrefix(name, "iqn.") || strings.HasPrefix(name, "eui.") || strings.HasPrefix(name, "naa.")) {
		return false
	}
	for _, c := range name {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(".-:_", c)) {
			return false
		}
	}
	return true
}

// localAddress is the address this machine reaches the API from. Connecting
// a datagram socket sends nothing: the kernel only chooses the route.
func localAddress(ctx context.Context, endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", err
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "udp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return "", fault.Wrap(err, fault.Unavailable, "the block storage service cannot be reached")
	}
	defer conn.Close()
	host, _, err := net.SplitHostPort(conn.LocalAddr().String())
	return host, err
}

// platform is what uname -m would say.
func platform() string {
	switch runtime.GOARCH {
	case "amd64":
		return "x86_64"
	case "arm64":
		return "aarch64"
	}
	return runtime.GOARCH
}
