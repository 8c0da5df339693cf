package scheduler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"clinker/api"
	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
	"clinker/internal/openstack/identity"
	"clinker/policy"
	"clinker/scheduler"
	"clinker/scheduler/nodetest"
)

// people are who sends requests in a storm, by their tokens.
type people map[string]identity.Identity

func (p people) Authenticate(_ context.Context, token, _ string) (identity.Identity, error) {
	return p[token], nil
}

var crowd = people{
	"a": {UserID: "a", ProjectID: "pa", Roles: []string{"member", "reader"}, ServiceRoles: []string{"service"}},
	"b": {UserID: "b", ProjectID: "pb", Roles: []string{"member", "reader"}, ServiceRoles: []string{"service"}},
	"x": {UserID: "x", ProjectID: "pa", Roles: []string{"admin", "member", "reader"}, IsAdmin: true, ServiceRoles: []string{"service"}},
}

// storm is a cloud under requests of all kinds at once, on few things.
type storm struct {
	*rig
	api   *api.Server
	mu    sync.Mutex
	keys  map[string]string // of transfers, by id
	types []string
}

// blow sends one request. An answer of 500 and above is our mistake.
func (s *storm) blow(who, method, path, body string) map[string]any {
	q := httptest.NewRequest(method, "/v3/"+path, strings.NewReader(body))
	q.Header.Set("X-Auth-Token", who)
	q.Header.Set("OpenStack-API-Version", "volume 3.70")
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	answer := httptest.NewRecorder()
	s.api.ServeHTTP(answer, q)
	if answer.Code >= 500 {
		s.Errorf("%s %s %s: %d %s", method, path, body, answer.Code, answer.Body)
	}
	var doc map[string]any
	_ = json.NewDecoder(bytes.NewReader(answer.Body.Bytes())).Decode(&doc)
	return doc
}

// any gives the id of something there is.
func (s *storm) any(table string) string {
	var id string
	if err := s.db.Pool().QueryRow(s.Context(), "SELECT id::text FROM "+table+" WHERE deleted_at IS NULL ORDER BY random() LIMIT 1").Scan(&id); err != nil {
		return "00000000-0000-0000-0000-000000000000"
	}
	return id
}

func oneOf(r *rand.Rand, words ...string) string { return words[r.IntN(len(words))] }

// gust is one request, of any kind.
func (s *storm) gust(r *rand.Rand) {
	who := oneOf(r, "a", "a", "b", "x")
	v, snap, group, backup := s.any("volumes"), s.any("snapshots"), s.any("groups"), s.any("backups")
	act := func(body string) { s.blow(who, "POST", "volumes/"+v+"/action", body) }
	kind := oneOf(r, "", `, "volume_type": "`+s.types[0]+`"`, `, "volume_type": "`+s.types[1]+`"`)
	switch r.IntN(37) {
	case 0, 1, 2, 3:
		s.blow(who, "POST", "volumes", `{"volume": {"size": 1`+kind+`}}`)
	case 4:
		s.blow(who, "POST", "volumes", `{"volume": {"size": 2, "snapshot_id": "`+snap+`"}}`)
	case 5:
		s.blow(who, "POST", "volumes", `{"volume": {"size": 2, "source_volid": "`+v+`"}}`)
	case 6:
		s.blow(who, "POST", "volumes", `{"volume": {"size": 1, "group_id": "`+group+`", "volume_type": "`+s.types[0]+`"}}`)
	case 7, 8:
		s.blow(who, "DELETE", "volumes/"+v, "")
	case 9:
		s.blow(who, "DELETE", "volumes/"+v+"?cascade=true", "")
	case 10:
		s.blow("x", "POST", "volumes/"+v+"/action", `{"os-force_delete": null}`)
	case 11, 12:
		act(fmt.Sprintf(`{"os-extend": {"new_size": %d}}`, 2+r.IntN(3)))
	case 13, 14:
		s.blow(who, "POST", "snapshots", `{"snapshot": {"volume_id": "`+v+`"}}`)
	case 15:
		s.blow(who, "DELETE", "snapshots/"+snap, "")
	case 16:
		act(`{"revert": {"snapshot_id": "` + snap + `"}}`)
	case 17, 18:
		act(`{"os-retype": {"new_type": "` + oneOf(r, s.types[0], s.types[1], "__DEFAULT__") + `", "migration_policy": "` + oneOf(r, "never", "on-demand") + `"}}`)
	case 19:
		s.blow(who, "POST", "volumes/"+v+"/metadata", fmt.Sprintf(`{"metadata": {"k%d": "v"}}`, r.IntN(9)))
	case 20, 21:
		s.attach(r, who, v)
	case 22:
		s.blow(who, "DELETE", "attachments/"+s.any("attachments"), "")
	case 23, 24:
		s.transfer(who, v)
	case 25:
		s.blow(who, "POST", "groups", `{"group": {"group_type": "plain", "volume_types": ["`+s.types[0]+`"]}}`)
	case 26:
		s.blow(who, "PUT", "groups/"+group, `{"group": {"`+oneOf(r, "add", "remove")+`_volumes": "`+v+`,`+s.any("volumes")+`"}}`)
	case 27:
		s.blow(who, "POST", "groups/"+group+"/action", `{"delete": {"delete-volumes": true}}`)
	case 28:
		s.blow(who, "POST", "group_snapshots", `{"group_snapshot": {"group_id": "`+group+`"}}`)
	case 29:
		s.blow(who, "DELETE", "group_snapshots/"+s.any("group_snapshots"), "")
		s.blow(who, "POST", "groups/action", `{"create-from-src": {"source_group_id": "`+group+`"}}`)
	case 30:
		s.blow(who, "POST", "backups", fmt.Sprintf(`{"backup": {"volume_id": %q, "force": true, "incremental": %v}}`, v, r.IntN(2) == 0))
	case 31:
		s.blow(who, "POST", "backups/"+backup+"/restore", oneOf(r, `{"restore": {}}`, `{"restore": {"volume_id": "`+v+`"}}`))
	case 32:
		s.blow("x", oneOf(r, "DELETE", "DELETE"), "backups/"+backup, "")
		s.blow("x", "POST", "backups/"+backup+"/action", oneOf(r, `{"os-force_delete": null}`, `{"os-reset_status": {"status": "available"}}`))
	case 33:
		s.blow("x", "POST", "volumes/"+v+"/action", `{"os-migrate_volume": {"host": "`+oneOf(r, onA, onB)+`", "lock_volume": true}}`)
	case 34:
		s.blow("x", "POST", "volumes/"+v+"/action", `{"os-reset_status": {"status": "error"}}`)
	case 35:
		s.blow("x", "PUT", "os-quota-sets/pa?skip_validation=false", fmt.Sprintf(`{"quota_set": {"volumes": %d, "gigabytes_one": 500}}`, 20+r.IntN(9)))
	case 36:
		s.blow("x", "PUT", "types/"+s.types[1], `{"volume_type": {"name": "`+oneOf(r, "two", "Two", "deux")+`"}}`)
	}
}

func (s *storm) attach(r *rand.Rand, who, v string) {
	doc := s.blow(who, "POST", "attachments", `{"attachment": {"volume_uuid": "`+v+`", "instance_uuid": "`+v+`", "connector": {"host": "h", "initiator": "iqn.2020-01.org:h"}}}`)
	made, _ := doc["attachment"].(map[string]any)
	if id, is := made["id"].(string); is && r.IntN(2) == 0 {
		s.blow(who, "POST", "attachments/"+id+"/action", `{"os-complete": null}`)
	}
}

func (s *storm) transfer(who, v string) {
	doc := s.blow(who, "POST", "volume-transfers", `{"transfer": {"volume_id": "`+v+`"}}`)
	made, _ := doc["transfer"].(map[string]any)
	s.mu.Lock()
	if id, is := made["id"].(string); is {
		s.keys[id] = made["auth_key"].(string)
	}
	var id, key string
	for id, key = range s.keys {
		delete(s.keys, id)
		break
	}
	s.mu.Unlock()
	s.blow(map[string]string{"a": "b", "b": "a", "x": "b"}[who], "POST", "volume-transfers/"+id+"/accept", `{"accept": {"auth_key": "`+key+`"}}`)
	s.blow("x", "DELETE", "volume-transfers/"+id, "")
}

// TestStorm: requests of all kinds at once, on few volumes, snapshots, groups and
// backups of two projects, with two schedulers. Afterwards everything rests, the
// counters are what the rows say, and no two transactions waited for each other.
func TestStorm(t *testing.T) {
	t.Parallel()
	store := nodetest.NewStore("store")
	a, b := nodetest.New("a").WithPool("lvm", "vg", 200*gib).WithStore(store), nodetest.New("b").WithPool("lvm", "vg", 200*gib).WithStore(store)
	s := &storm{rig: newRig(t, a, b), keys: map[string]string{}}
	s.adjust = func(o *scheduler.Options) {
		o.Jobs.FirstWait, o.Jobs.Patience, o.Jobs.BusyTries = 100*time.Millisecond, 300*time.Millisecond, 1
	}
	s.start()
	s.start()
	rules, _, err := policy.New(policy.Options{EnforceNewDefaults: true})
	if err != nil {
		t.Fatal(err)
	}
	s.api, err = api.New(api.Options{DB: s.db, Identity: crowd, Policy: rules, Nodes: s.network, Host: "control", MaxBody: 1 << 16, MaxLimit: 1000,
		DefaultType: "__DEFAULT__", ShownZone: "nova", ServiceDownTime: time.Minute, ProtectServers: true,
		Limits: db.Limits{db.QuotaVolumes: 25, db.QuotaGigabytes: 100, db.QuotaSnapshots: 20, db.QuotaBackups: 8, db.QuotaBackupGigabytes: 30, db.QuotaGroups: 4}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "two"} {
		made := s.blow("x", "POST", "types", `{"volume_type": {"name": "`+name+`"}}`)["volume_type"].(map[string]any)
		s.types = append(s.types, made["id"].(string))
	}
	s.blow("x", "POST", "group_types", `{"group_type": {"name": "plain"}}`)
	var blowing sync.WaitGroup
	for i := range 12 {
		blowing.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for range 120 {
				s.gust(r)
			}
		})
	}
	blowing.Wait()
	s.calm()
	s.trueCounters()
	if deadlocks := dbtest.Rows(t, s.db, "SELECT deadlocks::text FROM pg_stat_database WHERE datname = current_database()"); deadlocks[0] != "0" {
		t.Errorf("%s deadlocks", deadlocks[0])
	}
}

// calm waits until nothing is under way.
func (s *storm) calm() {
	const moving = `('creating', 'downloading', 'deleting', 'extending', 'retyping', 'reverting', 'restoring', 'backing-up', 'restoring-backup', 'uploading', 'maintenance', 'managing')`
	s.eventually("everything rests", func() bool {
		s.sweep()
		var n int
		err := s.db.Pool().QueryRow(s.Context(), `SELECT count(*) FROM (
			SELECT status FROM volumes WHERE deleted_at IS NULL UNION ALL SELECT status FROM snapshots WHERE deleted_at IS NULL
			UNION ALL SELECT status FROM groups WHERE deleted_at IS NULL UNION ALL SELECT status FROM group_snapshots WHERE deleted_at IS NULL
			UNION ALL SELECT status FROM backups WHERE deleted_at IS NULL
			UNION ALL SELECT 'retyping' FROM volume_migrations
			UNION ALL SELECT 'retyping' FROM volume_retypes) AS things WHERE status IN `+moving).Scan(&n)
		if fault.CodeOf(err) != "" || err != nil {
			s.Fatal(err)
		}
		return n == 0
	})
}
