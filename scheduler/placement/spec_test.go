package placement

import "testing"

func TestSpecOperators(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		has, spec string
		want      bool
	}{
		{"iSCSI", "iscsi", true}, {"iSCSI", "nvme", false}, {"", "", true}, {"x", "", false},
		{"True", "<is> True", true}, {"false", "<is> True", false}, {"nonsense", "<is> False", true},
		{"True", "yes", true}, {"True", "1", false}, {"False", "no", true}, {"1", "1", true}, {"1", "true", false},
		{"abcd", "<in> bc", true}, {"abcd", "<in> x", false}, {"abcd", "<in>", false},
		{"aes-ni vmx svm", "<all-in> aes vmx", true}, {"aes vmx", "<all-in> aes svm", false}, {"aes", "<all-in>", false},
		{"b", "<or> a <or> b", true}, {"c", "<or> a <or> b", false}, {"b", "<or> a <or>", false}, {"b", "<or>", false},
		{"B", "<OR> a <OR> b", true}, {"<or>", "<or> a <or> b", false},
		{"10", "= 9", true}, {"9", "= 10", false}, {"10", ">= 10", true}, {"9.5", ">= 10", false},
		{"10", "<= 10", true}, {"11", "<= 10", false}, {"10.0", "== 10", true}, {"10", "== 11", false},
		{"10", "!= 11", true}, {"10", "!= 10", false}, {"x", "!= 10", false}, {"10", "!= x", false}, {"10", "==", false},
		{"a", "s== a", true}, {"a", "s== b", false}, {"a", "s!= b", true}, {"a", "s!= a", false},
		{"b", "s> a", true}, {"a", "s> a", false}, {"a", "s>= a", true}, {"a", "s< b", true}, {"b", "s< b", false},
		{"b", "s<= b", true}, {"10", "s< 9", true},
		{"> 5", "> 5", true}, {"6", "> 5", false}, // no operator of Cinder's: a plain value
		{"a", "s== a b", true}, // words after the operand are ignored
	} {
		if got := parseSpec(c.spec).matches(c.has); got != c.want {
			t.Errorf("%q has %q: got %v", c.spec, c.has, got)
		}
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	placer := newPlacer(t, Options{})
	pool := upPool("h@b#p")
	pool.Capabilities = map[string]string{"volume_backend_name": "lvm", "storage_protocol": "iSCSI", "multiattach": "True"}
	pool.MaxOverSubscriptionRatio, pool.ReservedPercentage, pool.Volumes = 20, 5, 7
	for _, c := range []struct {
		key, value string
		passes     bool
	}{
		{"volume_backend_name", "lvm", true},
		{"volume_backend_name", "LVM", true},
		{"capabilities:volume_backend_name", "lvm", true},
		{"capabilities:volume_backend_name", "ceph", false},
		{"capabilities:unknown", "<is> False", false},
		{"unknown", "x", false},
		{"provisioning:type", "thin", true},
		{"quota:unknown:x", "<is> True", true},
		{"multiattach", "<is> True", true},
		{"thick_provisioning_support", "<is> True", true},
		{"thin_provisioning_support", "<is> True", false},
		{"total_capacity_gb", ">= 1000", true},
		{"free_capacity_gb", ">= 1000.5", false},
		{"allocated_capacity_gb", "== 0", true},
		{"provisioned_capacity_gb", "<= 0", true},
		{"reserved_percentage", "== 5", true},
		{"max_over_subscription_ratio", "<= 20", true},
		{"total_volumes", "<= 6", false},
		{"pool_name", "p", true}, {"pool_name", "h@b#p", false},
	} {
		d := placer.Place([]Pool{pool}, Request{SizeBytes: 1, ExtraSpecs: map[string]string{c.key: c.value}})
		if got := len(d.Ranked) == 1; got != c.passes {
			t.Errorf("%s=%s: got %v %+v", c.key, c.value, got, d.Refused)
		}
	}
}

func FuzzSpec(f *testing.F) {
	for _, seed := range []string{"", "<or>", "<or> a <or>", "<in> b", "<all-in> a b", ">= 1e400", "s== x", "= nan", "\x00 \xff"} {
		f.Add(seed, "Value 1")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		s := parseSpec(text)
		if s.matches(value) != parseSpec(text).matches(value) {
			t.Fatal("not the same twice")
		}
		if s.match == nil && !s.matches(text) {
			t.Fatalf("%q is not equal to itself", text)
		}
	})
}
