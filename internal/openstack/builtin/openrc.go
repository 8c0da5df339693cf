package builtin

import (
	"fmt"
	"io"
	"strings"
)

// volumeAPIVersion is what an openrc asks of the openstack CLI: the highest
// microversion at which every volume command of release 6.0 works. Without it
// the attachment commands refuse; from 3.66 on, that release's snapshot create
// sends a field the API forbids.
const volumeAPIVersion = "3.65"

// Openrc writes a file to be sourced by a shell: what the openstack CLI needs to
// be the account at authURL (which ends in /v3). It holds the password: give it
// mode 0600. There is no OS_AUTH_TYPE: without one all clients take password, and
// with one the cinder client takes OS_DOMAIN_NAME for a second scope and refuses.
func Openrc(w io.Writer, authURL, region string, a Account) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# The openstack client as user %s in project %s of Clinker's built-in identity.\n",
		oneLine(a.User), oneLine(a.Project))
	b.WriteString("for v in $(env | sed -n 's/^\\(OS_[A-Za-z0-9_]*\\)=.*/\\1/p'); do unset \"$v\"; done; unset v\n")
	for _, kv := range [][2]string{
		{"OS_AUTH_URL", authURL},
		{"OS_IDENTITY_API_VERSION", "3"},
		{"OS_USERNAME", a.User},
		{"OS_PASSWORD", a.Password},
		{"OS_PROJECT_NAME", a.Project},
		{"OS_DOMAIN_NAME", DomainName}, // gophercloud knows only this one; the CLI takes it as a default
		{"OS_USER_DOMAIN_NAME", DomainName},
		{"OS_PROJECT_DOMAIN_NAME", DomainName},
		{"OS_REGION_NAME", region},
		{"OS_INTERFACE", "public"},
		{"OS_VOLUME_API_VERSION", volumeAPIVersion},
	} {
		fmt.Fprintf(&b, "export %s=%s\n", kv[0], quote(kv[1]))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// quote makes one word of a POSIX shell out of any text.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func oneLine(s string) string { return strings.NewReplacer("\n", " ", "\r", " ").Replace(s) }
