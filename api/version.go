package api

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"clinker/internal/fault"
)

// Version is a microversion 3.n: its n.
type Version int

// The range served.
const (
	MinVersion Version = 0
	MaxVersion Version = 71
)

// String writes the version as the header has it.
func (v Version) String() string { return "3." + strconv.Itoa(int(v)) }

// versionHeader names the microversion of a request and of its answer.
const versionHeader = "OpenStack-API-Version"

var versionPattern = regexp.MustCompile(`^([1-9]\d*)\.([1-9]\d*|0)$`)

// unservedVersion is a well-formed version that is out of range. Cinder echoes
// it in the answer's header.
type unservedVersion struct {
	*fault.Fault
	asked string
}

func (u unservedVersion) Unwrap() error { return u.Fault }

// negotiate finds the version a request asks for: 3.0 without a header, the
// highest for "latest". Invalid for text that is no version, NotAccepted for a
// version that is not served.
func negotiate(header string) (Version, error) {
	if header == "" {
		return MinVersion, nil
	}
	asked, found := volumeVersion(header)
	if !found {
		return 0, fault.New(fault.Invalid, "The header %s must name the volume service, such as 'volume %s', but is '%s'.",
			versionHeader, MaxVersion, brief(strings.ToValidUTF8(header, "?")))
	}
	if asked == "latest" {
		return MaxVersion, nil
	}
	parts := versionPattern.FindStringSubmatch(asked)
	if parts == nil {
		return 0, fault.New(fault.Invalid, "API Version String %s is of invalid format. Must be of format MajorNum.MinorNum.", brief(strings.ToValidUTF8(asked, "?")))
	}
	minor, err := strconv.Atoi(parts[2])
	if err != nil || parts[1] != "3" || Version(minor) > MaxVersion {
		return 0, unservedVersion{fault.New(fault.NotAccepted,
			"Version %s is not supported by the API. Minimum is %s and maximum is %s.", brief(asked), MinVersion, MaxVersion), asked}
	}
	return Version(minor), nil
}

// askedVersion is what the request says of versions: several headers are one list.
func (c *Call) askedVersion() string {
	return strings.Join(c.request.Header.Values(versionHeader), ",")
}

// volumeVersion picks the volume service's entry of a list such as
// "compute 2.1, volume 3.27". Older clients call the service by its type in the
// catalog, volumev3, and Cinder takes every name that has volume in it.
func volumeVersion(header string) (string, bool) {
	for entry := range strings.SplitSeq(header, ",") {
		if fields := strings.Fields(entry); len(fields) == 2 && strings.Contains(fields[0], "volume") {
			return fields[1], true
		}
	}
	return "", false
}

// versionValue is the header's value in an answer.
func versionValue(v string) string { return fmt.Sprintf("volume %s", v) }
