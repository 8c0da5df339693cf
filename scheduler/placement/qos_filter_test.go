package placement

import (
	"strings"
	"testing"
)

func TestQosFilter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		support string
		wanted  bool
		passes  bool
	}{
		{"", false, true}, {"False", false, true}, {"True", false, true},
		{"", true, false}, {"False", true, false}, {"True", true, true}, {"1", true, true},
	} {
		pool := Pool{Name: "a@lvm#vg", Capabilities: map[string]string{"QoS_support": c.support}}
		if reason := filters["QosFilter"](&Request{BackEndQos: c.wanted})(&pool); (reason == "") != c.passes {
			t.Errorf("%+v: %q", c, reason)
		}
	}
	limiting := Pool{Name: "a@lvm#vg", Capabilities: map[string]string{"QoS_support": "True"}}
	if reason := filters["QosFilter"](&Request{BackEndQos: true, UnkeptQos: "maxIOPS"})(&limiting); !strings.Contains(reason, "maxIOPS") {
		t.Errorf("another maker's key: %q", reason)
	}
	all, err := New(Options{Filters: []string{"QosFilter"}, Weighers: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	d := all.Place([]Pool{{Name: "a@lvm#vg", Up: true}}, Request{BackEndQos: true})
	if text := d.UserMessage(); text != "No pool can hold the volume: QosFilter refused 1 of 1 pool. "+hints["QosFilter"] {
		t.Error(text)
	}
}
