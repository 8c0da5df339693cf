package conf

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"clinker/internal/fault"
)

var update = flag.Bool("update", false, "rewrite golden files")

func init() { Declare(Number{"a_weight_multiplier", -1.5, "Weight of what a test weighs."}) }

const drive = `
# as an operator writes it
[DEFAULT]
my_ip = 10.0.0.5
host = store1
state_path = "/srv/cinder"
enabled_backends = fast, slow
auth_strategy: builtin
osapi_max_limit=500
service_down_time = 90
transport_url = rabbit://guest:guest@127.0.0.1:5672/
scheduler_default_filters = AvailabilityZoneFilter,
    CapacityFilter
reserved_percentage = 5
a_weight_multiplier = 0.5

[backend_defaults]
target_helper = lioadm
target_ip_address = $my_ip

[fast]
volume_driver = cinder.volume.drivers.lvm.LVMVolumeDriver
volume_group = nvme
lvm_type = thin
iscsi_ip_address = 10.0.1.5
max_over_subscription_ratio = auto

[slow]
volume_driver = file
backend_host = rack2
reserved_percentage = 15

[database]
connection = postgresql+psycopg2://cinder:p%40ss@db:5433/cinder?charset=utf8

[keystone_authtoken]
password = two$$four
service_token_roles_required = Yes

[oslo_messaging_rabbit]
heartbeat_in_pthread = true
`

func TestParse(t *testing.T) {
	t.Parallel()
	c, _, err := Parse([]byte(drive))
	if err != nil {
		t.Fatal(err)
	}
	fast, slow := c.Backends[0], c.Backends[1]
	got := map[string]any{
		"host": c.Host, "limit": c.API.MaxLimit, "down": c.Scheduler.ServiceDownTime, "auth": c.API.AuthStrategy,
		"filters": c.Scheduler.DefaultFilters, "dsn": c.Database.Connection.Reveal(), "password": c.Keystone.Password.Reveal(),
		"required": c.Keystone.ServiceTokenRolesRequired, "zone": c.API.DefaultAvailabilityZone,
		"fast": fast, "slow driver": slow.VolumeDriver, "slow host": slow.BackendHost, "slow ip": slow.TargetIPAddress,
		"slow dir": slow.FileDirectory, "slow ratio": slow.MaxOverSubscriptionRatio.String(), "slow reserve": slow.ReservedPercentage,
		"endpoint": c.Clinker.VolumedEndpoint, "weight": c.Number("a_weight_multiplier"),
	}
	want := map[string]any{
		"host": "store1", "limit": 500, "down": 90 * time.Second, "auth": "builtin",
		"filters": []string{"AvailabilityZoneFilter", "CapacityFilter"}, "dsn": "postgresql://cinder:p%40ss@db:5433/cinder", "password": "two$four",
		"required": true, "zone": "nova",
		"fast": Backend{Name: "fast", VolumeDriver: "lvm", VolumeBackendName: "fast", BackendHost: "store1", BackendAvailabilityZone: "nova",
			VolumeGroup: "nvme", LVMType: "thin", LVMThinPool: "nvme-pool", FileDirectory: "/srv/cinder/volumes/fast",
			TargetHelper: "lio", TgtSocket: "/run/tgtd/socket.0", TargetProtocol: "iscsi", TargetIPAddress: "10.0.1.5", TargetPort: 3260, TargetPrefix: "iqn.2010-10.org.openstack:",
			VolumeClearBytesPerSecond: 100 << 20, MaxOverSubscriptionRatio: Ratio{Auto: true}, ReservedPercentage: 5},
		"slow driver": "file", "slow host": "rack2", "slow ip": "10.0.0.5",
		"slow dir": "/srv/cinder/volumes/slow", "slow ratio": "20", "slow reserve": 15,
		"endpoint": "https://10.0.0.5:9776", "weight": 0.5,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestBadValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"[DEFAULT]\ndebug = maybe", `[DEFAULT] debug = "maybe": accepted is true, false, 1, 0, yes, no, on or off`},
		{"[DEFAULT]\nosapi_volume_listen_port = 99999", `accepted is a whole number from 0 to 65535`},
		{"[DEFAULT]\nquota_volumes = many", `accepted is a whole number, -1 or more`},
		{"[DEFAULT]\nservice_down_time = 1m", `accepted is a whole number of seconds, 1 or more`},
		{"[DEFAULT]\nauth_strategy = ldap", `accepted is one of keystone, builtin, noauth`},
		{"[DEFAULT]\nauth_strategy = noauth", `a loopback address`},
		{"[DEFAULT]\nmax_over_subscription_ratio = 0.5", `accepted is a number of at least 1, or auto`},
		{"[DEFAULT]\nmax_over_subscription_ratio = NaN", `accepted is a number of at least 1, or auto`},
		{"[DEFAULT]\na_weight_multiplier = big", `accepted is a number`},
		{"[DEFAULT]\nstate_path = $nowhere/x", `$nowhere is no option; write $$ for a dollar sign`},
		{"[DEFAULT]\nstate_path = $state_path/x", `the references lead in a circle`},
		{"[DEFAULT]\nhost = $my_ip$my_ip$my_ip$my_ip\nmy_ip = $state_path$state_path$state_path$state_path$state_path$state_path\n" +
			"state_path = $public_endpoint$public_endpoint$public_endpoint$public_endpoint$public_endpoint$public_endpoint$public_endpoint\n" +
			"public_endpoint = $default_availability_zone$default_availability_zone$default_availability_zone$default_availability_zone$default_availability_zone$default_availability_zone$default_availability_zone$default_availability_zone",
			`the references lead in a circle`},
		{"[DEFAULT]\nenabled_backends = lvm", `enabled_backends names lvm, but there is no section [lvm]`},
		{"[DEFAULT]\nenabled_backends = a,a\n[a]", `enabled_backends names a twice`},
		{"[DEFAULT]\nenabled_backends = a,b\n[a]\n[b]", `[a] and [b] both have volume_group = cinder-volumes`},
		{"[DEFAULT]\nenabled_backends = a,b\n[a]\n[b]\nlvm_type = thin", `[a] and [b] both have volume_group = cinder-volumes, lvm_thin_pool = cinder-volumes-pool`},
		{"[DEFAULT]\nmy_ip = store1.example\nenabled_backends = a\n[a]", `[a] target_ip_address, target_secondary_ip_addresses: "store1.example" is not an IP address`},
		{"[DEFAULT]\nenabled_backends = a\n[a]\ntarget_secondary_ip_addresses = 10.0.0.2,0.0.0.0", `"0.0.0.0" is not an IP address that`},
		{"[DEFAULT]\nenabled_backends = a\n[a]\niscsi_secondary_ip_addresses = 0.0.0.0", `"0.0.0.0" is not an IP address that`},
		{"[DEFAULT]\nenabled_backends = database\n[database]", `not a section for a backend`},
		{"[DEFAULT]\nenabled_backends = a\n[a]\nvolume_driver = cinder.volume.drivers.rbd.RBDDriver", `accepted is one of lvm, file`},
		{"[DEFAULT]\nreport_interval = 60", `less than service_down_time (60)`},
		{"[DEFAULT]\nosapi_volume_use_ssl = on", `needs cert_file and key_file in [ssl]`},
		{"[database]\nconnection = mysql+pymysql://cinder:hidden@db/cinder", `connection is for mysql`},
		{"[database]\nconnection = postgresql://cinder:hid den@db:x/cinder", `not a well-formed URL`},
		{"[database]\nconnection = hidden", `connection is no URL`},
		{"[keystone_authtoken]\npassword = two$hidden", `password = ***: what follows a $ in it is no option; write $$`},
		{"[database]\nconnection = postgresql://u:two${hidden}@db/cinder", `connection = ***: what follows a $ in it is no option; write $$`},
		{"[DEFAULT]\nstate_path = /a$backup_s3_store_secret_key\nbackup_s3_store_secret_key = two$hidden", `$backup_s3_store_secret_key refers to what is no option`},
		{"[keystone_authtoken]\ntoken_cache_time = 301", `from -1 to 300`},
		{"[keystone_authtoken]\nauth_url = 10.0.0.2:5000", `begin with http:// or https://`},
		{"[DEFAULT]\nstate_path = clinker", `state_path = clinker: it must begin with /`},
		{"[DEFAULT]\nhost = store1@lvm", `host = "store1@lvm": a name is needed`},
		{"[DEFAULT]\nenabled_backends = a\n[a]\nbackend_host = store 1", `[a] backend_host = "store 1": a name is needed`},
		{"[DEFAULT]\nenabled_backends = a\n[a]\ntarget_prefix = iqn.2010-10.org.open_stack:", `[a] target_prefix = "iqn.2010-10.org.open_stack:": it must begin an iSCSI name`},
		{"[DEFAULT]\nenabled_backends = a\n[a]\ntarget_prefix =", `[a] target_prefix = "": it must begin an iSCSI name`},
		{"[DEFAULT]\nenabled_backends = a\n[a]\nvolume_driver = file\nfile_directory = volumes", `[a] file_directory = volumes: it must begin with /`},
		{"[DEFAULT]\nimage_conversion_dir = scratch", `image_conversion_dir = scratch: it must begin with /`},
		{"[DEFAULT]\npublic_endpoint = volumes.example.org", `public_endpoint = volumes.example.org: it must begin with http`},
		{"[barbican]\nbarbican_endpoint = keys:9311", `[barbican] barbican_endpoint = keys:9311: it must begin with http`},
		{"[nova]\nauth_url = 10.0.0.2:5000", `[nova] auth_url = 10.0.0.2:5000: it must begin with http`},
		{"[clinker]\nvolumed_port = 0", `from 1 to 65535`}, // others could not know which it is
		{"[clinker]\nvolumed_endpoint = store1:9776", `volumed_endpoint, scheduler_endpoints: "store1:9776"`},
		{"[clinker]\nscheduler_endpoints = https://a:9777,http://b:9777", `"http://b:9777"`},
		{"[clinker]\nscheduler_endpoints =", "scheduler_endpoints is empty"},
		{"[DEFAULT]\n# a\nhidden word\n", `line 3 is neither [section], key = value nor a comment`},
		{"\n[DEFAULT\n", `line 2 begins a section's name that no ] ends`},
		{"[]\n", `line 1 has no name between [ and ]`},
		{"[DEFAULT]\n= hidden\n", `line 2 has no key before the =`},
		{"[DEFAULT]\n\"hidden\n", `line 2 has a quote`},
		{"[DEFAULT]\n\"a=b\" = `hidden: c\n\nd\n", `a line has a quote that is not closed`},
		{"[DEFAULT]\nhost = \xff", `not UTF-8`},
	} {
		_, _, err := Parse([]byte(c.text))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "hidden") {
			t.Errorf("%q: the error shows the password: %v", c.text, err)
		}
	}
}

// All bad values are told at once.
func TestEveryError(t *testing.T) {
	t.Parallel()
	_, _, err := Parse([]byte("[DEFAULT]\ndebug = x\nquota_volumes = y"))
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("got %v, want two lines", err)
	}
}

// Of a folder that nobody has set, what it follows from is told, and not it.
func TestRelativeStatePath(t *testing.T) {
	t.Parallel()
	backend := "\nenabled_backends = a\n[a]\nvolume_driver = file\n"
	for text, want := range map[string][]string{
		"":                           {"state_path"},
		"file_directory = volumes\n": {"state_path", "file_directory"},
	} {
		_, _, err := Parse([]byte("[DEFAULT]\nstate_path = clinker" + backend + text))
		if err == nil {
			t.Fatal("accepted")
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != len(want) {
			t.Fatalf("%q: got %v, want %v", text, err, want)
		}
		for i, line := range lines {
			if !strings.Contains(line, "] "+want[i]+" = ") {
				t.Errorf("%q: got %s, want %s", text, line, want[i])
			}
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	text := drive + `
[lvn]
volume_driver = file
[keystone_autthoken]
username = x
[nowhere_near]
[DEFAULT]
quota_volume = 3
volume_group = x
glorp_with_a_long_name = x
[oslo_middleware]
max_request_body_size = 7
`
	c, warnings, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if c.API.MaxRequestBodySize != 7 {
		t.Errorf("max_request_body_size in [oslo_middleware] gave %d", c.API.MaxRequestBodySize)
	}
	var got []string
	for _, w := range warnings {
		got = append(got, w.String())
	}
	want := []string{
		"[DEFAULT] transport_url: has no effect in Clinker: there is no message broker; jobs are kept in PostgreSQL and nodes are called over TLS",
		"[DEFAULT] quota_volume: is no option Clinker knows; did you mean quota_volumes?",
		"[DEFAULT] volume_group: has no effect here; it belongs in [backend_defaults] or [fast] or [slow]",
		"[DEFAULT] glorp_with_a_long_name: is no option Clinker knows",
		"[fast] iscsi_ip_address: is an old name; it works, but write target_ip_address",
		"[oslo_messaging_rabbit]: has no effect in Clinker: there is no message broker; jobs are kept in PostgreSQL and nodes are called over TLS",
		"[lvn]: is a backend that enabled_backends in [DEFAULT] does not name; it is not served",
		"[keystone_autthoken]: is no section Clinker knows; did you mean [keystone_authtoken]?",
		"[nowhere_near]: is no section Clinker knows",
		"[oslo_middleware] max_request_body_size: is an old name; it works, but write osapi_max_request_body_size in [DEFAULT]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// The sample is checked in, and loading it gives the defaults without a word.
func TestSample(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := Sample(&b); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "cinder.conf.sample")
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("run the test with -update; -want +got:\n%s", diff)
	}
	c, warnings, err := Load(golden)
	if err != nil || len(warnings) != 0 {
		t.Fatalf("loading the sample: %v %v", err, warnings)
	}
	if beside := filepath.Join("testdata", "policy.yaml"); c.Policy.File != beside {
		t.Errorf("policy_file is %s, want %s", c.Policy.File, beside)
	}
	c.Policy.File = Default().Policy.File
	if diff := cmp.Diff(Default(), c); diff != "" {
		t.Errorf("the sample is not the defaults: %s", diff)
	}
	uncommented := strings.NewReplacer("\n#my_ip = <", "\n#", "\n#host = <", "\n#").Replace(b.String())
	uncommented = optionLine.ReplaceAllString(uncommented, "$1")
	if c, warnings, err = Parse([]byte(uncommented)); err != nil || len(warnings) != 0 {
		t.Fatalf("loading the sample with every option set: %v %v", err, warnings)
	}
	if diff := cmp.Diff(Default(), c); diff != "" {
		t.Errorf("a default does not survive being written down: %s", diff)
	}
}

func TestLoadMissing(t *testing.T) {
	t.Parallel()
	if _, _, err := Load(filepath.Join(t.TempDir(), "none")); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}

func TestTLSFiles(t *testing.T) {
	t.Parallel()
	c, _, err := Parse([]byte("[DEFAULT]\nstate_path = /s\n"))
	if err != nil {
		t.Fatal(err)
	}
	ca, cert, key := c.Clinker.TLSFiles("api")
	if diff := cmp.Diff([]string{"/s/pki/ca.crt", "/s/pki/api.crt", "/s/pki/api.key"}, []string{ca, cert, key}); diff != "" {
		t.Error(diff)
	}
}

// TestIPv6InURLs: an address that is a URL's host stands in brackets there.
func TestIPv6InURLs(t *testing.T) {
	t.Parallel()
	c, _, err := Parse([]byte("[DEFAULT]\nmy_ip = fd00::21\nstate_path = /a//$$b\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Clinker.VolumedEndpoint != "https://[fd00::21]:9776" || c.Clinker.VolumedListen != "fd00::21" || c.StatePath != "/a//$b" {
		t.Errorf("endpoint %s, listens on %s, state_path %s", c.Clinker.VolumedEndpoint, c.Clinker.VolumedListen, c.StatePath)
	}
}
