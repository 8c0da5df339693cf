package target

import (
	"path/filepath"
	"regexp"
	"strings"

	"clinker/internal/fault"
)

// The shapes that all targets accept. They are narrower than the standards
// because the values become file names (configfs) and comma-separated words
// (tgtd): a slash, a comma or a line break in one of them must never get that far.
var (
	// RFC 3720 §3.2.6.3 and RFC 3722; the underscore is not in it, but hosts have it.
	iscsiName = regexp.MustCompile(`^(iqn|eui|naa)\.[A-Za-z0-9][A-Za-z0-9.:_-]*$`)
	targetIQN = regexp.MustCompile(`^iqn\.[A-Za-z0-9][A-Za-z0-9.:-]*$`)
	chapName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.:_@-]{0,254}$`)
	chapWord  = regexp.MustCompile(`^[!-+\x2d-~]{12,255}$`) // printable, no blank, no comma
	serialNo  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,35}$`)
)

// Check says what is wrong with an export before anything is touched; all
// implementations call it first. prefix is what the IQN must begin with.
// The errors are Invalid.
func (e Export) Check(prefix string) error {
	if err := CheckIQN(e.IQN, prefix); err != nil {
		return err
	}
	if !filepath.IsAbs(e.Device) || strings.ContainsAny(e.Device, ",\n\r\x00") {
		return fault.New(fault.Invalid, "device %q is not an absolute path without commas and line breaks", e.Device)
	}
	if !serialNo.MatchString(e.Serial) {
		return fault.New(fault.Invalid, "serial %q is not 1 to 36 letters, digits, dots, dashes and underscores", e.Serial)
	}
	initiators, users := map[string]bool{}, map[string]bool{}
	for _, g := range e.Grants {
		if err := g.check(); err != nil {
			return err
		}
		name := strings.ToLower(g.Initiator)
		if initiators[name] || users[g.Username] {
			return fault.New(fault.Invalid, "initiator %s or its username is granted twice", g.Initiator)
		}
		initiators[name], users[g.Username] = true, true
	}
	return nil
}

// CheckIQN says whether iqn is a target's name that begins with prefix. The
// error is Invalid.
func CheckIQN(iqn, prefix string) error {
	if len(iqn) > 223 || !targetIQN.MatchString(iqn) {
		return fault.New(fault.Invalid, "%q is no iSCSI target name", iqn)
	}
	if !strings.HasPrefix(iqn, prefix) {
		return fault.New(fault.Invalid, "target name %s does not begin with %s", iqn, prefix)
	}
	return nil
}

func (g Grant) check() error {
	if len(g.Initiator) > 223 || !iscsiName.MatchString(g.Initiator) {
		return fault.New(fault.Invalid, "initiator %q is no iSCSI name", g.Initiator)
	}
	if !chapName.MatchString(g.Username) {
		return fault.New(fault.Invalid, "username %q has characters that CHAP users cannot have here", g.Username)
	}
	if len(g.Username) > 1 && g.Username[0] == '0' && strings.ContainsRune("xXbB", rune(g.Username[1])) {
		return fault.New(fault.Invalid, "username %q begins as iSCSI's encoded values do (RFC 3720 §5.1)", g.Username)
	}
	if strings.HasPrefix(g.Username, "NULL") || strings.HasPrefix(string(g.Password), "NULL") {
		return fault.New(fault.Invalid, "username and password cannot begin with NULL, by which LIO means none")
	}
	// RFC 3720 §8.2.1 wants secrets of at least 96 bits.
	if !chapWord.MatchString(string(g.Password)) {
		return fault.New(fault.Invalid, "the password of username %s is not 12 to 255 printable characters without blanks and commas", g.Username)
	}
	return nil
}
