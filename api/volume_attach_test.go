package api

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"clinker/internal/fault"
	"clinker/policy"
)

// act sends an action on a volume.
func (w *world) act(persona, volume, body string) response {
	w.t.Helper()
	return w.do(persona, "POST", "/v3/volumes/"+volume+"/action", body)
}

// statusOf gives the status of a volume as everybody sees it.
func (w *world) statusOf(volume string) string {
	w.t.Helper()
	status, _ := w.do("admin", "GET", "/v3/volumes/"+volume, "").want(w.t, 200).at("volume", "status").(string)
	return status
}

const (
	connectOne = `{"os-initialize_connection": {"connector": {"host": "h1", "initiator": "iqn.one"}}}`
	connectTwo = `{"os-initialize_connection": {"connector": {"host": "h2", "initiator": "iqn.two"}}}`
	attachHere = `{"os-attach": {"instance_uuid": "` + server + `", "mountpoint": "/dev/vdb"}}`
	leaveOne   = `{"os-terminate_connection": {"connector": {"host": "h1", "initiator": "iqn.one"}}}`
)

// grants counts who may log in.
func (w *world) grants() int {
	w.node.mu.Lock()
	defer w.node.mu.Unlock()
	return len(w.node.granted)
}

// manyAtOnce sends the same action fifty times and gives how often it succeeded.
func (w *world) manyAtOnce(volume, body string, success int) int {
	w.t.Helper()
	var running sync.WaitGroup
	answers := make([]int, 50)
	for i := range answers {
		running.Go(func() { answers[i] = w.act("member", volume, body).status })
	}
	running.Wait()
	won := 0
	for _, status := range answers {
		switch status {
		case success:
			won++
		case 400, 409:
		default:
			w.t.Errorf("%s: %d", body, status)
		}
	}
	return won
}

func TestOneOfManyGetsTheVolume(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	free := w.volume("member", "")
	if won := w.manyAtOnce(free, `{"os-reserve": null}`, 202); won != 1 {
		t.Errorf("%d reserved it", won)
	}
	if won := w.manyAtOnce(free, attachHere, 202); won != 1 {
		t.Errorf("%d attached it", won)
	}
	if won := w.manyAtOnce(free, `{"os-begin_detaching": null}`, 202); won != 1 {
		t.Errorf("%d began to detach it", won)
	}
	if won := w.manyAtOnce(free, `{"os-detach": {}}`, 202); won != 50 {
		t.Errorf("%d of 50 found it detached", won)
	}
	if status := w.statusOf(free); status != "available" {
		t.Errorf("in the end it is %s", status)
	}
}

func TestOneOfManyHostsIsConnected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.volume("member", "")
	var running sync.WaitGroup
	answers := make([]int, 20)
	for i := range answers {
		running.Go(func() {
			answers[i] = w.act("member", id, strings.ReplaceAll(connectOne, "one", "host"+itoa(i))).status
		})
	}
	running.Wait()
	won := 0
	for _, status := range answers {
		if status == 200 {
			won++
		} else if status != 400 {
			t.Error(status)
		}
	}
	if won != 1 || w.grants() != 1 {
		t.Errorf("%d hosts were connected, %d may log in", won, w.grants())
	}
}

// Once terminated, a host cannot log in, and the volume is still its server's
// until os-detach.
func TestTerminateCutsOffBeforeDetach(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.ProtectServers = false })
	id := w.volume("member", "")
	w.act("member", id, `{"os-reserve": {}}`).want(t, 202)
	w.act("member", id, connectOne).want(t, 200)
	w.act("member", id, attachHere).want(t, 202)
	w.act("member", id, connectOne).want(t, 200) // a reboot of the host
	if w.grants() != 1 {
		t.Errorf("%d grants", w.grants())
	}
	w.act("member", id, `{"os-begin_detaching": {}}`).want(t, 202)
	w.act("member", id, leaveOne).want(t, 202)
	w.act("member", id, leaveOne).want(t, 202)
	if w.grants() != 0 || w.statusOf(id) != "detaching" {
		t.Errorf("%d grants, %s", w.grants(), w.statusOf(id))
	}
	w.act("member", id, `{"os-roll_detaching": {}}`).want(t, 202)
	w.act("member", id, connectOne).want(t, 200)
	if w.grants() != 1 || w.statusOf(id) != "in-use" {
		t.Errorf("back again: %d grants, %s", w.grants(), w.statusOf(id))
	}
	w.act("member", id, `{"os-detach": {}}`).want(t, 202)
	if w.grants() != 0 || w.statusOf(id) != "available" {
		t.Errorf("%d grants, %s", w.grants(), w.statusOf(id))
	}
}

func TestANodeThatFailsTheOldFlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.volume("member", "")
	fail := func(err error) {
		w.node.mu.Lock()
		defer w.node.mu.Unlock()
		w.node.fail = err
	}
	w.act("member", id, `{"os-reserve": {}}`).want(t, 202)
	fail(fault.New(fault.Unavailable, "the node is away"))
	r := w.act("member", id, connectOne).want(t, 500)
	if r.message() != "Unable to fetch connection information from backend." || w.statusOf(id) != "attaching" {
		t.Error(r.body, w.statusOf(id))
	}
	if left := w.do("member@44", "GET", "/v3/attachments", ""); left.at("attachments", 0) != nil {
		t.Error("nobody was told of it", left.body)
	}
	fail(nil)
	w.act("member", id, connectOne).want(t, 200)
	fail(fault.New(fault.Unavailable, "the node is away"))
	r = w.act("member", id, leaveOne).want(t, 500)
	if r.message() != "Unable to terminate volume connection from backend." {
		t.Error(r.body)
	}
	fail(nil)
	w.act("member", id, leaveOne).want(t, 202)
	if w.grants() != 0 || w.statusOf(id) != "available" {
		t.Errorf("%d grants, %s", w.grants(), w.statusOf(id))
	}
}

// How a host may use a volume is what os-attach says, whatever it was connected for.
func TestAttachModeReachesTheNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.ProtectServers = false })
	readOnly := func() bool {
		w.node.mu.Lock()
		defer w.node.mu.Unlock()
		for _, g := range w.node.granted {
			return g.ReadOnly
		}
		t.Error("no grant")
		return false
	}
	id := w.volume("member", "")
	w.act("member", id, connectOne).want(t, 200)
	if readOnly() {
		t.Error("connected for reading only")
	}
	told := w.act("member", id, connectOne).want(t, 200)
	w.act("member", id, strings.Replace(attachHere, `"mountpoint"`, `"mode": "ro", "mountpoint"`, 1)).want(t, 202)
	if !readOnly() {
		t.Error("what is attached for reading may write")
	}
	again := w.act("member", id, connectOne).want(t, 200)
	if again.at("connection_info", "data", "access_mode") != "ro" ||
		again.at("connection_info", "data", "auth_password") != told.at("connection_info", "data", "auth_password") {
		t.Error("another login or mode: ", again.body)
	}
	w.act("member", id, `{"os-detach": {}}`).want(t, 202)

	w.act("member", id, `{"os-update_readonly_flag": {"readonly": true}}`).want(t, 202)
	w.do("member@54", "POST", "/v3/attachments", `{"attachment": {"volume_uuid": "`+id+`", "mode": "rw"}}`).want(t, 400)
	w.act("member", id, strings.Replace(connectOne, `"host"`, `"mode": "rw", "host"`, 1)).want(t, 400)
	w.do("member@44", "POST", "/v3/attachments", `{"attachment": {"volume_uuid": "`+id+`", "connector": {"host": "h1", "initiator": "iqn.one"}}}`).want(t, 200)
	if !readOnly() {
		t.Error("a read-only volume may be written to")
	}
}

func TestMultiattach(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.ProtectServers = false })
	w.volumeType(`{"name": "shared", "extra_specs": {"multiattach": "<is> True"}}`)
	id := w.volume("member", `, "volume_type": "shared"`)
	if shown := w.do("member@71", "GET", "/v3/volumes/"+id, ""); shown.at("volume", "multiattach") != true {
		t.Fatal(shown.body)
	}
	attach := func(host, mode string) string {
		made := w.do("member@54", "POST", "/v3/attachments", `{"attachment": {"volume_uuid": "`+id+`", "mode": "`+mode+`",
			"connector": {"host": "`+host+`", "initiator": "iqn.`+host+`"}}}`).want(t, 200)
		a := made.at("attachment", "id").(string)
		w.do("member@54", "POST", "/v3/attachments/"+a+"/action", `{"os-complete": {}}`).want(t, 204)
		return a
	}
	one, two := attach("a", "rw"), attach("b", "ro")
	w.node.mu.Lock()
	g1, g2 := w.node.granted[one], w.node.granted[two]
	w.node.mu.Unlock()
	if g1.Username == g2.Username || g1.Password == g2.Password || g1.Initiator == g2.Initiator || g1.ReadOnly || !g2.ReadOnly {
		t.Errorf("%+v %+v", g1, g2)
	}
	w.act("member", id, `{"os-reserve": null}`).want(t, 202)
	w.act("member", id, `{"os-reserve": null}`).want(t, 400)
	w.act("member", id, connectOne).want(t, 200)
	w.act("member", id, attachHere).want(t, 202)
	w.act("member", id, `{"os-detach": {}}`).want(t, 400)
	if w.grants() != 3 || w.statusOf(id) != "in-use" {
		t.Errorf("%d grants, %s", w.grants(), w.statusOf(id))
	}
	w.do("member@54", "DELETE", "/v3/attachments/"+one, "").want(t, 200)
	w.act("member", id, leaveOne).want(t, 202)
	w.node.mu.Lock()
	_, stays := w.node.granted[two]
	w.node.mu.Unlock()
	if w.grants() != 1 || !stays || w.statusOf(id) != "in-use" {
		t.Errorf("%d grants, %s", w.grants(), w.statusOf(id))
	}
	w.act("member", id, `{"os-detach": {"attachment_id": "`+two+`"}}`).want(t, 202)
	w.act("member", id, `{"os-detach": {}}`).want(t, 202)
	if w.grants() != 0 || w.statusOf(id) != "available" {
		t.Errorf("%d grants, %s", w.grants(), w.statusOf(id))
	}
}

// Two servers of one host: the host keeps its connection until the second goes.
func TestMultiattachOfOneHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.ProtectServers = false })
	w.volumeType(`{"name": "shared", "extra_specs": {"multiattach": "<is> True"}}`)
	id := w.volume("member", `, "volume_type": "shared"`)
	for _, instance := range []string{server, missing} {
		w.act("member", id, `{"os-reserve": null}`).want(t, 202)
		w.act("member", id, connectOne).want(t, 200)
		w.act("member", id, strings.Replace(attachHere, server, instance, 1)).want(t, 202)
	}
	shown := w.do("member@71", "GET", "/v3/volumes/"+id, "")
	first, _ := shown.at("volume", "attachments", 0, "attachment_id").(string)
	if w.grants() != 2 {
		t.Errorf("%d grants", w.grants())
	}
	w.act("member", id, leaveOne).want(t, 202)
	if w.grants() != 2 {
		t.Error("the host was cut off although both its servers have the volume")
	}
	w.act("member", id, `{"os-detach": {"attachment_id": "`+first+`"}}`).want(t, 202)
	w.act("member", id, leaveOne).want(t, 202)
	w.act("member", id, `{"os-detach": {}}`).want(t, 202)
	if w.grants() != 0 || w.statusOf(id) != "available" {
		t.Errorf("%d grants, %s", w.grants(), w.statusOf(id))
	}
}

// A hold is not lost when the attachments beside it change.
func TestAHoldOutlivesOtherAttachments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.ProtectServers = false })
	w.volumeType(`{"name": "shared", "extra_specs": {"multiattach": "<is> True"}}`)
	id := w.volume("member", `, "volume_type": "shared"`)
	w.act("member", id, attachHere).want(t, 202)
	w.act("member", id, `{"os-reserve": null}`).want(t, 202)
	first, _ := w.do("member@71", "GET", "/v3/volumes/"+id, "").at("volume", "attachments", 0, "attachment_id").(string)
	w.act("member", id, `{"os-detach": {"attachment_id": "`+first+`"}}`).want(t, 202)
	if status := w.statusOf(id); status != "attaching" {
		t.Errorf("it is %s although it is held", status)
	}
	w.act("member", id, `{"os-unreserve": null}`).want(t, 202)
	if status := w.statusOf(id); status != "available" {
		t.Error(status)
	}
	held, err := w.db.Volume(context.Background(), id, "")
	if err != nil || held.Held {
		t.Error(held.Held, err)
	}
}

func TestMultiattachPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Policy = restricted(t, "volume:multiattach", "volume:multiattach_bootable_volume") })
	w.volumeType(`{"name": "shared", "extra_specs": {"multiattach": "<is> True"}}`)
	refused := func(r response, rule string) {
		t.Helper()
		if r.status != 403 || !strings.Contains(r.body, rule) {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
	refused(w.do("member", "POST", "/v3/volumes", `{"volume": {"size": 1, "volume_type": "shared"}}`), "volume:multiattach to")
	id := w.volume("admin", `, "volume_type": "shared"`)
	w.act("member", id, `{"os-set_bootable": {"bootable": true}}`).want(t, 200)
	w.do("member@44", "POST", "/v3/attachments", `{"attachment": {"volume_uuid": "`+id+`", "instance_uuid": "`+server+`"}}`).want(t, 200)
	refused(w.do("member@44", "POST", "/v3/attachments", `{"attachment": {"volume_uuid": "`+id+`", "instance_uuid": "`+missing+`"}}`), "multiattach_bootable_volume")
	refused(w.act("member", id, connectTwo), "multiattach_bootable_volume")
	refused(w.act("member", id, attachHere), "multiattach_bootable_volume")
	refused(w.act("member", id, `{"os-reserve": null}`), "multiattach_bootable_volume")
	w.do("admin@44", "POST", "/v3/attachments", `{"attachment": {"volume_uuid": "`+id+`", "instance_uuid": "`+missing+`"}}`).want(t, 200)
}

// restricted are rules by which only administrators may do some things.
func restricted(t *testing.T, rules ...string) *policy.Enforcer {
	t.Helper()
	text := ""
	for _, rule := range rules {
		text += `"` + rule + `": "role:admin"` + "\n"
	}
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	e, _, err := policy.New(policy.Options{File: file, EnforceNewDefaults: true})
	if err != nil {
		t.Fatal(err)
	}
	return e
}
