package db

import "testing"

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		consumer string
		specs    StringMap
		want     IOLimits
	}{
		{"", nil, IOLimits{}},
		{ConsumerFrontEnd, StringMap{"read_iops_sec": "5"}, IOLimits{}},
		{ConsumerBackEnd, StringMap{"read_iops_sec": "5", "write_bytes_sec": "7"}, IOLimits{ReadIopsSec: 5, WriteBytesSec: 7}},
		{ConsumerBoth, StringMap{"total_iops_sec": "5", "total_bytes_sec": "7"}, IOLimits{7, 7, 5, 5}},
		{ConsumerBackEnd, StringMap{"total_bytes_sec": "7", "read_bytes_sec": "9", "write_bytes_sec": "3"}, IOLimits{ReadBytesSec: 7, WriteBytesSec: 3}},
		{ConsumerBackEnd, StringMap{"read_iops_sec_per_gb": "10", "write_iops_sec_per_gb": "10", "write_iops_sec_max": "20"}, IOLimits{ReadIopsSec: 30, WriteIopsSec: 20}},
		{ConsumerBoth, StringMap{"read_iops_sec": "fast", "write_iops_sec": "0", "maxIOPS": "4", "total_iops_sec_max": "9"}, IOLimits{}},
	} {
		if got := (AttachOptions{Consumer: c.consumer, QosSpecs: c.specs}).Limits(3); got != c.want {
			t.Errorf("%s %v: %+v, want %+v", c.consumer, c.specs, got, c.want)
		}
	}
}

func TestUnkeptQos(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		specs StringMap
		want  string
	}{
		{nil, ""},
		{StringMap{"read_iops_sec": "5", "total_bytes_sec_per_gb": "1", "total_bytes_sec_max": "9", "total_bytes_sec_per_gb_min": "2"}, ""},
		{StringMap{"read_iops_sec": "5", "maxIOPS": "5"}, "maxIOPS"},
		{StringMap{"read_iops_sec": "fast"}, "read_iops_sec"},
		{StringMap{"read_iops_sec": "-1"}, "read_iops_sec"},
		{StringMap{"size_iops_sec": "4096"}, "size_iops_sec"},
	} {
		if got := (TypeSpecs{BackEndQos: c.specs}).UnkeptQos(); got != c.want {
			t.Errorf("%v: %q, want %q", c.specs, got, c.want)
		}
	}
}
