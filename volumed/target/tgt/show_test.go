package tgt

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const anchorName = anchorPrefix + "00112233445566778899aabbccddeeff"

// entry gives a target as tgtd 1.0.85 prints it; info is what it prints for
// the sessions.
func entry(id int, name, info string, accounts, rules []string) string {
	s := fmt.Sprintf("Target %d: %s\n    System information:\n        Driver: iscsi\n        State: ready\n"+
		"        nop_interval=10\n        nop_count=3\n    I_T nexus information:\n%s    LUN information:\n", id, name, info)
	s += unitText(0, "beaf10", "0 MB, Block size: 1", "null", "None")
	s += unitText(1, "11111111-2222", "67 MB, Block size: 512", "rdwr", "/srv/volume 1")
	s += "    Account information:\n"
	for _, a := range accounts {
		s += "        " + a + "\n"
	}
	s += "    ACL information:\n"
	for _, r := range rules {
		s += "        " + r + "\n"
	}
	return s
}

func unitText(n int, serial, size, store, path string) string {
	return fmt.Sprintf("        LUN: %d\n            Type: disk\n            SCSI ID: x\n            SCSI SN: %s\n"+
		"            Size: %s\n            Online: Yes\n            Readonly: No\n"+
		"            Backing store type: %s\n            Backing store path: %s\n            Backing store flags: \n",
		n, serial, size, store, path)
}

// nexus gives a session as tgtd prints it, with the alias that the initiator chose.
func nexus(n int, alias string) string {
	return fmt.Sprintf("        I_T nexus: %d\n            Initiator: iqn.1993-08.org.debian:01:a alias: %s\n"+
		"            Connection: 0\n                IP Address: 127.0.0.1\n", n, alias)
}

func TestParseTargets(t *testing.T) {
	text := entry(7, "iqn.2001-04.com.example:other", "", nil, []string{"ALL"}) +
		entry(1234567890, prefix+"volume-x", nexus(1, "none"), []string{anchorName, "u1"},
			[]string{"192.0.2.1", "iqn.1993-08.org.debian:01:a"})
	units := []shownUnit{{number: 0, serial: "beaf10", megs: "0 MB", store: "null", path: "None"},
		{number: 1, serial: "11111111-2222", megs: "67 MB", store: "rdwr", path: "/srv/volume 1"}}
	want := []shownTarget{
		{id: 7, name: "iqn.2001-04.com.example:other", units: units, addresses: []string{"ALL"}, whole: true},
		{id: 1234567890, name: prefix + "volume-x", sessions: 1, units: units, accounts: []string{anchorName, "u1"},
			names: []string{"iqn.1993-08.org.debian:01:a"}, addresses: []string{"192.0.2.1"}, whole: true},
	}
	if diff := cmp.Diff(want, parseTargets(text), cmp.AllowUnexported(shownTarget{}, shownUnit{})); diff != "" {
		t.Error(diff)
	}
}

// forged gives what the daemon says when an initiator of the second target of
// three has called itself so.
func forged(alias string) []shownTarget {
	return parseTargets(entry(3, prefix+"volume-a", nexus(1, "none"), []string{anchorName, "ua"}, []string{"iqn.2000-01.a:a"}) +
		entry(5, prefix+"volume-b", nexus(2, "none")+nexus(3, alias)+nexus(4, "none"),
			[]string{anchorName, "ub"}, []string{"iqn.2000-01.b:b"}) +
		entry(9, prefix+"volume-c", nexus(5, "none"), []string{anchorName, "uc"}, []string{"iqn.2000-01.c:c"}))
}

// forgedAccounts are the daemon's own at that time.
var forgedAccounts = []string{anchorName, "ua", "ub", "uc"}

// emptyRest ends an entry before its truth, as one that has nothing yet.
const emptyRest = "\n    LUN information:\n    Account information:\n    ACL information:\n"

// TestLiarIsBlamed: who ends its own target's entry early, and has what follows
// count as another's, is found out, and nobody else.
func TestLiarIsBlamed(t *testing.T) {
	anchor := func(name string) string {
		return "\n    LUN information:\n" + unitText(1, "s", "1 MB", "rdwr", "/srv/volume 1") + "    Account information:\n        " +
			name + "\n    ACL information:\n        iqn.2000-01.evil:e\nTarget 77: iqn.other:x\n"
	}
	for name, alias := range map[string]string{
		"another's number":      emptyRest + "Target 3: " + prefix + "volume-a\n",
		"another's name":        emptyRest + "Target 77: " + prefix + "volume-c\n",
		"nobody's":              emptyRest + "Target 77: iqn.other:x\n",
		"an anchor made up":     anchor(anchorPrefix + "ffffffffffffffffffffffffffffffff"),
		"an anchor's beginning": anchor(anchorPrefix),
		"an account of its own": anchor("ub"),
	} {
		if s, wrong := judge(forged(alias), forgedAccounts, prefix); wrong == nil {
			t.Errorf("%s: believed: %+v", name, s.targets)
		} else if wrong.id != 5 {
			t.Errorf("%s: target %d is blamed", name, wrong.id)
		}
	}
}

// believes fails unless of a forged alias all that is believed is true, or the
// liar's own target is blamed.
func believes(t rapid.TB, alias string) {
	got, wrong := judge(forged(alias), forgedAccounts, prefix)
	if wrong != nil {
		if wrong.id != 5 {
			t.Fatalf("target %d is blamed", wrong.id)
		}
		return
	}
	honest, _ := judge(forged("none"), forgedAccounts, prefix)
	for _, g := range got.targets {
		h := honest.find(g.name)
		if h == nil {
			if !begun(&g) || honest.ids[g.id] {
				t.Fatalf("believed: %+v", g)
			}
			continue
		}
		same := *h
		same.sessions, g.sessions = 0, 0
		if diff := cmp.Diff(same, g, cmp.AllowUnexported(shownTarget{}, shownUnit{})); diff != "" {
			t.Fatalf("%s", diff)
		}
	}
}

// TestForgedAlias: whatever an initiator calls itself, nothing that is believed
// differs from the truth, and if something is found wrong it is its own target.
func TestForgedAlias(t *testing.T) {
	if honest, wrong := judge(forged("none"), forgedAccounts, prefix); wrong != nil || len(honest.targets) != 3 {
		t.Fatalf("the truth is not believed: %+v", wrong)
	}
	scraps := []string{"\n", "x", "    LUN information:\n", "    I_T nexus information:\n", "    System information:\n",
		"    Account information:\n", "    ACL information:\n", "        " + anchorPrefix + "\n",
		"        iqn.2000-01.evil:e\n", "Target 5: " + prefix + "volume-b\n", "Target 3: " + prefix + "volume-a\n",
		"Target 4: " + prefix + "volume-a\n", "Target 77: " + prefix + "volume-z\n", "Target 78: iqn.other:x\n",
		entry(6, prefix+"volume-y", "", nil, nil), entry(9, prefix+"volume-c", nexus(5, "none"), []string{"uc"}, nil),
		emptyRest, "\n    LUN information:\n    Account information:\n        " + anchorPrefix + "0\n",
		unitText(1, "s", "1 MB", "rdwr", "/etc/shadow"), "        I_T nexus: 9\n", "        State: offline\n"}
	rapid.Check(t, func(t *rapid.T) {
		believes(t, strings.Join(rapid.SliceOfN(rapid.SampledFrom(scraps), 0, 8).Draw(t, "alias"), ""))
	})
}

// FuzzAlias is the same of any bytes.
func FuzzAlias(f *testing.F) {
	f.Add("none")
	f.Add(emptyRest + "Target 3: " + prefix + "volume-a\n")
	f.Add("\n    LUN information:\n    Account information:\n        " + anchorPrefix + "0\n    ACL information:\n        iqn.2000-01.evil:e\nTarget 78: iqn.other:x\n")
	f.Fuzz(func(t *testing.T, alias string) { believes(t, alias) })
}

func TestRoundedSize(t *testing.T) {
	// As tgtd 1.0.85 printed them.
	for size, want := range map[uint64]string{0: "0 MB", 64 << 20: "67 MB", 1 << 30: "1074 MB"} {
		if got := roundedSize(size); got != want {
			t.Errorf("%d bytes: %q, want %q", size, got, want)
		}
	}
}

func TestParseOthers(t *testing.T) {
	check := func(got, want any) {
		t.Helper()
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(shownConnection{})); diff != "" {
			t.Error(diff)
		}
	}
	check(parseAccounts("Account list:\n    b\n    a\n"), []string{"b", "a"})
	check(parsePortals("Portal: 127.0.0.1:42503,1\nPortal: [::1]:3260,1\n"), []string{"127.0.0.1:42503", "[::1]:3260"})
	check(parseConnections("Session: 3\n    Connection: 1\n        Initiator: iqn.x:a\n        IP Address: ::1\n"),
		[]shownConnection{{sid: 3, cid: 1, initiator: "iqn.x:a"}})
	n, ok := parseReceived("sid cid rxdata_octets txdata_octets\n  1   0          1228          1676\n")
	check(ok, true)
	check(n, uint64(1228))
}

func FuzzParse(f *testing.F) {
	f.Add(entry(5, prefix+"volume-b", nexus(2, "none"), []string{anchorName, "ub"}, []string{"iqn.2000-01.b:b", "ALL"}))
	f.Add("Account list:\n    b\nPortal: 127.0.0.1:1,1\nSession: 3\n    Connection: 1\n        Initiator: iqn.x:a\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range parseTargets(text) {
			if s.whole && strings.Count(text, "    ACL information:") == 0 {
				t.Errorf("an entry without its last part counts as whole: %+v", s)
			}
		}
		s, wrong := judge(parseTargets(text), parseAccounts(text), prefix)
		if wrong == nil {
			for _, e := range s.targets {
				s.export(e)
			}
		}
		parseConnections(text)
		parsePortals(text)
		parseReceived(text)
	})
}
