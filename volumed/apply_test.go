package volumed

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"clinker/volumed/journal"
	"clinker/volumed/target"
)

// A host that is written with other capitals the second time is told to the target once,
// and may write when one of its attachments may.
func TestOneHostIsGrantedOnce(t *testing.T) {
	t.Parallel()
	p := &pool{Pool: Pool{IQNPrefix: "iqn.2010-10.org.openstack:"}}
	e := p.export(journal.Export{Volume: uuid.NewString(), Grants: []journal.Grant{
		{Attachment: "a", Initiator: "iqn.1993-08.org.debian:01:Host", Username: "u", Password: "p", ReadOnly: true},
		{Attachment: "b", Initiator: "iqn.1993-08.org.debian:01:host", Username: "u", Password: "p"},
	}}, "/dev/null")
	want := []target.Grant{{Initiator: "iqn.1993-08.org.debian:01:Host", Username: "u", Password: "p"}}
	if diff := cmp.Diff(want, e.Grants); diff != "" {
		t.Error(diff)
	}
}
