package tgt

import (
	"strconv"
	"strings"
)

// shownTarget is one target as tgtd lists it.
type shownTarget struct {
	id        int32
	name      string
	offline   bool
	sessions  int // at least as many as there are
	units     []shownUnit
	accounts  []string // in the order of the daemon's own list
	names     []string // initiators allowed by name
	addresses []string // initiators allowed by address

	// whole says that all parts of the entry came, once and in order. Text
	// that an initiator slipped in cannot add a part and leave this true.
	whole bool
}

// shownUnit is one logical unit of it.
type shownUnit struct {
	number   uint64
	serial   string
	megs     string // its size as tgtd rounds it; see roundedSize
	readOnly bool
	store    string // backing store type
	path     string
}

// The parts of an entry, in the daemon's order (tgt_target_show_all).
var parts = []string{"System information:", "I_T nexus information:", "LUN information:",
	"Account information:", "ACL information:"}

const (
	inSystem = iota
	inNexus
	inUnits
	inAccounts
	inRules
)

// parseTargets reads the answer to "show target". It never fails: entries
// that are not as they should be are not whole.
func parseTargets(text string) []shownTarget {
	var all []shownTarget
	part, inOrder := -1, true
	finish := func() {
		if n := len(all); n > 0 {
			all[n-1].whole = inOrder && part == inRules
		}
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		indent := len(line) - len(strings.TrimLeft(line, " "))
		word := line[indent:]
		if indent == 0 {
			if t, ok := parseHeading(word); ok {
				finish()
				all, part, inOrder = append(all, t), -1, true
			}
			continue
		}
		if len(all) == 0 {
			continue
		}
		if indent == 4 {
			part++
			inOrder = inOrder && part < len(parts) && word == parts[part]
			continue
		}
		all[len(all)-1].take(part, indent, word)
	}
	finish()
	return all
}

// parseHeading reads "Target 7: iqn…".
func parseHeading(line string) (shownTarget, bool) {
	rest, ok := strings.CutPrefix(line, "Target ")
	number, name, found := strings.Cut(rest, ": ")
	id, err := strconv.ParseInt(number, 10, 32)
	if !ok || !found || err != nil {
		return shownTarget{}, false
	}
	return shownTarget{id: int32(id), name: name}, true
}

// take reads one line within a part.
func (t *shownTarget) take(part, indent int, word string) {
	key, value, _ := strings.Cut(word, ": ")
	switch {
	case part == inSystem && key == "State":
		t.offline = value != "ready"
	case part == inNexus && key == "I_T nexus":
		t.sessions++
	case part == inUnits && indent == 8 && key == "LUN":
		number, _ := strconv.ParseUint(value, 10, 64)
		t.units = append(t.units, shownUnit{number: number})
	case part == inUnits && indent == 12 && len(t.units) > 0:
		t.units[len(t.units)-1].take(key, value)
	case part == inAccounts && indent == 8:
		t.accounts = append(t.accounts, word)
	case part == inRules && indent == 8 && isName(word):
		t.names = append(t.names, word)
	case part == inRules && indent == 8:
		t.addresses = append(t.addresses, word)
	}
}

func (u *shownUnit) take(key, value string) {
	switch key {
	case "SCSI SN":
		u.serial = value
	case "Size":
		u.megs, _, _ = strings.Cut(value, ",")
	case "Readonly":
		u.readOnly = value == "Yes"
	case "Backing store type":
		u.store = value
	case "Backing store path":
		u.path = value
	}
}

// unit finds a logical unit by its number.
func (t *shownTarget) unit(number uint64) (shownUnit, bool) {
	for _, u := range t.units {
		if u.number == number {
			return u, true
		}
	}
	return shownUnit{}, false
}

// isName tells an initiator's name from an address in a target's access rules,
// which tgtd lists together. An IPv6 address never begins with these letters
// and a dot.
func isName(rule string) bool {
	return strings.HasPrefix(rule, "iqn.") || strings.HasPrefix(rule, "eui.") || strings.HasPrefix(rule, "naa.")
}

// parseAccounts reads the answer to "show account".
func parseAccounts(text string) []string {
	var users []string
	for line := range strings.Lines(text) {
		if user, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "    "); ok {
			users = append(users, user)
		}
	}
	return users
}

// shownConnection is one connection of a session.
type shownConnection struct {
	sid       uint64
	cid       uint32
	initiator string
}

// parseConnections reads the answer to "show connection". All of it is the
// daemon's own but the initiator's name, which the access rules have matched.
func parseConnections(text string) []shownConnection {
	var all []shownConnection
	var sid uint64
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "Session":
			sid, _ = strconv.ParseUint(value, 10, 64)
		case "Connection":
			cid, _ := strconv.ParseUint(value, 10, 32)
			all = append(all, shownConnection{sid: sid, cid: uint32(cid)})
		case "Initiator":
			if len(all) > 0 {
				all[len(all)-1].initiator = value
			}
		}
	}
	return all
}

// parseReceived reads the bytes received from the answer to "statistics of
// connection": a line of headings, then one of numbers, the third of which it is.
func parseReceived(text string) (uint64, bool) {
	_, numbers, _ := strings.Cut(text, "\n")
	fields := strings.Fields(numbers)
	if len(fields) < 3 {
		return 0, false
	}
	n, err := strconv.ParseUint(fields[2], 10, 64)
	return n, err == nil
}

// parsePortals reads the answer to "show portal": address:port of each.
func parsePortals(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "Portal: ")
		portal, _, comma := strings.Cut(rest, ",")
		if ok && comma {
			all = append(all, portal)
		}
	}
	return all
}

// roundedSize gives a size in bytes as tgtd prints it (print_disksize in
// usr/target.c; the numbers are those of the kernel's old sd driver). tgtd tells
// sizes in no other way.
func roundedSize(bytes uint64) string {
	sectors := bytes / 512
	return strconv.FormatUint((sectors-(sectors/625-974))/1950, 10) + " MB"
}
