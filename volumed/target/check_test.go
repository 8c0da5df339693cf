package target

import (
	"fmt"
	"strings"
	"testing"

	"clinker/internal/fault"
)

func good() Export {
	return Export{
		IQN:    "iqn.2010-10.org.openstack:volume-1b4e28ba-2fa1-11d2-883f-0016d3cca427",
		Device: "/dev/vg0/volume-1b4e28ba",
		Serial: "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
		Grants: []Grant{{Initiator: "iqn.1993-08.org.debian:01:a1b2", Username: "u1", Password: "0123456789abcdef"}},
	}
}

func TestCheck(t *testing.T) {
	cases := map[string]struct {
		change func(*Export)
		says   string // "" when it must be accepted
	}{
		"as it should be":         {func(*Export) {}, ""},
		"no grants":               {func(e *Export) { e.Grants = nil }, ""},
		"underscore in initiator": {func(e *Export) { e.Grants[0].Initiator = "iqn.2001-01.org.x:my_host" }, ""},
		"slash in IQN":            {func(e *Export) { e.IQN = "iqn.2010-10.org.openstack:../x" }, "no iSCSI target name"},
		"strange prefix":          {func(e *Export) { e.IQN = "iqn.2003-01.org.linux-iscsi:x" }, "does not begin with"},
		"relative device":         {func(e *Export) { e.Device = "vg0/x" }, "absolute path"},
		"comma in device":         {func(e *Export) { e.Device = "/dev/a,bstype=sg" }, "absolute path"},
		"long serial":             {func(e *Export) { e.Serial = strings.Repeat("x", 37) }, "serial"},
		"slash in initiator":      {func(e *Export) { e.Grants[0].Initiator = "iqn.x/../../y" }, "no iSCSI name"},
		"dots only":               {func(e *Export) { e.Grants[0].Initiator = ".." }, "no iSCSI name"},
		"comma in username":       {func(e *Export) { e.Grants[0].Username = "a,password=b" }, "username"},
		"short password":          {func(e *Export) { e.Grants[0].Password = "short" }, "password of username"},
		"line break in password":  {func(e *Export) { e.Grants[0].Password = "0123456789\nabcdef" }, "password of username"},
		"comma in password":       {func(e *Export) { e.Grants[0].Password = "0123456789,abcdef" }, "password of username"},
		"username as base64":      {func(e *Export) { e.Grants[0].Username = "0b12" }, "encoded values"},
		"username as hex":         {func(e *Export) { e.Grants[0].Username = "0X12" }, "encoded values"},
		"password NULL":           {func(e *Export) { e.Grants[0].Password = "NULLNULLNULL" }, "begin with NULL"},
		"initiator twice": {func(e *Export) {
			g := e.Grants[0]
			g.Username = "u2"
			e.Grants = append(e.Grants, g)
		}, "granted twice"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			e := good()
			c.change(&e)
			err := e.Check("iqn.2010-10.org.openstack:")
			if c.says == "" && err != nil {
				t.Fatal(err)
			}
			if c.says != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says)) {
				t.Fatalf("got %v, want Invalid with %q", err, c.says)
			}
		})
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	e := good()
	e.Grants[0].Password = "short"
	for _, s := range []string{fmt.Sprintf("%v %+v %#v %s", e, e, e, e.Grants[0].Password), e.Check("").Error()} {
		if strings.Contains(s, "short") {
			t.Errorf("a password in %q", s)
		}
	}
}
